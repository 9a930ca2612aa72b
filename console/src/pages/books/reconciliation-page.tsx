/** Whether machines, usage, log, bills and books say the same; each check by itself. */
import type { ReactNode } from "react";

import { PageHead } from "#console/components/page-head.tsx";
import { useText } from "#console/i18n/index.ts";
import { Grid, Stack } from "#console/ui/layout.tsx";

import { AlertsNotice } from "./alerts-notice.tsx";
import { AllocationCard } from "./allocation-card.tsx";
import { BillsCard } from "./bills-card.tsx";
import { HeldCard } from "./held-card.tsx";
import { LedgerCard } from "./ledger-card.tsx";
import { LogCard } from "./log-card.tsx";
import { UsageCard } from "./usage-card.tsx";

export function ReconciliationPage(): ReactNode {
  const { t } = useText();
  return (
    <>
      <PageHead title={t("books.check.title")} lead={t("books.check.lead")} />
      <Stack>
        <AlertsNotice />
        <Grid columns={2}>
          <AllocationCard />
          <LedgerCard />
          <UsageCard />
          <LogCard />
          <HeldCard />
        </Grid>
        <BillsCard />
      </Stack>
    </>
  );
}
