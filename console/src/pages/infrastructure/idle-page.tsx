/** Leases that nobody uses: when they are released, and what that saved. */
import type { ReactNode } from "react";

import { PageHead } from "#console/components/page-head.tsx";
import { oneOf, useSearchParams } from "#console/components/search-params.ts";
import { useText } from "#console/i18n/index.ts";
import { Tabs } from "#console/ui/tabs.tsx";

import { IdleReportTab } from "./idle-report-tab.tsx";
import { IdleRulesTab } from "./idle-rules-tab.tsx";

export function IdlePage(): ReactNode {
  const { t } = useText();
  const [{ tab = "rules" }, setSearch] = useSearchParams({ tab: oneOf(["rules", "report"]) });
  return (
    <>
      <PageHead title={t("infrastructure.idle.title")} lead={t("infrastructure.idle.lead")} />
      <Tabs
        label={t("infrastructure.idle.title")}
        value={tab}
        onChange={(next) => setSearch({ tab: next === "rules" ? undefined : next }, "step")}
        tabs={[
          {
            value: "rules",
            label: t("infrastructure.idle.rules"),
            content: () => <IdleRulesTab />,
          },
          {
            value: "report",
            label: t("infrastructure.idle.report"),
            content: () => <IdleReportTab />,
          },
        ]}
      />
    </>
  );
}
