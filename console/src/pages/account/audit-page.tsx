/** Who did what, newest first: filters in the address, the whole entry in a drawer. */
import { useState, type ReactNode } from "react";
import type { ItemOf } from "#client/types.ts";

import { usePages } from "#console/api/queries.ts";
import { CodeBlock, CopyLine } from "#console/components/copy.tsx";
import { DataTable, type Column } from "#console/components/data-table.tsx";
import { EmptyState } from "#console/components/empty-state.tsx";
import { PageHead } from "#console/components/page-head.tsx";
import { anyText, dayText, oneOf, useSearchParams } from "#console/components/search-params.ts";
import { When } from "#console/components/when.tsx";
import { useText } from "#console/i18n/index.ts";
import { useTimeZone } from "#console/api/session.ts";
import { IconButton } from "#console/ui/button.tsx";
import { Badge } from "#console/ui/feedback.tsx";
import { DateField, Select, TextField } from "#console/ui/fields.tsx";
import { Facts, Stack } from "#console/ui/layout.tsx";
import { Drawer } from "#console/ui/dialog.tsx";
import { Code, Heading } from "#console/ui/text.tsx";

import { dayBegin, dayEnd } from "./zone-days.ts";

type Entry = ItemOf<"listAudit">;

const outcomes = ["done", "refused"] as const;
const spec = {
  actor: anyText(200),
  action: anyText(200),
  target: anyText(200),
  outcome: oneOf(outcomes),
  request: anyText(200),
  from: dayText,
  through: dayText,
};

export function AuditPage(): ReactNode {
  const { t } = useText();
  const timeZone = useTimeZone();
  const [filters, setFilters] = useSearchParams(spec);
  const [shown, setShown] = useState<Entry>();
  const { actor, action, target, outcome, request, from, through } = filters;
  const pages = usePages("listAudit", {
    query: {
      limit: 100,
      ...trimmed("actor", actor),
      ...trimmed("action", action),
      ...trimmed("target", target),
      ...trimmed("requestId", request),
      ...(outcome === undefined ? {} : { outcome }),
      ...(from === undefined ? {} : { since: dayBegin(from, timeZone) }),
      ...(through === undefined ? {} : { until: dayEnd(through, timeZone) }),
    },
  });
  const columns: readonly Column<Entry>[] = [
    {
      key: "at",
      head: t("account.audit.at"),
      cell: (entry) => <When at={entry.at} how="absolute" />,
    },
    {
      key: "actor",
      head: t("account.audit.actor"),
      cell: (entry) => <bdi>{entry.actor}</bdi>,
    },
    {
      key: "action",
      head: t("account.audit.action"),
      isTitle: true,
      cell: (entry) => <Code>{entry.action}</Code>,
    },
    {
      key: "target",
      head: t("account.audit.target"),
      cell: (entry) => (
        <bdi style={{ overflowWrap: "anywhere", whiteSpace: "normal" }}>{entry.target ?? "—"}</bdi>
      ),
    },
    {
      key: "outcome",
      head: t("account.audit.outcome"),
      cell: (entry) => <Outcome of={entry.outcome} />,
    },
    {
      key: "more",
      head: t("common.details"),
      isHeadHidden: true,
      cell: (entry) => (
        <IconButton
          icon="right"
          label={t("account.audit.detailsOf", { action: entry.action })}
          onClick={() => setShown(entry)}
        />
      ),
    },
  ];
  const isFiltered = Object.values(filters).some((value) => value !== undefined);
  return (
    <>
      <PageHead title={t("account.audit.title")} lead={t("account.audit.lead")} />
      <DataTable
        label={t("account.audit.title")}
        pages={pages}
        columns={columns}
        keyOf={(entry) => entry.id}
        isFiltered={isFiltered}
        onClearFilters={() =>
          setFilters({
            actor: undefined,
            action: undefined,
            target: undefined,
            outcome: undefined,
            request: undefined,
            from: undefined,
            through: undefined,
          })
        }
        filters={<Filters filters={filters} setFilters={setFilters} />}
        empty={<EmptyState icon="list" title={t("account.audit.empty")} />}
      />
      <Drawer
        isOpen={shown !== undefined}
        onClose={() => setShown(undefined)}
        title={shown?.action ?? ""}
        closeLabel={t("common.close")}
        size="lg"
      >
        {shown === undefined ? null : <Details entry={shown} />}
      </Drawer>
    </>
  );
}

type Filtered = { readonly [K in keyof typeof spec]: ReturnType<(typeof spec)[K]> | undefined };

function Filters({
  filters,
  setFilters,
}: {
  readonly filters: Filtered;
  readonly setFilters: (changes: { readonly [K in keyof Filtered]?: string | undefined }) => void;
}): ReactNode {
  const { t } = useText();
  return (
    <div className="filters">
      {(["actor", "action", "target", "request"] as const).map((key) => (
        <TextField
          key={key}
          label={t(`account.audit.${key}`)}
          value={filters[key] ?? ""}
          maxLength={200}
          {...(key === "action" ? { placeholder: "lease" } : {})}
          onChange={(value) => setFilters({ [key]: orNone(value) })}
        />
      ))}
      <Select
        label={t("account.audit.outcome")}
        placeholder={t("common.all")}
        isClearable
        choices={outcomes.map((value) => ({ value, label: t(`account.audit.${value}`) }))}
        value={filters.outcome}
        onChange={(outcome) => setFilters({ outcome })}
      />
      <DateField
        label={t("common.range.from")}
        value={filters.from ?? ""}
        onChange={(from) => setFilters({ from: orNone(from) })}
      />
      <DateField
        label={t("common.range.through")}
        value={filters.through ?? ""}
        onChange={(through) => setFilters({ through: orNone(through) })}
      />
    </div>
  );
}

function Outcome({ of }: { readonly of: Entry["outcome"] }): ReactNode {
  const { t } = useText();
  return of === "done" ? (
    <Badge tone="good" icon="check">
      {t("account.audit.done")}
    </Badge>
  ) : (
    <Badge tone="attention" icon="alert">
      {t("account.audit.refused")}
    </Badge>
  );
}

function Details({ entry }: { readonly entry: Entry }): ReactNode {
  const { t } = useText();
  return (
    <Stack>
      <Facts
        rows={[
          [t("account.audit.at"), <When key="at" at={entry.at} how="both" />],
          [t("account.audit.actor"), <bdi key="actor">{entry.actor}</bdi>],
          [t("account.audit.outcome"), <Outcome key="outcome" of={entry.outcome} />],
          [t("account.audit.target"), copied(entry.target)],
          [t("account.audit.request"), copied(entry.requestId)],
          [t("account.audit.key"), copied(entry.keyId)],
          [t("account.audit.session"), copied(entry.sessionId)],
        ]}
      />
      <Heading level={3}>{t("common.details")}</Heading>
      <CodeBlock wraps text={JSON.stringify(entry.details, null, 2)} />
    </Stack>
  );
}

function orNone(value: string): string | undefined {
  return value === "" ? undefined : value;
}

function copied(text: string | null): ReactNode {
  return text === null ? "—" : <CopyLine text={text} />;
}

function trimmed(name: string, text: string | undefined): Record<string, string> {
  return text === undefined || text.trim() === "" ? {} : { [name]: text.trim() };
}
