/** One group: its members and what they use, what its targets ask for, and what it decided and why. */
import { useState, type ReactNode } from "react";

import { useAction, useApi, usePages } from "#console/api/queries.ts";
import { useMay } from "#console/api/session.ts";
import { ConfirmDialog } from "#console/components/confirm-dialog.tsx";
import { LoadMore } from "#console/components/load-more.tsx";
import { Money } from "#console/components/money.tsx";
import { PageHead } from "#console/components/page-head.tsx";
import { ProblemBox } from "#console/components/problem-box.tsx";
import { usePathParam } from "#console/components/search-params.ts";
import { StateBadge } from "#console/components/state-badge.tsx";
import { When } from "#console/components/when.tsx";
import { useServerWords } from "#console/components/server-words.ts";
import { useText } from "#console/i18n/index.ts";
import { Button } from "#console/ui/button.tsx";
import { Badge, Notice, Skeleton } from "#console/ui/feedback.tsx";
import { Card, Facts, Grid, Stack } from "#console/ui/layout.tsx";
import { Muted, Text } from "#console/ui/text.tsx";

import { Members } from "./members.tsx";
import { scalingBody, scalingFault, scalingOf, scalingOptions, type Group } from "./scaling.ts";
import { ScalingFields } from "./scaling-fields.tsx";

const everyMs = 10_000;

export function GroupPage(): ReactNode {
  const { t } = useText();
  const told = useServerWords();
  const groupId = usePathParam("groupId");
  const group = useApi("getGroup", { params: { groupId } }, { everyMs });
  const parent = { to: "/groups", label: t("groups.title") };
  if (group.data === undefined) {
    return (
      <>
        <PageHead title={t("groups.one")} parent={parent} />
        {group.error === null ? (
          <Skeleton lines={8} label={t("common.loading")} />
        ) : (
          <ProblemBox error={group.error} onRetry={() => void group.refetch()} />
        )}
      </>
    );
  }
  const { data } = group;
  return (
    <>
      <PageHead
        title={data.name}
        parent={parent}
        badge={<StateBadge of="group" state={data.state} />}
        actions={<GroupButtons group={data} />}
      />
      <Stack>
        {data.reason === null ? null : (
          <Notice tone="attention">{told(data.reason.message)}</Notice>
        )}
        <Grid columns={2}>
          <About group={data} />
          <Targets group={data} />
        </Grid>
        <Members group={data} />
        <Decisions groupId={data.id} />
      </Stack>
    </>
  );
}

function About({ group }: { readonly group: Group }): ReactNode {
  const { t } = useText();
  const { running, wanted, price } = group;
  return (
    <Card title={t("groups.about")}>
      <Facts
        rows={[
          [t("instances.flavor"), group.flavor],
          [t("rent.image"), group.image],
          [t("groups.members"), t("groups.runningOf", { running, wanted })],
          [t("groups.bounds"), `${group.min}–${group.max}`],
          [t("groups.now"), <Money key="now" amount={price.now} />],
          [t("groups.each"), <Money key="each" amount={price.each} />],
          [t("groups.most"), <Money key="most" amount={price.most} />],
          [t("common.created"), <When key="created" at={group.createdAt} how="both" />],
        ]}
      />
    </Card>
  );
}

function Targets({ group }: { readonly group: Group }): ReactNode {
  const { t } = useText();
  return (
    <Card title={t("groups.targets")}>
      {group.targets.length === 0 ? (
        <Muted>{t("groups.noTargets")}</Muted>
      ) : (
        <Facts
          rows={group.targets.map((each) => [
            t(`groups.target.${each.signal}`),
            <span key={each.signal}>
              {t("groups.targetIs", { value: each.value, mean: each.mean ?? "—" })}{" "}
              <Muted>
                {each.wanted === null ? null : t("groups.targetAsks", { count: each.wanted })}{" "}
                {t("groups.targetSeen", { seen: each.seen, missing: each.missing })}
              </Muted>
            </span>,
          ])}
        />
      )}
    </Card>
  );
}

function Decisions({ groupId }: { readonly groupId: string }): ReactNode {
  const { t } = useText();
  const told = useServerWords();
  const pages = usePages(
    "listGroupEvents",
    { params: { groupId }, query: { limit: 50 } },
    { everyMs },
  );
  return (
    <Card title={t("groups.decisions")}>
      <Stack gap="sm">
        {pages.error === null ? null : <ProblemBox error={pages.error} onRetry={pages.retry} />}
        {pages.isPending ? (
          <Skeleton label={t("common.loading")} />
        ) : pages.items.length === 0 ? (
          <Muted>{t("lease.noEvents")}</Muted>
        ) : (
          <ol className="plain-list">
            {pages.items.map((event) => (
              <li key={`${event.at} ${event.kind} ${event.message}`} className="line">
                <span style={{ minWidth: 0 }}>
                  <Badge>{told(event.kind).replaceAll(/[_-]/g, " ")}</Badge>{" "}
                  <Text>{told(event.message)}</Text>
                </span>
                <When at={event.at} how="absolute" />
              </li>
            ))}
          </ol>
        )}
        {pages.items.length === 0 ? null : <LoadMore pages={pages} />}
      </Stack>
    </Card>
  );
}

function GroupButtons({ group }: { readonly group: Group }): ReactNode {
  const { t } = useText();
  const mayUse = useMay()("compute.use");
  const [asked, setAsked] = useState<"change" | "delete">();
  const [scaling, setScaling] = useState(scalingOf(group));
  const params = { groupId: group.id };
  const close = (): void => setAsked(undefined);
  const update = useAction("updateGroup", { onDone: close });
  const remove = useAction("deleteGroup", { onDone: close });
  const isGone = group.state === "deleting" || group.state === "deleted";
  const refusal = mayUse
    ? isGone
      ? t("groups.gone")
      : undefined
    : t("instances.whyNot.permission");
  const fault = scalingFault(scaling);
  const body = scalingBody(scaling);
  return (
    <>
      <Button
        icon="edit"
        disabledReason={refusal}
        onClick={() => {
          setScaling(scalingOf(group));
          setAsked("change");
        }}
      >
        {t("groups.change")}
      </Button>
      <Button icon="trash" disabledReason={refusal} onClick={() => setAsked("delete")}>
        {t("common.delete")}
      </Button>
      <ConfirmDialog
        call={{
          operation: "updateGroup",
          request: { params, body },
          command: `millrace group set ${group.name} ${scalingOptions(body)}`,
        }}
        isOpen={asked === "change"}
        onClose={close}
        onConfirm={() => update.mutate({ params, body })}
        title={t("groups.change")}
        confirmLabel={t("common.save")}
        isBusy={update.isPending}
        error={update.error}
        disabledReason={fault === undefined ? undefined : t(`groups.fault.${fault}`)}
      >
        <ScalingFields value={scaling} onChange={setScaling} error={update.error} />
      </ConfirmDialog>
      <ConfirmDialog
        call={{ operation: "deleteGroup", request: { params } }}
        isOpen={asked === "delete"}
        onClose={close}
        onConfirm={() => remove.mutate({ params })}
        title={t("groups.deleteTitle", { name: group.name })}
        confirmLabel={t("common.delete")}
        isDangerous
        typed={group.name}
        isBusy={remove.isPending}
        error={remove.error}
      >
        <Text>{t("groups.deleteText", { count: group.members.length })}</Text>
      </ConfirmDialog>
    </>
  );
}
