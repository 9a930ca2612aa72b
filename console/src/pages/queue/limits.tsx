/** What a customer may hold and use, and the share of a model that one customer may hold. */
import { useState, type FormEvent, type ReactNode } from "react";
import type { AnswerOf, RequestOf } from "#client/types.ts";

import { useAction, useApi, wholeList } from "#console/api/queries.ts";
import { useMay } from "#console/api/session.ts";
import { DataTable, type Column } from "#console/components/data-table.tsx";
import { Money } from "#console/components/money.tsx";
import { fieldError, ProblemBox } from "#console/components/problem-box.tsx";
import { anyText, useSearchParams } from "#console/components/search-params.ts";
import { ShowAsCli } from "#console/components/show-as-cli.tsx";
import { When } from "#console/components/when.tsx";
import { useText } from "#console/i18n/index.ts";
import { Button } from "#console/ui/button.tsx";
import { NumberField, Select, TextField } from "#console/ui/fields.tsx";
import { Card, Grid, Row, Stack } from "#console/ui/layout.tsx";
import { Muted } from "#console/ui/text.tsx";
import { toast } from "#console/ui/toast.tsx";

import { Shares } from "./shares.tsx";

type Limit = AnswerOf<"listLimits">["limits"][number];
type Body = RequestOf<"setLimit">["body"];

export function Limits(): ReactNode {
  const { t } = useText();
  const [{ customer }, setSearch] = useSearchParams({ customer: anyText(36) });
  const tenants = useApi("listTenants", { query: { limit: 200 } });
  const limits = useApi("listLimits", {}, { tenantId: customer, enabled: customer !== undefined });
  const columns: readonly Column<Limit>[] = [
    {
      key: "model",
      head: t("queue.model"),
      isTitle: true,
      cell: ({ gpuModel }) => gpuModel ?? t("queue.allGpus"),
    },
    {
      key: "project",
      head: t("jobs.project"),
      cell: ({ projectId }) => projectId?.slice(0, 8) ?? t("common.all"),
    },
    {
      key: "gpus",
      head: t("queue.gpusMax"),
      align: "end",
      cell: ({ gpusMax }) => gpusMax ?? "—",
    },
    {
      key: "hours",
      head: t("queue.hoursMax"),
      align: "end",
      cell: ({ gpuHoursPerMonth }) => gpuHoursPerMonth ?? "—",
    },
    {
      key: "money",
      head: t("queue.moneyMax"),
      align: "end",
      cell: ({ moneyPerMonth }) => <Money amount={moneyPerMonth} />,
    },
    { key: "at", head: t("queue.changed"), cell: ({ updatedAt }) => <When at={updatedAt} /> },
  ];
  return (
    <Stack>
      <Card title={t("queue.customerLimits")}>
        <Stack>
          <Select
            label={t("queue.customer")}
            placeholder={t("queue.chooseCustomer")}
            isSearchable
            isClearable
            choices={(tenants.data?.items ?? []).map(({ id, name }) => ({
              value: id,
              label: name,
            }))}
            value={customer}
            onChange={(next) => setSearch({ customer: next })}
          />
          {tenants.error === null ? null : <ProblemBox error={tenants.error} />}
          {customer === undefined ? (
            <Muted>{t("queue.limitsHelp")}</Muted>
          ) : (
            <>
              <DataTable
                label={t("queue.customerLimits")}
                pages={wholeList(limits, limits.data?.limits)}
                columns={columns}
                keyOf={keyOf}
                empty={<Muted>{t("queue.noLimits")}</Muted>}
              />
              <SetLimit key={customer} tenantId={customer} />
            </>
          )}
        </Stack>
      </Card>
      <Shares />
    </Stack>
  );
}

const amount = /^(?:0|[1-9][0-9]{0,9})(?:\.[0-9]{1,2})?$/;

function SetLimit({ tenantId }: { readonly tenantId: string }): ReactNode {
  const { t } = useText();
  const mayManage = useMay()("platform.manage");
  const [model, setModel] = useState("");
  const [gpus, setGpus] = useState<number>();
  const [hours, setHours] = useState<number>();
  const [money, setMoney] = useState("");
  const set = useAction("setLimit", {
    tenantId,
    onDone: () => toast({ tone: "good", title: t("queue.limitSet") }),
  });
  const body: Body = {
    ...(model === "" ? {} : { gpuModel: model }),
    ...(gpus === undefined ? {} : { gpusMax: gpus }),
    ...(hours === undefined ? {} : { gpuHoursPerMonth: hours }),
    ...(money === "" ? {} : { moneyPerMonth: money }),
  };
  const wrongMoney =
    money !== "" && !amount.test(money)
      ? t("queue.notAnAmount")
      : money !== "" && model !== ""
        ? t("queue.moneyOfAll")
        : undefined;
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (mayManage && wrongMoney === undefined) set.mutate({ body });
  };
  return (
    <form onSubmit={submit} noValidate aria-label={t("queue.setLimit")}>
      <Stack gap="sm">
        <Grid columns={4}>
          <TextField
            label={t("queue.model")}
            placeholder={t("queue.allGpus")}
            value={model}
            maxLength={32}
            error={fieldError(set.error, "gpuModel")}
            onChange={setModel}
          />
          <NumberField label={t("queue.gpusMax")} min={0} value={gpus} onChange={setGpus} />
          <NumberField label={t("queue.hoursMax")} min={0} value={hours} onChange={setHours} />
          <TextField
            label={t("queue.moneyMax")}
            value={money}
            maxLength={13}
            error={wrongMoney ?? fieldError(set.error, "moneyPerMonth")}
            onChange={setMoney}
          />
        </Grid>
        <Muted>{t("queue.setLimitHelp")}</Muted>
        {set.error === null ? null : <ProblemBox error={set.error} />}
        <Row>
          <Button
            type="submit"
            kind="primary"
            isBusy={set.isPending}
            disabledReason={mayManage ? wrongMoney : t("jobs.whyNot.permission")}
          >
            {t("queue.setLimit")}
          </Button>
          <ShowAsCli operation="setLimit" request={{ body }} />
        </Row>
      </Stack>
    </form>
  );
}

function keyOf({ projectId, gpuModel }: Limit): string {
  return `${projectId ?? ""} ${gpuModel ?? ""}`;
}
