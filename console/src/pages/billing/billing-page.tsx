/** Money: what is left and how long it lasts, what comes in, what was bought ahead of use. */
import { useState, type ReactNode } from "react";

import { PageHead } from "#console/components/page-head.tsx";
import { oneOf, useSearchParams } from "#console/components/search-params.ts";
import { useText } from "#console/i18n/index.ts";
import { useMay } from "#console/api/session.ts";
import { Button } from "#console/ui/button.tsx";
import { Tabs } from "#console/ui/tabs.tsx";

import { AgreementsTab } from "./agreements-tab.tsx";
import { OverviewTab } from "./overview-tab.tsx";
import { PackagesTab } from "./packages-tab.tsx";
import { PaymentsTab } from "./payments-tab.tsx";
import { PricesTab } from "./prices-tab.tsx";
import { ServicesTab } from "./services-tab.tsx";
import { SubscriptionsTab } from "./subscriptions-tab.tsx";
import { TopUpDialog } from "./top-up-dialog.tsx";

const tabs = [
  "overview",
  "payments",
  "packages",
  "subscriptions",
  "services",
  "prices",
  "agreements",
] as const;

export function BillingPage(): ReactNode {
  const { t } = useText();
  const may = useMay();
  const [{ tab = "overview" }, setSearch] = useSearchParams({ tab: oneOf(tabs) });
  const [isPaying, setPaying] = useState(false);
  const content = {
    overview: () => <OverviewTab />,
    payments: () => <PaymentsTab />,
    packages: () => <PackagesTab />,
    subscriptions: () => <SubscriptionsTab />,
    services: () => <ServicesTab />,
    prices: () => <PricesTab />,
    agreements: () => <AgreementsTab />,
  };
  return (
    <>
      <PageHead
        title={t("billing.title")}
        lead={t("billing.lead")}
        actions={
          <Button
            kind="primary"
            icon="plus"
            onClick={() => setPaying(true)}
            disabledReason={may("billing.manage") ? undefined : t("billing.mayNot")}
          >
            {t("billing.topUp")}
          </Button>
        }
      />
      <Tabs
        label={t("billing.title")}
        value={tab}
        onChange={(next) => setSearch({ tab: next === "overview" ? undefined : next }, "step")}
        tabs={tabs.map((value) => ({
          value,
          label: t(`billing.tab.${value}`),
          content: content[value],
        }))}
      />
      {isPaying ? (
        <TopUpDialog
          onClose={() => setPaying(false)}
          onDone={() => {
            setPaying(false);
            setSearch({ tab: "payments" }, "step");
          }}
        />
      ) : null}
    </>
  );
}
