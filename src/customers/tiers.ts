/**
 * Tiers: what a customer's payments make of him, day by day. Pure. One measure everywhere: net paid,
 * settled receipts minus refunds by the local day of settlement (R-CT-1). A change takes effect at a
 * local midnight: at month starts by the last twelve or three complete months (R-CT-2), on any day by
 * what was paid since registration (R-CT-3); a grant holds for twelve months and is reviewed at the
 * first month start after that (R-CT-4, R-CT-5).
 */
import type { PriceProfile } from "#catalog/profile.ts";
import type { Tier } from "#catalog/sku.ts";
import {
  addDays,
  addMonths,
  addMonthsClamped,
  firstDay,
  monthOf,
  type LocalDay,
  type LocalMonth,
} from "#kernel/calendar.ts";
import { sumFen, zeroFen, type Fen } from "#kernel/money.ts";

export type TierRules = Pick<PriceProfile, "tier_thresholds" | "tier_hold_months">;

export interface Payment {
  /** Local day of settlement. */
  readonly day: LocalDay;
  /** Negative: a refund. */
  readonly amount: Fen;
}

export type TierReason = "12m" | "3m" | "cumulative" | "review";

export interface TierChange {
  /** From its first instant on. */
  readonly effective: LocalDay;
  readonly tier: Tier;
  readonly reason: TierReason;
  /** Not lowered before; `undefined` for `normal`. */
  readonly holdUntil: LocalDay | undefined;
  /** What the rule looked at, to explain it. */
  readonly inputs: QualifyingFigures & { readonly cumulative: Fen };
}

export interface TierState {
  readonly tier: Tier;
  readonly holdUntil: LocalDay | undefined;
  /** Payments from here on count for R-CT-3: the registration, or the last fall to `normal`. */
  readonly cumulativeFrom: LocalDay;
}

export interface QualifyingFigures {
  readonly netPaid12m: Fen;
  /** The last three complete months, oldest first. */
  readonly netPaidLast3Months: readonly Fen[];
}

const rank: Readonly<Record<Tier, number>> = { normal: 0, gold: 1, diamond: 2 };

export function isHigher(a: Tier, b: Tier): boolean {
  return rank[a] > rank[b];
}

/** R-CT-2: what the complete months before a month start make of a customer. Bounds are inclusive. */
export function qualify(
  { netPaid12m, netPaidLast3Months }: QualifyingFigures,
  { tier_thresholds: thresholds }: TierRules,
): { readonly tier: Tier; readonly reason: TierReason } {
  if (netPaid12m >= thresholds.diamond_12m) return { tier: "diamond", reason: "12m" };
  if (netPaid12m >= thresholds.gold_12m) return { tier: "gold", reason: "12m" };
  const steady =
    netPaidLast3Months.length === 3 &&
    netPaidLast3Months.every((paid) => paid >= thresholds.gold_3_months_each);
  return steady ? { tier: "gold", reason: "3m" } : { tier: "normal", reason: "12m" };
}

/** Of the twelve and the three complete months before the month of this day. */
export function figuresAt(payments: readonly Payment[], day: LocalDay): QualifyingFigures {
  const month = monthOf(day);
  return {
    netPaid12m: paidBetween(payments, firstDay(addMonths(month, -12)), firstDay(month)),
    netPaidLast3Months: [-3, -2, -1].map((offset) =>
      paidInMonth(payments, addMonths(month, offset)),
    ),
  };
}

export interface Walk {
  readonly state: TierState;
  readonly payments: readonly Payment[];
  /** Days after this one are looked at. */
  readonly after: LocalDay;
  /** Up to this one, included. */
  readonly through: LocalDay;
  /** The rules in force on a day. */
  readonly rulesOn: (day: LocalDay) => TierRules;
}

/**
 * The changes between two days, in order, and what stands at the end. A review that keeps the tier
 * renews its hold and is no change. Walking in pieces gives the same as walking at once.
 */
export function walkTiers(walk: Walk): {
  readonly changes: readonly TierChange[];
  readonly state: TierState;
} {
  const changes: TierChange[] = [];
  let { state } = walk;
  for (const day of daysThatMatter(walk)) {
    const step = stepOn(day, state, walk);
    if (step === undefined) continue;
    if (step.tier !== state.tier) changes.push(step);
    const fell = step.tier === "normal" && state.tier !== "normal";
    state = {
      tier: step.tier,
      holdUntil: step.holdUntil,
      cumulativeFrom: fell ? day : state.cumulativeFrom,
    };
  }
  return { changes, state };
}

/** Month starts, and the days after payments: nothing can change on others. */
function daysThatMatter({ payments, after, through }: Walk): LocalDay[] {
  const days = new Set(payments.map(({ day }) => addDays(day, 1)));
  for (let month = monthOf(after); firstDay(month) <= through; month = addMonths(month, 1)) {
    days.add(firstDay(month));
  }
  return [...days].filter((day) => day > after && day <= through).toSorted();
}

/** What the midnight that begins `day` decides; `undefined` if nothing. */
function stepOn(day: LocalDay, state: TierState, walk: Walk): TierChange | undefined {
  const rules = walk.rulesOn(day);
  const { gold_cumulative: cumulativeMin } = rules.tier_thresholds;
  const figures = figuresAt(walk.payments, day);
  const cumulative = paidBetween(walk.payments, state.cumulativeFrom, day);
  const grant = (tier: Tier, reason: TierReason): TierChange => ({
    effective: day,
    tier,
    reason,
    holdUntil: tier === "normal" ? undefined : addMonthsClamped(day, rules.tier_hold_months),
    inputs: { ...figures, cumulative },
  });
  if (day === firstDay(monthOf(day))) {
    const earned = qualify(figures, rules);
    if (isHigher(earned.tier, state.tier)) return grant(earned.tier, earned.reason);
    if (state.tier !== "normal" && state.holdUntil !== undefined && state.holdUntil <= day) {
      return grant(reviewed(state.tier, figures, rules), "review");
    }
  }
  const enough = cumulativeMin !== null && cumulative >= cumulativeMin;
  return state.tier === "normal" && enough ? grant("gold", "cumulative") : undefined;
}

/** R-CT-5. Where the cumulative rule is off, gold must be earned again like any gold. */
function reviewed(tier: Tier, figures: QualifyingFigures, rules: TierRules): Tier {
  const { netPaid12m } = figures;
  const { diamond_12m: diamondMin, gold_cumulative: goldMin } = rules.tier_thresholds;
  if (tier === "diamond" && netPaid12m >= diamondMin) return "diamond";
  if (goldMin !== null) return netPaid12m >= goldMin ? "gold" : "normal";
  return qualify(figures, rules).tier;
}

function paidInMonth(payments: readonly Payment[], month: LocalMonth): Fen {
  return paidBetween(payments, firstDay(month), firstDay(addMonths(month, 1)));
}

/** Half-open, by day. */
export function paidBetween(payments: readonly Payment[], from: LocalDay, until: LocalDay): Fen {
  const counted = payments.filter(({ day }) => day >= from && day < until);
  return counted.length === 0 ? zeroFen : sumFen(counted.map(({ amount }) => amount));
}
