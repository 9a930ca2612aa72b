/** A line of the bank's statement: booked at once if a payment waits for exactly it, else to be decided. */
import { useState, type ReactNode } from "react";

import { useAction } from "#console/api/queries.ts";
import { useTimeZone } from "#console/api/session.ts";
import { todayIn } from "#console/components/date-range.tsx";
import { FormDialog } from "#console/components/form-dialog.tsx";
import { fieldError } from "#console/components/problem-box.tsx";
import { useText } from "#console/i18n/index.ts";
import { DateField, TextField } from "#console/ui/fields.tsx";
import { Text } from "#console/ui/text.tsx";
import { toast } from "#console/ui/toast.tsx";

export function RecordDialog({ onClose }: { readonly onClose: () => void }): ReactNode {
  const { t } = useText();
  const today = todayIn(useTimeZone(), Date.now());
  const [bankReference, setReference] = useState("");
  const [code, setCode] = useState("");
  const [amount, setAmount] = useState("");
  const [receivedOn, setReceivedOn] = useState(today);
  const record = useAction("createBankReceipt", {
    onDone: ({ state, reason }) => {
      const why = reason === null ? "" : t(`books.receipts.whyOf.${reason}`);
      toast({
        tone: state === "suspense" ? "attention" : "good",
        title: t("books.receipts.recorded"),
        text:
          state === "suspense"
            ? t("books.receipts.waits", { why })
            : t("books.receipts.bookedAtOnce"),
      });
      onClose();
    },
  });
  const request = {
    body: { bankReference: bankReference.trim(), code, amount: amount.trim(), receivedOn },
  };
  const isFilled = bankReference.trim() !== "" && amount.trim() !== "" && receivedOn !== "";
  return (
    <FormDialog
      title={t("books.receipts.record")}
      onClose={onClose}
      onSubmit={() => record.mutate(request)}
      submitLabel={t("books.receipts.record")}
      isBusy={record.isPending}
      error={record.error}
      disabledReason={isFilled ? undefined : t("books.receipts.fieldsFirst")}
      call={{ operation: "createBankReceipt", request }}
    >
      <Text>{t("books.receipts.recordText")}</Text>
      <TextField
        label={t("books.receipts.reference")}
        description={t("books.receipts.referenceHelp")}
        value={bankReference}
        onChange={setReference}
        maxLength={100}
        required
        error={fieldError(record.error, "bankReference")}
      />
      <TextField
        label={t("books.receipts.code")}
        description={t("books.receipts.codeHelp")}
        value={code}
        onChange={setCode}
        maxLength={200}
        isCode
        error={fieldError(record.error, "code")}
      />
      <TextField
        label={t("books.receipts.amount")}
        value={amount}
        onChange={setAmount}
        maxLength={12}
        required
        error={fieldError(record.error, "amount")}
      />
      <DateField
        label={t("books.receipts.receivedOn")}
        value={receivedOn}
        max={today}
        onChange={setReceivedOn}
        required
        error={fieldError(record.error, "receivedOn")}
      />
    </FormDialog>
  );
}
