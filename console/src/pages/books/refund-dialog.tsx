/** Money of the wallet goes back the way it came. */
import { useState, type ReactNode } from "react";

import { useAction } from "#console/api/queries.ts";
import { FormDialog } from "#console/components/form-dialog.tsx";
import { amountOf, fenOf, moneyText } from "#console/components/money.tsx";
import { fieldError } from "#console/components/problem-box.tsx";
import { useText } from "#console/i18n/index.ts";
import { TextField } from "#console/ui/fields.tsx";
import { Text } from "#console/ui/text.tsx";
import { toast } from "#console/ui/toast.tsx";

import type { Payment } from "./payments-tab.tsx";

export function RefundDialog({
  payment,
  onClose,
}: {
  readonly payment: Payment;
  readonly onClose: () => void;
}): ReactNode {
  const { t } = useText();
  const left = amountOf(fenOf(payment.received) - fenOf(payment.refunded));
  const [amount, setAmount] = useState(left);
  const [reason, setReason] = useState("");
  const { tenantId } = payment;
  const refund = useAction("refundPayment", {
    tenantId,
    onDone: () => {
      toast({ tone: "good", title: t("books.payments.refundDone") });
      onClose();
    },
  });
  const request = {
    params: { paymentId: payment.id },
    body: { amount: amount.trim(), reason: reason.trim() },
  };
  const isAmount = /^[0-9]+(?:\.[0-9]{1,2})?$/.test(amount.trim()) && fenOf(amount.trim()) > 0n;
  return (
    <FormDialog
      title={t("books.payments.refundTitle", { code: payment.code })}
      onClose={onClose}
      onSubmit={() => refund.mutate(request)}
      submitLabel={t("books.payments.refund")}
      isBusy={refund.isPending}
      error={refund.error}
      disabledReason={
        isAmount
          ? reason.trim() === ""
            ? t("books.payments.reasonFirst")
            : undefined
          : t("books.payments.amountFirst")
      }
      call={{ operation: "refundPayment", request, tenantId }}
    >
      <Text>
        <bdi>{payment.tenant}</bdi>. {t("books.payments.refundText")}
      </Text>
      <TextField
        label={t("books.payments.amount")}
        description={t("books.payments.refundLeft", { amount: moneyText(left) })}
        value={amount}
        onChange={setAmount}
        maxLength={12}
        required
        error={fieldError(refund.error, "amount")}
      />
      <TextField
        label={t("books.payments.reason")}
        description={t("books.payments.reasonHelp")}
        value={reason}
        onChange={setReason}
        maxLength={100}
        required
        error={fieldError(refund.error, "reason")}
      />
    </FormDialog>
  );
}
