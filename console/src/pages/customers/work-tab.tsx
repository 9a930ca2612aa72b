/** What the customer runs. Going to one of it is going as him: he is acted for, and a banner says so. */
import type { ReactNode } from "react";
import type { ItemOf } from "#client/types.ts";

import { usePages } from "#console/api/queries.ts";
import { DataTable, type Column } from "#console/components/data-table.tsx";
import { gpuText } from "#console/components/flavor.ts";
import { Money } from "#console/components/money.tsx";
import { oneOf, useSearchParams } from "#console/components/search-params.ts";
import { StateBadge } from "#console/components/state-badge.tsx";
import { When } from "#console/components/when.tsx";
import { useText } from "#console/i18n/index.ts";
import { useActFor } from "#console/shell/act-for.ts";
import { Button } from "#console/ui/button.tsx";
import { Switch } from "#console/ui/fields.tsx";
import { Row, Stack } from "#console/ui/layout.tsx";
import type { LinkTarget } from "#console/ui/link.tsx";
import { Heading, Muted } from "#console/ui/text.tsx";

import type { Tenant } from "./tenant.ts";

type Lease = ItemOf<"listLeases">;
type Job = ItemOf<"listJobs">;
type Go = (target: LinkTarget) => void;

const pageSize = 50;

export function WorkTab({ tenant }: { readonly tenant: Tenant }): ReactNode {
  const { t } = useText();
  const act = useActFor();
  const [{ released }, setSearch] = useSearchParams({ released: oneOf(["shown"]) });
  const { id, displayName, timeZone } = tenant;
  const go: Go = (target) => act({ id, name: displayName, timeZone }, target);
  const leases = usePages(
    "listLeases",
    { query: { limit: pageSize, released: released ?? "hidden" } },
    { everyMs: 30_000 },
  );
  const jobs = usePages("listJobs", { query: { limit: pageSize } }, { everyMs: 30_000 });
  return (
    <Stack>
      <Muted>{t("customers.workLead", { name: displayName })}</Muted>
      <Row justify="space-between">
        <Heading level={2}>{t("instances.title")}</Heading>
        <Row>
          <Switch
            label={t("instances.filterReleased")}
            isOn={released === "shown"}
            onChange={(isOn) => setSearch({ released: isOn ? "shown" : undefined })}
          />
          <Button size="xs" icon="right" onClick={() => go({ to: "/instances" })}>
            {t("customers.openAs")}
          </Button>
        </Row>
      </Row>
      <DataTable
        label={t("instances.title")}
        pages={leases}
        columns={useLeaseColumns(go)}
        keyOf={({ id: leaseId }) => leaseId}
        empty={<Muted>{t("customers.noLeases")}</Muted>}
      />
      <Row justify="space-between">
        <Heading level={2}>{t("jobs.title")}</Heading>
        <Button size="xs" icon="right" onClick={() => go({ to: "/jobs" })}>
          {t("customers.openAs")}
        </Button>
      </Row>
      <DataTable
        label={t("jobs.title")}
        pages={jobs}
        columns={useJobColumns(go)}
        keyOf={({ id: jobId }) => jobId}
        empty={<Muted>{t("customers.noJobs")}</Muted>}
      />
    </Stack>
  );
}

function useLeaseColumns(go: Go): readonly Column<Lease>[] {
  const { t } = useText();
  return [
    {
      key: "name",
      head: t("common.name"),
      isTitle: true,
      cell: ({ id, name }) => (
        <button
          type="button"
          className="link-button"
          onClick={() => go({ to: "/instances/$leaseId", params: { leaseId: id } })}
        >
          {name}
        </button>
      ),
    },
    {
      key: "state",
      head: t("common.state"),
      cell: ({ state, reason }) => <StateBadge of="lease" state={state} why={reason?.message} />,
    },
    { key: "flavor", head: t("instances.flavor"), cell: ({ flavor }) => flavor.name },
    {
      key: "gpu",
      head: t("instances.gpu"),
      cell: ({ flavor }) => (flavor.gpu === null ? "—" : gpuText(flavor.gpu)),
    },
    { key: "host", head: t("customers.host"), cell: ({ host }) => host ?? "—" },
    {
      key: "price",
      head: t("instances.price"),
      align: "end",
      cell: ({ price }) => <Money amount={price.hourly} />,
    },
    {
      key: "created",
      head: t("common.created"),
      cell: ({ createdAt }) => <When at={createdAt} />,
    },
  ];
}

function useJobColumns(go: Go): readonly Column<Job>[] {
  const { t } = useText();
  return [
    {
      key: "name",
      head: t("common.name"),
      isTitle: true,
      cell: ({ id, name }) => (
        <button
          type="button"
          className="link-button"
          onClick={() => go({ to: "/jobs/$jobId", params: { jobId: id } })}
        >
          <bdi>{name}</bdi>
        </button>
      ),
    },
    {
      key: "state",
      head: t("common.state"),
      cell: ({ state, reason }) => <StateBadge of="job" state={state} why={reason?.message} />,
    },
    { key: "flavor", head: t("instances.flavor"), cell: ({ flavor }) => flavor.name },
    {
      key: "attempts",
      head: t("customers.attempts"),
      align: "end",
      cell: ({ attempts }) => attempts.length,
    },
    {
      key: "created",
      head: t("common.created"),
      cell: ({ createdAt }) => <When at={createdAt} />,
    },
  ];
}
