/** Ends a subscription: what that gives back first, and its name to be typed. */
import type { ReactNode } from "react";

import { useAction, useApi } from "#console/api/queries.ts";
import { ConfirmDialog } from "#console/components/confirm-dialog.tsx";
import { Money, moneyText } from "#console/components/money.tsx";
import { ProblemBox } from "#console/components/problem-box.tsx";
import { useText } from "#console/i18n/index.ts";
import { Notice, Skeleton } from "#console/ui/feedback.tsx";
import { Facts, Stack } from "#console/ui/layout.tsx";
import { toast } from "#console/ui/toast.tsx";

import type { OfSubscription } from "./subscription-dialogs.tsx";

export function CancelDialog({ subscription, onClose }: OfSubscription): ReactNode {
  const { t } = useText();
  const params = { subscriptionId: subscription.id };
  const quote = useApi("quoteCancel", { params });
  const cancel = useAction("cancelSubscription", {
    onDone: ({ total }) => {
      toast({
        tone: "good",
        title: t("orders.subscription.canceled", { name: subscription.name }),
        text: t("orders.package.refundedText", { amount: moneyText(total) }),
      });
      onClose();
    },
  });
  return (
    <ConfirmDialog
      call={
        quote.data && {
          operation: "cancelSubscription",
          request: { params, body: { expectedRefund: quote.data.total } },
        }
      }
      isOpen
      onClose={onClose}
      onConfirm={() =>
        quote.data !== undefined &&
        cancel.mutate({ params, body: { expectedRefund: quote.data.total } })
      }
      title={t("orders.subscription.cancelTitle", { name: subscription.name })}
      confirmLabel={t("orders.subscription.do.cancel")}
      isDangerous
      typed={subscription.name}
      isBusy={cancel.isPending}
      error={cancel.error}
      disabledReason={quote.data === undefined ? t("orders.waitForQuote") : undefined}
    >
      <Stack gap="sm">
        <Notice tone="attention">{t("orders.subscription.cancelText")}</Notice>
        {quote.error === null ? null : (
          <ProblemBox error={quote.error} onRetry={() => void quote.refetch()} />
        )}
        {quote.data === undefined ? (
          quote.error === null ? (
            <Skeleton label={t("common.loading")} />
          ) : null
        ) : (
          <Facts
            rows={[
              [t("orders.subscription.refund"), <Money key="refund" amount={quote.data.refund} />],
              [
                t("orders.subscription.expansionRefund"),
                <Money key="expansions" amount={quote.data.expansionRefund} />,
              ],
              [
                t("orders.subscription.refundTotal"),
                <strong key="total">
                  <Money amount={quote.data.total} />
                </strong>,
              ],
            ]}
          />
        )}
      </Stack>
    </ConfirmDialog>
  );
}
