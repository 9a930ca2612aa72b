/** Bills: the charges of a month or of some days, invoices, and every movement of money. */
import type { ReactNode } from "react";

import { PageHead } from "#console/components/page-head.tsx";
import { oneOf, useSearchParams } from "#console/components/search-params.ts";
import { useText } from "#console/i18n/index.ts";
import { LinkButton } from "#console/ui/button.tsx";
import { Tabs } from "#console/ui/tabs.tsx";

import { InvoicesTab } from "./invoices-tab.tsx";
import { JournalsTab } from "./journals-tab.tsx";
import { OrderItemsTab } from "./order-items-tab.tsx";
import { StatementTab } from "./statement-tab.tsx";

const tabs = ["statement", "invoices", "journals", "orders"] as const;

export function StatementsPage(): ReactNode {
  const { t } = useText();
  const [{ tab = "statement" }, setSearch] = useSearchParams({ tab: oneOf(tabs) });
  const content = {
    statement: () => <StatementTab />,
    invoices: () => <InvoicesTab />,
    journals: () => <JournalsTab />,
    orders: () => <OrderItemsTab />,
  };
  return (
    <>
      <PageHead
        title={t("statements.title")}
        lead={t("statements.lead")}
        actions={
          <LinkButton to="/billing/verify" icon="shield">
            {t("verify.title")}
          </LinkButton>
        }
      />
      <Tabs
        label={t("statements.title")}
        value={tab}
        onChange={(next) => setSearch({ tab: next === "statement" ? undefined : next }, "step")}
        tabs={tabs.map((value) => ({
          value,
          label: t(`statements.tab.${value}`),
          content: content[value],
        }))}
      />
    </>
  );
}
