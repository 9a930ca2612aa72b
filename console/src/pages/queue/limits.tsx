/** What a customer may hold and use, and the share of a model that one customer may hold. */
import type { ReactNode } from "react";
import type { AnswerOf } from "#client/types.ts";

import { useApi, wholeList } from "#console/api/queries.ts";
import { DataTable, type Column } from "#console/components/data-table.tsx";
import { Money } from "#console/components/money.tsx";
import { ProblemBox } from "#console/components/problem-box.tsx";
import { anyText, useSearchParams } from "#console/components/search-params.ts";
import { When } from "#console/components/when.tsx";
import { useText } from "#console/i18n/index.ts";
import { Select } from "#console/ui/fields.tsx";
import { Card, Stack } from "#console/ui/layout.tsx";
import { Muted } from "#console/ui/text.tsx";

import { SetLimit } from "./set-limit.tsx";
import { Shares } from "./shares.tsx";

type Limit = AnswerOf<"listLimits">["limits"][number];

export function Limits(): ReactNode {
  const { t } = useText();
  const [{ customer }, setSearch] = useSearchParams({ customer: anyText(36) });
  const tenants = useApi("listTenants", { query: { limit: 200 } });
  const ofCustomer = { tenantId: customer, enabled: customer !== undefined };
  const limits = useApi("listLimits", {}, ofCustomer);
  const projects = useApi("listProjects", { query: { limit: 200 } }, ofCustomer);
  const nameOf = (id: string): string =>
    projects.data?.items.find((each) => each.id === id)?.name ?? id.slice(0, 8);
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
      cell: ({ projectId }) => (projectId === null ? t("common.all") : nameOf(projectId)),
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
              <SetLimit key={customer} tenantId={customer} projects={projects.data?.items ?? []} />
            </>
          )}
        </Stack>
      </Card>
      <Shares />
    </Stack>
  );
}

function keyOf({ projectId, gpuModel }: Limit): string {
  return `${projectId ?? ""} ${gpuModel ?? ""}`;
}
