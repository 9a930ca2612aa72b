/** Applications for compute of all customers: what they need, and what sales thinks of it. */
import type { ReactNode } from "react";

import { usePages } from "#console/api/queries.ts";
import { DataTable } from "#console/components/data-table.tsx";
import { EmptyState } from "#console/components/empty-state.tsx";
import { PageHead } from "#console/components/page-head.tsx";
import { oneOf, useSearchParams } from "#console/components/search-params.ts";
import { useText } from "#console/i18n/index.ts";
import { Segments } from "#console/ui/fields.tsx";

import { useApplicationColumns } from "./application-columns.tsx";

const states = ["submitted", "rated", "withdrawn", "all"] as const;

export function ApplicationsPage(): ReactNode {
  const { t } = useText();
  const [{ state = "submitted" }, setSearch] = useSearchParams({ state: oneOf(states) });
  const pages = usePages("listAllApplications", {
    query: { limit: 50, ...(state === "all" ? {} : { state }) },
  });
  return (
    <>
      <PageHead
        title={t("selling.applications")}
        lead={t("selling.applicationsLead")}
        actions={
          <Segments
            label={t("common.state")}
            value={state}
            onChange={(next) => setSearch({ state: next === "submitted" ? undefined : next })}
            choices={states.map((value) => ({
              value,
              label: value === "all" ? t("common.all") : t(`selling.applicationState.${value}`),
            }))}
          />
        }
      />
      <DataTable
        label={t("selling.applications")}
        pages={pages}
        columns={useApplicationColumns()}
        keyOf={({ id }) => id}
        empty={
          <EmptyState
            icon="check"
            title={t(
              state === "submitted" ? "selling.noneToRateTitle" : "selling.noApplicationsTitle",
            )}
            text={t("selling.noApplicationsText")}
            command="millrace application list --all"
          />
        }
      />
    </>
  );
}
