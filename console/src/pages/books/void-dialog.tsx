/** An invoice is taken back with a credit note, and its money is given back. */
import { useState, type ReactNode } from "react";

import { useAction } from "#console/api/queries.ts";
import { FormDialog } from "#console/components/form-dialog.tsx";
import { moneyText } from "#console/components/money.tsx";
import { fieldError } from "#console/components/problem-box.tsx";
import { useText } from "#console/i18n/index.ts";
import { Notice } from "#console/ui/feedback.tsx";
import { TextArea } from "#console/ui/fields.tsx";
import { Facts } from "#console/ui/layout.tsx";
import { toast } from "#console/ui/toast.tsx";

import type { Invoice } from "./invoices-page.tsx";

export function VoidDialog({
  invoice,
  onClose,
}: {
  readonly invoice: Invoice;
  readonly onClose: () => void;
}): ReactNode {
  const { t } = useText();
  const [reason, setReason] = useState("");
  const number = invoice.number ?? "";
  const { tenantId, tenant, period, gross } = invoice;
  const take = useAction("voidInvoice", {
    tenantId,
    onDone: () => {
      toast({ tone: "good", title: t("books.invoices.takenBack", { number }) });
      onClose();
    },
  });
  // One line: it stands in a document.
  const request = {
    params: { invoice: number },
    body: { reason: reason.replaceAll(/\s+/g, " ").trim() },
  };
  return (
    <FormDialog
      title={t("books.invoices.takeBackTitle", { number })}
      onClose={onClose}
      onSubmit={() => take.mutate(request)}
      submitLabel={t("books.invoices.takeBack")}
      isBusy={take.isPending}
      error={take.error}
      disabledReason={reason.trim() === "" ? t("books.invoices.reasonFirst") : undefined}
      call={{ operation: "voidInvoice", request, tenantId }}
    >
      <Facts
        rows={[
          [t("books.customer"), <bdi key="tenant">{tenant}</bdi>],
          [t("books.invoices.month"), period],
          [t("books.invoices.gross"), moneyText(gross)],
        ]}
      />
      <Notice tone="attention">
        {t("books.invoices.takeBackText", { amount: moneyText(gross) })}
      </Notice>
      <TextArea
        label={t("books.invoices.reason")}
        description={t("books.invoices.reasonHelp")}
        value={reason}
        onChange={setReason}
        maxLength={500}
        rows={2}
        required
        error={fieldError(take.error, "reason")}
      />
    </FormDialog>
  );
}
