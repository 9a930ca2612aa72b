/** The customer's home: what runs, what it costs, what is left, what to do next. */
import { Navigate } from "@tanstack/react-router";
import type { ReactNode } from "react";

import { acting } from "#console/api/acting.ts";
import { useApi } from "#console/api/queries.ts";
import { useStore } from "#console/api/store.ts";
import { EmptyState } from "#console/components/empty-state.tsx";
import { PageHead } from "#console/components/page-head.tsx";
import { useText } from "#console/i18n/index.ts";
import { useMay } from "#console/api/session.ts";
import { useProjectQuery } from "#console/shell/project.tsx";
import { LinkButton } from "#console/ui/button.tsx";
import { Grid, Stack } from "#console/ui/layout.tsx";

import { BalanceCard, SpendCard } from "./money-cards.tsx";
import { NextSteps } from "./next-steps.tsx";
import { ExpiryCard, QuotaCard } from "./room-cards.tsx";
import { RunsCard } from "./runs-card.tsx";

export function HomePage(): ReactNode {
  const isOwnTenant = useStore(acting) === undefined;
  const isOperator = useMay()("platform.read") && isOwnTenant;
  // Whoever runs the cloud looks after it first; as a customer he comes by acting for one.
  return isOperator ? <Navigate to="/operate" replace /> : <CustomerHome />;
}

function CustomerHome(): ReactNode {
  const { t } = useText();
  const may = useMay();
  const project = useProjectQuery();
  // One of any state is enough to know that the account is not empty.
  const any = useApi("listLeases", { query: { limit: 1, ...project } });
  const anyJob = useApi("listJobs", { query: { limit: 1, ...project } });
  const isEmpty = any.data?.items.length === 0 && anyJob.data?.items.length === 0;
  return (
    <>
      <PageHead
        title={t("home.title")}
        actions={
          isEmpty || !may("compute.use") ? undefined : (
            <LinkButton to="/offers" kind="primary" icon="plus">
              {t("instances.rent")}
            </LinkButton>
          )
        }
      />
      <Stack>
        {isEmpty ? (
          <EmptyState
            icon="server"
            title={t("home.emptyTitle")}
            text={t("home.emptyText")}
            action={{ to: "/offers", label: t("home.emptyButton") }}
            command="millrace lease create my-machine --flavor small"
          />
        ) : null}
        <Grid columns={3}>
          {isEmpty ? null : <RunsCard />}
          <SpendCard />
          <BalanceCard />
          <QuotaCard />
          <ExpiryCard />
          <NextSteps />
        </Grid>
      </Stack>
    </>
  );
}
