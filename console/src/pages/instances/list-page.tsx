/** All instances of the tenant or of the chosen project: the example of a page with a table. */
import type { ReactNode } from "react";

import { usePages } from "#console/api/queries.ts";
import { DataTable } from "#console/components/data-table.tsx";
import { EmptyState } from "#console/components/empty-state.tsx";
import { PageHead } from "#console/components/page-head.tsx";
import { anyText, oneOf, useSearchParams } from "#console/components/search-params.ts";
import { useText } from "#console/i18n/index.ts";
import { useProjectQuery } from "#console/shell/project.tsx";
import { LinkButton } from "#console/ui/button.tsx";
import { Select, Switch, TextField } from "#console/ui/fields.tsx";

import { useLeaseActions, type Lease } from "./actions.ts";
import { useLeaseColumns } from "./list-columns.tsx";

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
  const [filters, setFilters] = useSearchParams({
    state: oneOf(leaseStates),
    name: anyText(63),
    released: oneOf(["shown"]),
  });
  const project = useProjectQuery();
  const pages = usePages("listLeases", {
    query: {
      limit: pageSize,
      ...project,
      released: filters.released ?? "hidden",
      ...(filters.state === undefined ? {} : { state: filters.state }),
      ...(filters.name === undefined ? {} : { nameHas: filters.name }),
    },
  });
  const actions = useLeaseActions();
  const columns = useLeaseColumns(actions);
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
        isFiltered={Object.values(filters).some((value) => value !== undefined)}
        onClearFilters={() =>
          setFilters({ state: undefined, name: undefined, released: undefined })
        }
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
            <Switch
              label={t("instances.filterReleased")}
              isOn={filters.released === "shown"}
              onChange={(isOn) => setFilters({ released: isOn ? "shown" : undefined })}
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

function idOf(lease: Lease): string {
  return lease.id;
}
