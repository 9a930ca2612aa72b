/** Money on its way in: what arrived at the bank, and what customers announced. */
import { useState, type ReactNode } from "react";

import { useMay } from "#console/api/session.ts";
import { PageHead } from "#console/components/page-head.tsx";
import { anyText, oneOf, useSearchParams } from "#console/components/search-params.ts";
import { useText } from "#console/i18n/index.ts";
import { Button } from "#console/ui/button.tsx";
import { Tabs } from "#console/ui/tabs.tsx";

import { PaymentsTab } from "./payments-tab.tsx";
import { ReceiptsTab } from "./receipts-tab.tsx";
import { RecordDialog } from "./record-dialog.tsx";

const tabs = ["receipts", "payments"] as const;

export function PaymentsPage(): ReactNode {
  const { t } = useText();
  const may = useMay();
  const [{ tab = "receipts" }, setSearch] = useSearchParams({
    tab: oneOf(tabs),
    // Of the tabs' own; they begin anew in the other one.
    state: anyText(20),
    tenant: anyText(40),
  });
  const [isRecording, setRecording] = useState(false);
  const contents = { receipts: () => <ReceiptsTab />, payments: () => <PaymentsTab /> };
  return (
    <>
      <PageHead
        title={t("books.payments.title")}
        lead={t("books.payments.lead")}
        actions={
          <Button
            kind="primary"
            icon="plus"
            disabledReason={may("platform.manage") ? undefined : t("books.mayNot")}
            onClick={() => setRecording(true)}
          >
            {t("books.receipts.record")}
          </Button>
        }
      />
      <Tabs
        label={t("books.payments.tabs")}
        value={tab}
        onChange={(next) =>
          setSearch({
            tab: next === "receipts" ? undefined : next,
            state: undefined,
            tenant: undefined,
          })
        }
        tabs={tabs.map((value) => ({
          value,
          label: t(`books.payments.tab.${value}`),
          content: contents[value],
        }))}
      />
      {isRecording ? <RecordDialog onClose={() => setRecording(false)} /> : null}
    </>
  );
}
