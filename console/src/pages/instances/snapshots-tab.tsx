/** Snapshots of its disk: made, gone back to, removed; those that outlive an idle instance are rented again. */
import { useState, type ReactNode } from "react";
import type { ItemOf } from "#client/types.ts";

import { usePages } from "#console/api/queries.ts";
import { useMay } from "#console/api/session.ts";
import { DataTable, type Column } from "#console/components/data-table.tsx";
import { EmptyState } from "#console/components/empty-state.tsx";
import { bytesText } from "#console/components/flavor.ts";
import { ShowAsCli } from "#console/components/show-as-cli.tsx";
import { StateBadge } from "#console/components/state-badge.tsx";
import { When } from "#console/components/when.tsx";
import { useText } from "#console/i18n/index.ts";
import { Button, IconButton } from "#console/ui/button.tsx";
import { Row, Stack } from "#console/ui/layout.tsx";
import { Menu } from "#console/ui/overlay.tsx";

import type { Lease } from "./actions.ts";
import { CreateSnapshot, SnapshotDialog, type SnapshotAction } from "./snapshot-dialogs.tsx";

export type Snapshot = ItemOf<"listSnapshots">;

export function SnapshotsTab({ lease }: { readonly lease: Lease }): ReactNode {
  const { t } = useText();
  const mayUse = useMay()("compute.use");
  const [isCreating, setCreating] = useState(false);
  const params = { leaseId: lease.id };
  const pages = usePages("listSnapshots", { params, query: { limit: 100 } });
  const refusal = !mayUse
    ? t("instances.whyNot.permission")
    : lease.state === "running" || lease.state === "stopped"
      ? undefined
      : t("lease.snapshotNeeds", { state: t(`states.lease.${lease.state}`) });
  const create = (
    <Button
      kind="primary"
      icon="snapshot"
      disabledReason={refusal}
      onClick={() => setCreating(true)}
    >
      {t("lease.createSnapshot")}
    </Button>
  );
  return (
    <Stack gap="sm">
      {pages.items.length === 0 ? null : (
        <Row justify="space-between">
          {create}
          <ShowAsCli
            operation="createSnapshot"
            request={{ params, body: { name: "NAME" } }}
            command={`millrace snapshot create ${lease.name} NAME`}
          />
        </Row>
      )}
      <DataTable
        label={t("lease.tab.snapshots")}
        pages={pages}
        columns={useColumns(lease)}
        keyOf={idOf}
        nameOf={(snapshot) => snapshot.name}
        empty={
          <EmptyState
            icon="snapshot"
            title={t("lease.noSnapshots")}
            text={t("lease.noSnapshotsText")}
            action={create}
            command={`millrace snapshot create ${lease.name} before-update`}
          />
        }
      />
      {isCreating ? <CreateSnapshot lease={lease} onClose={() => setCreating(false)} /> : null}
    </Stack>
  );
}

function useColumns(lease: Lease): readonly Column<Snapshot>[] {
  const { t } = useText();
  return [
    { key: "name", head: t("common.name"), isTitle: true, cell: ({ name }) => name },
    {
      key: "state",
      head: t("common.state"),
      cell: ({ state, reason }) => <StateBadge of="snapshot" state={state} why={reason?.message} />,
    },
    {
      key: "memory",
      head: t("lease.withMemory"),
      cell: ({ withMemory }) => (withMemory ? t("common.yes") : t("common.no")),
    },
    {
      key: "size",
      head: t("lease.snapshotSize"),
      align: "end",
      cell: ({ sizeBytes }) => (sizeBytes === null ? "—" : bytesText(sizeBytes)),
    },
    { key: "created", head: t("common.created"), cell: ({ createdAt }) => <When at={createdAt} /> },
    {
      key: "kept",
      head: t("lease.keptUntil"),
      cell: ({ keptUntil }) =>
        keptUntil === null ? t("lease.keptWithLease") : <When at={keptUntil} how="both" />,
    },
    {
      key: "actions",
      head: t("common.actions"),
      isHeadHidden: true,
      cell: (snapshot) => <SnapshotMenu lease={lease} snapshot={snapshot} />,
    },
  ];
}

function SnapshotMenu({
  lease,
  snapshot,
}: {
  readonly lease: Lease;
  readonly snapshot: Snapshot;
}): ReactNode {
  const { t } = useText();
  const mayUse = useMay()("compute.use");
  const [asked, setAsked] = useState<SnapshotAction>();
  const refuse = (action: SnapshotAction): string | undefined => {
    if (!mayUse) return t("instances.whyNot.permission");
    if (snapshot.state !== "ready" && action !== "delete") return t("lease.snapshotNotReady");
    if (action === "restore" && snapshot.keptUntil === null) return t("lease.restoreOnlyIdle");
    const isThere = lease.state === "running" || lease.state === "stopped";
    if (action === "revert" && !isThere) {
      return t("lease.snapshotNeeds", { state: t(`states.lease.${lease.state}`) });
    }
    return undefined;
  };
  const rows = [
    ["revert", "refresh"],
    ["restore", "plus"],
    ["delete", "trash"],
  ] as const;
  return (
    <>
      <Menu
        trigger={
          <IconButton icon="more" label={t("instances.actionsOf", { name: snapshot.name })} />
        }
        entries={rows.map(([action, icon]) => ({
          kind: "action",
          icon,
          label: t(`lease.snapshotAction.${action}`),
          isDangerous: action !== "restore",
          disabledReason: refuse(action),
          run: () => setAsked(action),
        }))}
      />
      {asked === undefined ? null : (
        <SnapshotDialog
          action={asked}
          lease={lease}
          snapshot={snapshot}
          onClose={() => setAsked(undefined)}
        />
      )}
    </>
  );
}

function idOf({ id }: Snapshot): string {
  return id;
}
