/** One instance: its head with what may be done to it, and tabs that are in the address. */
import type { ReactNode } from "react";

import { useApi } from "#console/api/queries.ts";
import { PageHead } from "#console/components/page-head.tsx";
import { ProblemBox } from "#console/components/problem-box.tsx";
import { oneOf, usePathParam, useSearchParams } from "#console/components/search-params.ts";
import { StateBadge } from "#console/components/state-badge.tsx";
import { useText } from "#console/i18n/index.ts";
import { Skeleton } from "#console/ui/feedback.tsx";
import { Stack } from "#console/ui/layout.tsx";
import { Tabs } from "#console/ui/tabs.tsx";

import type { Lease } from "./actions.ts";
import { ApiTab } from "./api-tab.tsx";
import { ConsoleTab } from "./console-tab.tsx";
import { CostTab } from "./cost-tab.tsx";
import { EventsTab } from "./events-tab.tsx";
import { IdleNotice } from "./idle-notice.tsx";
import { LeaseButtons } from "./lease-buttons.tsx";
import { MetricsTab } from "./metrics-tab.tsx";
import { OverviewTab } from "./overview-tab.tsx";
import { SnapshotsTab } from "./snapshots-tab.tsx";
import { StorageTab } from "./storage-tab.tsx";

const tabNames = [
  "overview",
  "console",
  "metrics",
  "storage",
  "snapshots",
  "events",
  "cost",
  "api",
] as const;

const content: Readonly<Record<(typeof tabNames)[number], (lease: Lease) => ReactNode>> = {
  overview: (lease) => <OverviewTab lease={lease} />,
  console: (lease) => <ConsoleTab lease={lease} />,
  metrics: (lease) => <MetricsTab lease={lease} />,
  storage: (lease) => <StorageTab lease={lease} />,
  snapshots: (lease) => <SnapshotsTab lease={lease} />,
  events: (lease) => <EventsTab lease={lease} />,
  cost: (lease) => <CostTab lease={lease} />,
  api: (lease) => <ApiTab lease={lease} />,
};

/** For what no event tells: the place in the queue, what a platform changes by itself. */
const everyMs = 20_000;

export function InstancePage(): ReactNode {
  const { t } = useText();
  const leaseId = usePathParam("leaseId");
  const [{ tab = "overview" }, setSearch] = useSearchParams({ tab: oneOf(tabNames) });
  const lease = useApi("getLease", { params: { leaseId } }, { everyMs });
  const parent = { to: "/instances", label: t("instances.title") };
  if (lease.data === undefined) {
    return (
      <>
        <PageHead title={t("lease.title")} parent={parent} />
        {lease.error === null ? (
          <Skeleton lines={8} label={t("common.loading")} />
        ) : (
          <ProblemBox error={lease.error} onRetry={() => void lease.refetch()} />
        )}
      </>
    );
  }
  const { data } = lease;
  return (
    <>
      <PageHead
        title={data.name}
        parent={parent}
        badge={<StateBadge of="lease" state={data.state} />}
        actions={<LeaseButtons lease={data} />}
      />
      <Stack>
        {lease.error === null ? null : (
          <ProblemBox error={lease.error} onRetry={() => void lease.refetch()} />
        )}
        <IdleNotice lease={data} />
        <Tabs
          label={t("lease.tabs")}
          value={tab}
          onChange={(next) => setSearch({ tab: next === "overview" ? undefined : next }, "step")}
          tabs={tabNames.map((value) => ({
            value,
            label: t(`lease.tab.${value}`),
            content: () => (value === tab ? content[value](data) : null),
          }))}
        />
      </Stack>
    </>
  );
}
