/** Each thing that is asked of a service, with its quote or its question. */
import { useState, type ReactNode } from "react";
import type { ItemOf } from "#client/types.ts";

import { useAction } from "#console/api/queries.ts";
import { ConfirmDialog } from "#console/components/confirm-dialog.tsx";
import { useText } from "#console/i18n/index.ts";
import { Switch } from "#console/ui/fields.tsx";
import { Text } from "#console/ui/text.tsx";

import { AskOptimization } from "./ask-optimization.tsx";
import { OrderDialog } from "./order-dialog.tsx";

export type Service = ItemOf<"listServices">;
export type AskedService =
  | { readonly kind: "support" }
  | { readonly kind: "bundle"; readonly code: string }
  | { readonly kind: "optimization" }
  | { readonly kind: "accept" | "cancel"; readonly service: Service };

export function ServiceDialog({
  asked,
  onClose,
}: {
  readonly asked: AskedService;
  readonly onClose: () => void;
}): ReactNode {
  const { t } = useText();
  const [autoRenew, setAutoRenew] = useState(true);
  const order = useAction("orderService", { onDone: onClose });
  const accept = useAction("acceptService", { onDone: onClose });
  const cancel = useAction("cancelService", { onDone: onClose });
  switch (asked.kind) {
    case "optimization":
      return <AskOptimization onClose={onClose} />;
    case "support":
      return (
        <OrderDialog
          title={t("orders.service.support")}
          ask={{ kind: "support_24x7" }}
          confirmLabel={t("orders.payNow")}
          onOrder={({ amount }) =>
            order.mutate({ body: { kind: "support_24x7", autoRenew, expectedAmount: amount } })
          }
          isBusy={order.isPending}
          error={order.error}
          onClose={onClose}
        >
          <Switch
            label={t("orders.service.autoRenew")}
            description={t("orders.service.autoRenewText")}
            isOn={autoRenew}
            onChange={setAutoRenew}
          />
        </OrderDialog>
      );
    case "bundle":
      return (
        <OrderDialog
          title={asked.code}
          ask={{ kind: "bundle", code: asked.code }}
          confirmLabel={t("orders.payNow")}
          onOrder={({ amount }) =>
            order.mutate({ body: { kind: "bundle", code: asked.code, expectedAmount: amount } })
          }
          isBusy={order.isPending}
          error={order.error}
          onClose={onClose}
        />
      );
    case "accept":
      return (
        <OrderDialog
          title={t("orders.service.acceptTitle")}
          ask={{ kind: "offer", serviceId: asked.service.id }}
          confirmLabel={t("orders.payNow")}
          onOrder={({ amount }) =>
            accept.mutate({
              params: { serviceId: asked.service.id },
              body: { expectedAmount: amount },
            })
          }
          isBusy={accept.isPending}
          error={accept.error}
          onClose={onClose}
        />
      );
    case "cancel":
      return (
        <ConfirmDialog
          call={{
            operation: "cancelService",
            request: { params: { serviceId: asked.service.id } },
          }}
          isOpen
          onClose={onClose}
          onConfirm={() => cancel.mutate({ params: { serviceId: asked.service.id } })}
          title={t("orders.service.cancelTitle")}
          confirmLabel={t("orders.service.cancel")}
          isDangerous
          isBusy={cancel.isPending}
          error={cancel.error}
        >
          <Text>{t("orders.service.cancelText")}</Text>
        </ConfirmDialog>
      );
  }
  return null;
}
