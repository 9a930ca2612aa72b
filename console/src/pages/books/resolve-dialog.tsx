/** What becomes of a transfer that no payment waits for: it is some customer's, or it was sent back. */
import { useState, type ReactNode } from "react";

import { useAction } from "#console/api/queries.ts";
import { FormDialog } from "#console/components/form-dialog.tsx";
import { moneyText } from "#console/components/money.tsx";
import { fieldError } from "#console/components/problem-box.tsx";
import { useText } from "#console/i18n/index.ts";
import { RadioGroup, TextField } from "#console/ui/fields.tsx";
import { Facts } from "#console/ui/layout.tsx";
import { Muted } from "#console/ui/text.tsx";
import { toast } from "#console/ui/toast.tsx";

import type { Receipt } from "./receipts-tab.tsx";
import { TenantSelect } from "./tenants.tsx";

export function ResolveDialog({
  receipt,
  onClose,
}: {
  readonly receipt: Receipt;
  readonly onClose: () => void;
}): ReactNode {
  const { t } = useText();
  const [action, setAction] = useState<"assign" | "return">();
  // Whose payment the code names is most likely whose money it is.
  const [tenantId, setTenantId] = useState(receipt.tenantId ?? undefined);
  const [note, setNote] = useState("");
  const resolve = useAction("resolveBankReceipt", {
    onDone: () => {
      toast({ tone: "good", title: t("books.receipts.decided") });
      onClose();
    },
  });
  const params = { receiptId: receipt.id };
  const request =
    action === "assign"
      ? { params, body: { action, tenantId: tenantId ?? "", note: note.trim() } }
      : { params, body: { action: "return" as const, note: note.trim() } };
  const reason =
    action === "assign" && tenantId === undefined
      ? t("books.receipts.customerFirst")
      : action === undefined || note.trim() === ""
        ? t("books.receipts.decideFirst")
        : undefined;
  return (
    <FormDialog
      title={t("books.receipts.decideTitle", { amount: moneyText(receipt.amount) })}
      onClose={onClose}
      onSubmit={() => resolve.mutate(request)}
      submitLabel={t("books.receipts.decide")}
      isBusy={resolve.isPending}
      error={resolve.error}
      disabledReason={reason}
      call={{ operation: "resolveBankReceipt", request }}
    >
      <Facts
        rows={[
          [t("books.receipts.reference"), <bdi key="r">{receipt.bankReference}</bdi>],
          [t("books.receipts.code"), <bdi key="c">{receipt.code === "" ? "—" : receipt.code}</bdi>],
          [t("books.receipts.receivedOn"), receipt.receivedOn],
          [
            t("books.receipts.why"),
            receipt.reason === null ? "—" : t(`books.receipts.whyOf.${receipt.reason}`),
          ],
        ]}
      />
      <RadioGroup
        label={t("books.receipts.action")}
        value={action}
        onChange={setAction}
        choices={[
          {
            value: "assign",
            label: t("books.receipts.assign"),
            description: t("books.receipts.assignText"),
          },
          {
            value: "return",
            label: t("books.receipts.sendBack"),
            description: t("books.receipts.sendBackText"),
          },
        ]}
      />
      {action === "assign" ? (
        <TenantSelect value={tenantId} onChange={setTenantId} required />
      ) : null}
      <TextField
        label={t("books.receipts.note")}
        description={t("books.receipts.noteHelp")}
        value={note}
        onChange={setNote}
        maxLength={100}
        required
        error={fieldError(resolve.error, "note")}
      />
      <Muted>{t("books.receipts.final")}</Muted>
    </FormDialog>
  );
}
