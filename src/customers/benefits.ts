/** What a tier gives (R-CT-7), and what the next one would take and save (C-12). Pure. */
import type { PriceProfile } from "#catalog/profile.ts";
import type { Tier } from "#catalog/sku.ts";
import { addMonths, firstDay, monthOf, type LocalDay } from "#kernel/calendar.ts";
import { subtractFen, zeroFen, type Fen } from "#kernel/money.ts";

import { figuresAt, paidBetween, type Payment, type TierState } from "./tiers.ts";

export interface Benefits {
  readonly priority: "high" | "medium" | "basic";
  readonly contact: "account_manager" | "specialist" | "self_service";
  readonly support: "24x7" | "5x8" | "none";
  /** Of the storage list price, as a decimal: "0.5". */
  readonly storage: "list" | "discounted" | "free_allowance";
  /** How often the use is reviewed with the customer. */
  readonly review: "monthly" | "quarterly" | "none";
}

export function benefitsOf(tier: Tier): Benefits {
  return table[tier];
}

const table: Readonly<Record<Tier, Benefits>> = {
  diamond: {
    priority: "high",
    contact: "account_manager",
    support: "24x7",
    storage: "free_allowance",
    review: "monthly",
  },
  gold: {
    priority: "medium",
    contact: "specialist",
    support: "5x8",
    storage: "discounted",
    review: "quarterly",
  },
  normal: {
    priority: "basic",
    contact: "self_service",
    support: "none",
    storage: "list",
    review: "none",
  },
};

const classOf: Readonly<Record<Benefits["priority"], number>> = {
  high: 10,
  medium: 20,
  basic: 30,
};

/** The class in which work queues; the lowest goes first. Credit of a package counts as gold. */
export function queueClass({
  tier,
  packageCredit,
}: {
  readonly tier: Tier;
  readonly packageCredit: boolean;
}): number {
  const own = classOf[benefitsOf(tier).priority];
  return packageCredit ? Math.min(own, classOf.medium) : own;
}

/** One way to the next tier: pay so much more, until then. */
export interface Way {
  readonly tier: Exclude<Tier, "normal">;
  readonly rule: "R-CT-2" | "R-CT-3";
  readonly missing: Fen;
  /** Paid before this midnight, it counts. */
  readonly before: LocalDay;
}

/** The ways upward, cheapest first. */
export function waysUp(ask: {
  readonly state: TierState;
  readonly payments: readonly Payment[];
  readonly today: LocalDay;
  readonly profile: PriceProfile;
}): Way[] {
  const { state, payments, today, profile } = ask;
  const { tier_thresholds: thresholds } = profile;
  const nextMonth = firstDay(addMonths(monthOf(today), 1));
  const { netPaid12m } = figuresAt(payments, nextMonth);
  const ways: Way[] = [];
  const offer = (way: Omit<Way, "missing">, wanted: Fen, have: Fen): void => {
    const missing = subtractFen(wanted, have);
    ways.push({ ...way, missing: missing > 0n ? missing : zeroFen });
  };
  if (state.tier === "normal") {
    offer({ tier: "gold", rule: "R-CT-2", before: nextMonth }, thresholds.gold_12m, netPaid12m);
    if (thresholds.gold_cumulative !== null) {
      const paid = paidBetween(payments, state.cumulativeFrom, nextMonth);
      const rest = { tier: "gold", rule: "R-CT-3", before: nextMonth } as const;
      offer(rest, thresholds.gold_cumulative, paid);
    }
  }
  if (state.tier !== "diamond") {
    const rest = { tier: "diamond", rule: "R-CT-2", before: nextMonth } as const;
    offer(rest, thresholds.diamond_12m, netPaid12m);
  }
  return ways.toSorted((a, b) => (a.missing < b.missing ? -1 : a.missing > b.missing ? 1 : 0));
}
