/** All instances of the tenant or of the chosen project: the example of a page with a table. */
import { useState, type ReactNode } from "react";

import { usePages } from "#console/api/queries.ts";
import { BulkDialog, type BulkAction } from "#console/components/bulk.tsx";
import { CopyLine } from "#console/components/copy.tsx";
import { DataTable, type Column } from "#console/components/data-table.tsx";
import { EmptyState } from "#console/components/empty-state.tsx";
import { Money } from "#console/components/money.tsx";
import { PageHead } from "#console/components/page-head.tsx";
import { anyText, oneOf, useSearchParams } from "#console/components/search-params.ts";
import { StateBadge } from "#console/components/state-badge.tsx";
import { When } from "#console/components/when.tsx";
import { useText } from "#console/i18n/index.ts";
import { useProjectNames, useProjectQuery } from "#console/shell/project.tsx";
import { IconButton, LinkButton } from "#console/ui/button.tsx";
import { Select, TextField } from "#console/ui/fields.tsx";
import { TextLink } from "#console/ui/link.tsx";
import { Menu } from "#console/ui/overlay.tsx";
import { Muted } from "#console/ui/text.tsx";

import { useLeaseActions, type Lease } from "./actions.ts";

const leaseStates = [
  "queued",
  "creating",
  "running",
  "stopping",
  "stopped",
  "starting",
  "failed",
  "releasing",
  "released",
] as const satisfies readonly Lease["state"][];

const pageSize = 100;

export function InstancesPage(): ReactNode {
  const { t } = useText();
  const [filters, setFilters] = useSearchParams({ state: oneOf(leaseStates), name: anyText(63) });
  const project = useProjectQuery();
  const pages = usePages("listLeases", {
    query: {
      limit: pageSize,
      ...project,
      ...(filters.state === undefined ? {} : { state: filters.state }),
      ...(filters.name === undefined ? {} : { name: filters.name }),
    },
  });
  const actions = useLeaseActions();
  const columns = useColumns(actions);
  return (
    <>
      <PageHead
        title={t("instances.title")}
        lead={t("instances.lead")}
        actions={
          <LinkButton to="/instances/new" kind="primary" icon="plus">
            {t("instances.rent")}
          </LinkButton>
        }
      />
      <DataTable
        label={t("instances.title")}
        pages={pages}
        columns={columns}
        keyOf={idOf}
        nameOf={(lease) => lease.name}
        bulk={actions}
        isFiltered={filters.state !== undefined || filters.name !== undefined}
        onClearFilters={() => setFilters({ state: undefined, name: undefined })}
        filters={
          <div className="filters">
            <TextField
              label={t("instances.filterName")}
              value={filters.name ?? ""}
              maxLength={63}
              onChange={(name) => setFilters({ name })}
            />
            <Select
              label={t("instances.filterState")}
              placeholder={t("instances.anyState")}
              isClearable
              choices={leaseStates.map((value) => ({ value, label: t(`states.lease.${value}`) }))}
              value={filters.state}
              onChange={(state) => setFilters({ state })}
            />
          </div>
        }
        empty={
          <EmptyState
            icon="server"
            title={t("instances.emptyTitle")}
            text={t("instances.emptyText")}
            action={{ to: "/instances/new", label: t("instances.rent") }}
            command="millrace lease create my-machine --flavor small"
          />
        }
      />
    </>
  );
}

function useColumns(actions: readonly BulkAction<Lease>[]): readonly Column<Lease>[] {
  const { t } = useText();
  const nameOfProject = useProjectNames();
  return [
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
      cell: ({ flavor: { gpu } }) =>
        gpu === null ? (
          <Muted>{t("instances.noGpu")}</Muted>
        ) : (
          `${gpu.count} × ${gpu.model}${gpu.slice === 1 ? "" : ` 1/${gpu.slice}`}`
        ),
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
    { key: "created", head: t("common.created"), cell: (lease) => <When at={lease.createdAt} /> },
    {
      key: "actions",
      head: t("common.actions"),
      isHeadHidden: true,
      cell: (lease) => <LeaseMenu lease={lease} actions={actions} />,
    },
  ];
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

function idOf(lease: Lease): string {
  return lease.id;
}
