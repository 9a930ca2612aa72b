/** Customers to look after: renewals, churn, promotions, reviews; and what was done about each. */
import type { ReactNode } from "react";

import { usePages } from "#console/api/queries.ts";
import { DataTable, type Column } from "#console/components/data-table.tsx";
import { EmptyState } from "#console/components/empty-state.tsx";
import { PageHead } from "#console/components/page-head.tsx";
import { oneOf, useSearchParams } from "#console/components/search-params.ts";
import { When } from "#console/components/when.tsx";
import { useText } from "#console/i18n/index.ts";
import { Segments } from "#console/ui/fields.tsx";
import { Stack } from "#console/ui/layout.tsx";
import { TextLink } from "#console/ui/link.tsx";
import { Muted } from "#console/ui/text.tsx";

import { SignBadge } from "./badges.tsx";
import { FinishButton, type Task } from "./task-list.tsx";

export function TasksPage(): ReactNode {
  const { t, language } = useText();
  const [{ state = "open" }, setSearch] = useSearchParams({ state: oneOf(["open", "all"]) });
  const pages = usePages("listCustomerTasks", { query: { limit: 50, state, language } });
  const columns: readonly Column<Task>[] = [
    {
      key: "customer",
      head: t("customers.one"),
      isTitle: true,
      cell: ({ tenantId, tenant }) => (
        <TextLink to="/operate/customers/$tenantId" params={{ tenantId }}>
          <bdi>{tenant}</bdi>
        </TextLink>
      ),
    },
    {
      key: "sign",
      head: t("customers.signs"),
      cell: ({ kind }) => <SignBadge sign={kind} />,
    },
    { key: "why", head: t("customers.why"), cell: ({ text }) => text },
    {
      key: "since",
      head: t("selling.since"),
      cell: ({ createdAt }) => <When at={createdAt} />,
    },
    {
      key: "done",
      head: t("selling.done"),
      cell: (task) =>
        task.doneAt === null ? (
          <FinishButton task={task} />
        ) : (
          <Stack gap={0}>
            <bdi>{task.note}</bdi>
            <Muted size="xs">
              {task.doneBy}, <When at={task.doneAt} />
            </Muted>
          </Stack>
        ),
    },
  ];
  return (
    <>
      <PageHead
        title={t("selling.tasks")}
        lead={t("selling.tasksLead")}
        actions={
          <Segments
            label={t("common.state")}
            value={state}
            onChange={(next) => setSearch({ state: next === "open" ? undefined : next })}
            choices={[
              { value: "open", label: t("selling.open") },
              { value: "all", label: t("common.all") },
            ]}
          />
        }
      />
      <DataTable
        label={t("selling.tasks")}
        pages={pages}
        columns={columns}
        keyOf={({ id }) => id}
        empty={
          <EmptyState
            icon="check"
            title={t("selling.noTasksTitle")}
            text={t("selling.noTasksText")}
            command="millrace task list"
          />
        }
      />
    </>
  );
}
