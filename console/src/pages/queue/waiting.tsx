/** Who waits, over all customers, in the order in which they start. */
import type { ReactNode } from "react";
import type { ItemOf } from "#client/types.ts";

import { useApi, usePages } from "#console/api/queries.ts";
import { DataTable, type Column } from "#console/components/data-table.tsx";
import { EmptyState } from "#console/components/empty-state.tsx";
import { anyText, useSearchParams } from "#console/components/search-params.ts";
import { When } from "#console/components/when.tsx";
import { useText } from "#console/i18n/index.ts";
import { useReasonText } from "#console/pages/jobs/reason.tsx";
import { Badge } from "#console/ui/feedback.tsx";
import { Select } from "#console/ui/fields.tsx";
import { Muted, Text } from "#console/ui/text.tsx";

type Entry = ItemOf<"listQueue">;

const pageSize = 100;
/** Events are of one's own tenant; this is of all. */
const everyMs = 5000;

export function Waiting(): ReactNode {
  const { t } = useText();
  const [{ pool }, setFilters] = useSearchParams({ pool: anyText(63) });
  const pages = usePages(
    "listQueue",
    { query: { limit: pageSize, ...(pool === undefined ? {} : { pool }) } },
    { everyMs },
  );
  const hosts = useApi("listHosts", { query: { limit: 200 } });
  const models = (hosts.data?.items ?? []).flatMap(({ gpus }) => gpus.map(({ model }) => model));
  const pools = [...new Set([...models, "cpu", ...(pool === undefined ? [] : [pool])])].toSorted();
  return (
    <DataTable
      label={t("queue.tab.waiting")}
      pages={pages}
      columns={useColumns()}
      keyOf={idOf}
      nameOf={({ name }) => name}
      isFiltered={pool !== undefined}
      onClearFilters={() => setFilters({ pool: undefined })}
      filters={
        <div className="filters">
          <Select
            label={t("queue.pool")}
            placeholder={t("common.all")}
            isClearable
            choices={pools.map((value) => ({ value, label: value === "cpu" ? "CPU" : value }))}
            value={pool}
            onChange={(next) => setFilters({ pool: next })}
          />
        </div>
      }
      empty={
        <EmptyState
          icon="queue"
          title={t("queue.emptyTitle")}
          text={t("queue.emptyText")}
          command="millrace queue list"
        />
      }
    />
  );
}

function useColumns(): readonly Column<Entry>[] {
  const { t } = useText();
  const reasonText = useReasonText();
  return [
    {
      key: "place",
      head: t("queue.place"),
      cell: ({ pool, position, waiting, state }) => (
        <span className="tabular nowrap">
          {pool === "cpu" ? "CPU" : pool}{" "}
          {position === null || waiting === null
            ? t(`queue.state.${state}`)
            : t("jobs.placeOf", { position, waiting })}
        </span>
      ),
    },
    {
      key: "what",
      head: t("queue.what"),
      isTitle: true,
      cell: ({ kind, name, members }) => (
        <>
          {name} <Badge>{t(`queue.kind.${kind}`)}</Badge>{" "}
          {members > 1 ? <Badge>{t("queue.members", { count: members })}</Badge> : null}
        </>
      ),
    },
    { key: "tenant", head: t("queue.customer"), cell: ({ tenant }) => tenant },
    {
      key: "class",
      head: t("jobs.class"),
      cell: ({ workClass }) => <span className="nowrap">{t(`jobs.classes.${workClass}`)}</span>,
    },
    {
      key: "flavor",
      head: t("jobs.flavor"),
      cell: ({ flavor }) => <span className="nowrap">{flavor}</span>,
    },
    { key: "asked", head: t("jobs.asked"), cell: ({ askedAt }) => <When at={askedAt} /> },
    {
      key: "likely",
      head: t("jobs.likely"),
      cell: ({ start }) =>
        start === null || start.likely === null ? (
          <Muted>{t("jobs.nobodyKnows")}</Muted>
        ) : (
          <>
            <When at={start.likely} />
            <Muted size="xs">
              {" "}
              (<When at={start.earliest} how="time" />–
              {start.latest === null ? "?" : <When at={start.latest} how="absolute" />})
            </Muted>
          </>
        ),
    },
    {
      key: "why",
      head: t("queue.why"),
      cell: ({ reason }) =>
        reason === null ? <Muted>—</Muted> : <Text size="xs">{reasonText(reason)}</Text>,
    },
  ];
}

function idOf({ requestId }: Entry): string {
  return requestId;
}
