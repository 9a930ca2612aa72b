/** What the list says of an instance, and its menu. */
import { useMemo, useState, type ReactNode } from "react";

import { useApi } from "#console/api/queries.ts";
import { BulkDialog, type BulkAction } from "#console/components/bulk.tsx";
import { CopyLine } from "#console/components/copy.tsx";
import type { Column } from "#console/components/data-table.tsx";
import { gpuText } from "#console/components/flavor.ts";
import { Gauge } from "#console/components/gauge.tsx";
import { Money } from "#console/components/money.tsx";
import { StateBadge } from "#console/components/state-badge.tsx";
import { When } from "#console/components/when.tsx";
import { useText } from "#console/i18n/index.ts";
import { useProjectNames } from "#console/shell/project.tsx";
import { IconButton } from "#console/ui/button.tsx";
import { TextLink } from "#console/ui/link.tsx";
import { Menu } from "#console/ui/overlay.tsx";
import { Muted } from "#console/ui/text.tsx";

import type { Lease } from "./actions.ts";
import { useSubscriptions } from "./subscription-of.ts";

export function useLeaseColumns(actions: readonly BulkAction<Lease>[]): readonly Column<Lease>[] {
  const { t } = useText();
  const nameOfProject = useProjectNames();
  const subscriptionOf = useSubscriptions(true);
  return useMemo(
    () => [
      {
        key: "name",
        head: t("common.name"),
        isTitle: true,
        cell: (lease) => (
          <TextLink to="/instances/$leaseId" params={{ leaseId: lease.id }}>
            {lease.name}
          </TextLink>
        ),
      },
      {
        key: "state",
        head: t("common.state"),
        cell: (lease) => <StateBadge of="lease" state={lease.state} why={lease.reason?.message} />,
      },
      { key: "flavor", head: t("instances.flavor"), cell: (lease) => lease.flavor.name },
      {
        key: "gpu",
        head: t("instances.gpu"),
        cell: (lease) => <GpuCell lease={lease} />,
      },
      {
        key: "ssh",
        head: t("instances.ssh"),
        cell: (lease) => {
          const ssh = lease.endpoints.find((endpoint) => endpoint.service === "ssh");
          return ssh === undefined ? (
            <Muted>{lease.state === "running" ? "—" : t("instances.noSsh")}</Muted>
          ) : (
            <CopyLine text={ssh.command} />
          );
        },
      },
      {
        key: "price",
        head: t("instances.price"),
        align: "end",
        cell: (lease) => <Money amount={lease.price.hourly} />,
      },
      {
        key: "project",
        head: t("instances.project"),
        cell: (lease) => nameOfProject(lease.projectId),
      },
      {
        key: "owner",
        head: t("instances.owner"),
        cell: ({ owner }) => owner.name ?? t("instances.operatorOwns"),
      },
      {
        key: "expiry",
        head: t("instances.expiry"),
        cell: (lease) => <When at={subscriptionOf(lease.id)?.paidUntil} />,
      },
      { key: "created", head: t("common.created"), cell: (lease) => <When at={lease.createdAt} /> },
      {
        key: "actions",
        head: t("common.actions"),
        isHeadHidden: true,
        cell: (lease) => <LeaseMenu lease={lease} actions={actions} />,
      },
    ],
    [t, actions, nameOfProject, subscriptionOf],
  );
}

/** How busy the GPU is, where the platform watches it; asked for what runs and is in view only. */
function GpuCell({ lease }: { readonly lease: Lease }): ReactNode {
  const { t } = useText();
  const { gpu } = lease.flavor;
  const idleness = useApi(
    "getLeaseIdleness",
    { params: { leaseId: lease.id } },
    { enabled: gpu !== null && lease.state === "running", everyMs: 60_000 },
  );
  if (gpu === null) return <Muted>{t("instances.noGpu")}</Muted>;
  const percent = idleness.data?.signals.find(({ signal }) => signal === "gpu")?.value ?? null;
  return (
    <>
      {gpuText(gpu)}
      {percent === null ? null : <Gauge share={percent / 100} label={t("instances.gpuUse")} />}
    </>
  );
}

function LeaseMenu({
  lease,
  actions,
}: {
  readonly lease: Lease;
  readonly actions: readonly BulkAction<Lease>[];
}): ReactNode {
  const { t } = useText();
  const [asked, setAsked] = useState<BulkAction<Lease>>();
  return (
    <>
      <Menu
        trigger={<IconButton icon="more" label={t("instances.actionsOf", { name: lease.name })} />}
        entries={actions.map((action) => ({
          kind: "action",
          icon: action.icon,
          label: action.label,
          isDangerous: action.isDangerous === true,
          disabledReason: action.refuse(lease),
          run: () => setAsked(action),
        }))}
      />
      {asked === undefined ? null : (
        <BulkDialog
          action={asked}
          items={[lease]}
          nameOf={({ name }) => name}
          onClose={() => setAsked(undefined)}
        />
      )}
    </>
  );
}
