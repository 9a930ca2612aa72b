/** How a customer is, in words: tier, rung of the ladder, signs that somebody should look. */
import type { ReactNode } from "react";
import type { ItemOf } from "#client/types.ts";

import { useText } from "#console/i18n/index.ts";
import { Badge } from "#console/ui/feedback.tsx";
import { Row } from "#console/ui/layout.tsx";

export type Customer = ItemOf<"listCustomers">;
export type Tier = Customer["tier"];
type Stage = Customer["stage"];
type Sign = Customer["signs"][number];

export const tiers = ["normal", "gold", "diamond"] as const satisfies readonly Tier[];
export const stages = [
  "ok",
  "forecast",
  "warning",
  "no_new_work",
  "grace",
  "stopped",
  "released",
] as const satisfies readonly Stage[];
export const signs = [
  "no_spend_2m",
  "usage_drop",
  "invoice_overdue",
  "term_ending",
  "package_ending",
  "tier_by_hand_ending",
  "near_next_tier",
  "review_due",
] as const satisfies readonly Sign[];

const tierTones = { normal: "quiet", gold: "attention", diamond: "info" } as const;
const stageTones = {
  ok: "good",
  forecast: "info",
  warning: "attention",
  no_new_work: "attention",
  grace: "bad",
  stopped: "bad",
  released: "bad",
} as const;
/** What may cost the customer, what may cost the operator, what is a chance. */
const signTones = {
  no_spend_2m: "bad",
  usage_drop: "bad",
  invoice_overdue: "bad",
  term_ending: "attention",
  package_ending: "attention",
  tier_by_hand_ending: "attention",
  near_next_tier: "info",
  review_due: "info",
} as const satisfies Record<Sign, string>;

export function TierBadge({
  tier,
  isByHand = false,
}: {
  readonly tier: Tier;
  readonly isByHand?: boolean;
}): ReactNode {
  const { t } = useText();
  const name = t(`customers.tierName.${tier}`);
  return (
    <Badge tone={tierTones[tier]}>
      {isByHand ? t("customers.tierByHand", { tier: name }) : name}
    </Badge>
  );
}

export function StageBadge({ stage }: { readonly stage: Stage }): ReactNode {
  const { t } = useText();
  return (
    <Badge tone={stageTones[stage]} icon={stage === "ok" ? "check" : "alert"}>
      {t(`customers.stage.${stage}.name`)}
    </Badge>
  );
}

export function SignBadge({ sign }: { readonly sign: Sign }): ReactNode {
  const { t } = useText();
  return <Badge tone={signTones[sign]}>{t(`customers.sign.${sign}`)}</Badge>;
}

export function SignBadges({ of }: { readonly of: readonly Sign[] }): ReactNode {
  return of.length === 0 ? (
    "—"
  ) : (
    <Row gap="xs">
      {of.map((sign) => (
        <SignBadge key={sign} sign={sign} />
      ))}
    </Row>
  );
}
