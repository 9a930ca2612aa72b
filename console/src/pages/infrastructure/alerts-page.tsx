/** What the operator must look at. */
import type { ReactNode } from "react";
import type { ItemOf } from "#client/types.ts";

import { useAction, usePages } from "#console/api/queries.ts";
import { DataTable, type Column } from "#console/components/data-table.tsx";
import { EmptyState } from "#console/components/empty-state.tsx";
import { PageHead } from "#console/components/page-head.tsx";
import { oneOf, useSearchParams } from "#console/components/search-params.ts";
import { StateBadge } from "#console/components/state-badge.tsx";
import { When } from "#console/components/when.tsx";
import { useText } from "#console/i18n/index.ts";
import { useMay } from "#console/api/session.ts";
import { Button } from "#console/ui/button.tsx";
import { Segments } from "#console/ui/fields.tsx";
import { Stack } from "#console/ui/layout.tsx";
import { Muted } from "#console/ui/text.tsx";
import { toast } from "#console/ui/toast.tsx";

type Alert = ItemOf<"listAlerts">;

export function AlertsPage(): ReactNode {
  const { t, language } = useText();
  const [{ state = "open" }, setSearch] = useSearchParams({ state: oneOf(["open", "all"]) });
  const pages = usePages(
    "listAlerts",
    { query: { limit: 100, state, language } },
    { everyMs: 30_000 },
  );
  const columns: readonly Column<Alert>[] = [
    {
      key: "severity",
      head: t("infrastructure.alerts.severity"),
      cell: (alert) => <StateBadge of="severity" state={alert.severity} />,
    },
    {
      key: "text",
      head: t("infrastructure.alerts.what"),
      isTitle: true,
      cell: (alert) => (
        <Stack gap={0}>
          <span dir="auto" style={{ overflowWrap: "anywhere", whiteSpace: "normal" }}>
            {alert.text}
          </span>
          <Muted size="xs">{alert.kind}</Muted>
        </Stack>
      ),
    },
    {
      key: "seen",
      head: t("infrastructure.alerts.seen"),
      align: "end",
      cell: (alert) => alert.seen,
    },
    {
      key: "raised",
      head: t("infrastructure.alerts.raised"),
      cell: (alert) => <When at={alert.raisedAt} />,
    },
    {
      key: "last",
      head: t("infrastructure.alerts.last"),
      cell: (alert) => <When at={alert.lastSeenAt} />,
    },
    {
      key: "resolve",
      head: t("common.actions"),
      isHeadHidden: true,
      cell: (alert) => <Resolve alert={alert} />,
    },
  ];
  return (
    <>
      <PageHead
        title={t("infrastructure.alerts.title")}
        lead={t("infrastructure.alerts.lead")}
        actions={
          <Segments
            label={t("common.state")}
            value={state}
            onChange={(next) => setSearch({ state: next === "open" ? undefined : next })}
            choices={[
              { value: "open", label: t("infrastructure.alerts.open") },
              { value: "all", label: t("common.all") },
            ]}
          />
        }
      />
      <DataTable
        label={t("infrastructure.alerts.title")}
        pages={pages}
        columns={columns}
        keyOf={(alert) => alert.id}
        empty={
          <EmptyState
            icon="check"
            title={t("infrastructure.alerts.noneOpen")}
            text={t("infrastructure.alerts.noneText")}
          />
        }
      />
    </>
  );
}

function Resolve({ alert }: { readonly alert: Alert }): ReactNode {
  const { t, language } = useText();
  const may = useMay();
  const resolve = useAction("resolveAlert", {
    onDone: () => toast({ tone: "good", title: t("infrastructure.alerts.resolved") }),
  });
  if (alert.resolvedAt !== null) {
    return (
      <Muted>
        {t("infrastructure.alerts.resolvedBy", { name: alert.resolvedBy ?? "—" })}{" "}
        <When at={alert.resolvedAt} />
      </Muted>
    );
  }
  return (
    <Button
      size="xs"
      icon="check"
      isBusy={resolve.isPending}
      disabledReason={may("platform.manage") ? undefined : t("infrastructure.readOnly")}
      onClick={() => resolve.mutate({ params: { alertId: alert.id }, query: { language } })}
    >
      {t("infrastructure.alerts.resolve")}
    </Button>
  );
}
