/** To rent a group: what each member is, how many there may be, and what that costs at most. */
import { useNavigate } from "@tanstack/react-router";
import { useState, type ReactNode } from "react";

import { useAction, useApi } from "#console/api/queries.ts";
import { useMay } from "#console/api/session.ts";
import { flavorChoice } from "#console/components/flavor.ts";
import { amountOf, fenOf, Money } from "#console/components/money.tsx";
import { PageHead } from "#console/components/page-head.tsx";
import { fieldError, ProblemBox } from "#console/components/problem-box.tsx";
import { anyText, useSearchParams } from "#console/components/search-params.ts";
import { ShowAsCli } from "#console/components/show-as-cli.tsx";
import { useText } from "#console/i18n/index.ts";
import { imageFor } from "#console/pages/instances/rent-form.ts";
import { useProjectQuery } from "#console/shell/project.tsx";
import { Button } from "#console/ui/button.tsx";
import { Select, TextField } from "#console/ui/fields.tsx";
import { Card, Facts, Grid, Stack, WithAside } from "#console/ui/layout.tsx";

import { newScaling, scalingBody, scalingFault, scalingOptions } from "./scaling.ts";
import { ScalingFields } from "./scaling-fields.tsx";

const groupName = /^[a-z](?:[a-z0-9-]{0,57}[a-z0-9])?$/;

export function NewGroupPage(): ReactNode {
  const { t } = useText();
  const navigate = useNavigate();
  const may = useMay();
  const project = useProjectQuery();
  const [search, setSearch] = useSearchParams({ flavor: anyText(63), image: anyText(63) });
  const [name, setName] = useState("");
  const [scaling, setScaling] = useState(newScaling);
  const offers = useApi("listOffers");
  const images = useApi("listImages");
  const create = useAction("createGroup", {
    onDone: ({ id }) => void navigate({ to: "/groups/$groupId", params: { groupId: id } }),
  });
  const priced = (offers.data?.items ?? []).filter(({ price }) => price.status === "priced");
  const offer = priced.find(({ flavor }) => flavor.name === search.flavor) ?? priced[0];
  const ready = (images.data?.items ?? []).filter(({ state }) => state === "ready");
  const image = imageFor(ready, search.image, offer?.flavor);
  const fault = scalingFault(scaling);
  const isNameWrong = name !== "" && !groupName.test(name);
  const body = {
    name,
    flavor: offer?.flavor.name ?? "",
    ...(image === undefined ? {} : { image: image.name }),
    ...project,
    ...scalingBody(scaling),
  };
  const refusal = !may("compute.use")
    ? t("instances.whyNot.permission")
    : name === ""
      ? t("rent.fault.nameMissing")
      : isNameWrong
        ? t("rent.fault.nameRule")
        : fault === undefined
          ? undefined
          : t(`groups.fault.${fault}`);
  const each = offer?.price.hourly ?? null;
  const most = each === null ? null : amountOf(fenOf(each) * BigInt(scaling.max ?? 1));
  const error = offers.error ?? images.error;
  return (
    <>
      <PageHead
        title={t("groups.create")}
        lead={t("groups.createLead")}
        parent={{ to: "/groups", label: t("groups.title") }}
      />
      {error === null ? null : <ProblemBox error={error} onRetry={() => void offers.refetch()} />}
      <form
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          if (refusal === undefined) create.mutate({ body });
        }}
      >
        <WithAside
          aside={
            <Card title={t("rent.summary")}>
              <Stack gap="sm">
                <Facts
                  rows={[
                    [t("groups.each"), <Money key="each" amount={each} />],
                    [t("groups.most"), <Money key="most" amount={most} />],
                  ]}
                />
                {create.error === null ? null : <ProblemBox error={create.error} />}
                <Button
                  type="submit"
                  kind="primary"
                  size="md"
                  fullWidth
                  isBusy={create.isPending}
                  disabledReason={refusal}
                >
                  {t("groups.create")}
                </Button>
                <ShowAsCli
                  operation="createGroup"
                  request={{ body }}
                  command={`millrace group create ${name === "" ? "NAME" : name} --flavor ${body.flavor} ${scalingOptions(body)}`}
                />
              </Stack>
            </Card>
          }
        >
          <Stack>
            <Card title={t("groups.member")}>
              <Grid columns={3}>
                <TextField
                  label={t("common.name")}
                  description={t("groups.nameHelp")}
                  value={name}
                  onChange={setName}
                  required
                  maxLength={59}
                  isCode
                  autoComplete="off"
                  error={isNameWrong ? t("rent.fault.nameRule") : fieldError(create.error, "name")}
                />
                <Select
                  label={t("instances.flavor")}
                  isSearchable
                  choices={priced.map(({ flavor }) => flavorChoice(flavor, t))}
                  value={offer?.flavor.name}
                  onChange={(flavor) => setSearch({ flavor })}
                />
                <Select
                  label={t("rent.image")}
                  choices={ready.map((found) => ({ value: found.name, label: found.name }))}
                  value={image?.name}
                  onChange={(found) => setSearch({ image: found })}
                />
              </Grid>
            </Card>
            <Card title={t("groups.scaling")}>
              <ScalingFields value={scaling} onChange={setScaling} error={create.error} />
            </Card>
          </Stack>
        </WithAside>
      </form>
    </>
  );
}
