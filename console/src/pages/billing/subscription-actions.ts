/** THE table of what may be done to a subscription or an expansion in which state. */
import type { ItemOf } from "#client/types.ts";

import { useMay } from "#console/api/session.ts";
import { useText } from "#console/i18n/index.ts";

export type Subscription = ItemOf<"listSubscriptions">;
export type Expansion = ItemOf<"listExpansions">;

export const subscriptionActions = ["renew", "upgrade", "expand", "autoRenew", "cancel"] as const;
export type SubscriptionAction = (typeof subscriptionActions)[number];
export type ExpansionAction = "extend" | "release";

const allowedIn: Readonly<Record<SubscriptionAction, readonly Subscription["state"][]>> = {
  renew: ["active", "lapsed"],
  upgrade: ["active"],
  expand: ["active"],
  autoRenew: ["ordered", "active", "lapsed"],
  cancel: ["active", "lapsed"],
};

const expansionAllowedIn: Readonly<Record<ExpansionAction, readonly Expansion["state"][]>> = {
  extend: ["active", "scheduled"],
  release: ["active", "scheduled"],
};

/** Why it cannot be done now, in words; `undefined` when it can. */
export function useRefusals(): {
  readonly of: (action: SubscriptionAction, subscription: Subscription) => string | undefined;
  readonly ofExpansion: (action: ExpansionAction, expansion: Expansion) => string | undefined;
} {
  const { t } = useText();
  const mayManage = useMay()("billing.manage");
  return {
    of: (action, { state }) =>
      !mayManage
        ? t("billing.mayNot")
        : allowedIn[action].includes(state)
          ? undefined
          : t("orders.subscription.notIn", { state: t(`orders.subscription.state.${state}`) }),
    ofExpansion: (action, { state }) =>
      !mayManage
        ? t("billing.mayNot")
        : expansionAllowedIn[action].includes(state)
          ? undefined
          : t("orders.expansion.notIn", { state: t(`orders.expansion.state.${state}`) }),
  };
}
