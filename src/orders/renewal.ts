/**
 * What a further term costs (R-VM-4, R-VM-7). An annual contract renewed for a year, paid at the
 * latest so many days after its end, costs the tier's share of twelve monthly prices and never more
 * than the annual list price. Twelve of the lower of two monthly prices: today's, and that of the
 * first purchase, which is locked as long as terms follow each other without a gap.
 */
import type { PriceProfile } from "#catalog/profile.ts";
import type { Tier } from "#catalog/sku.ts";
import { fen, type Fen } from "#kernel/money.ts";
import { multiply, one, rational, type Rational } from "#kernel/rational.ts";
import { roundToFen } from "#kernel/rounding.ts";

import type { Term } from "./term.ts";
import { termPrice } from "./vm-price.ts";

export interface RenewalAsk {
  readonly profile: PriceProfile;
  readonly sku: string;
  /** Of the new term. */
  readonly term: Term;
  /** Of the term that ends, or has ended. */
  readonly lastTerm: Term;
  /** At the moment of payment. */
  readonly tier: Tier;
  /** Whole days since the term ended; 0 or less before. */
  readonly daysAfterEnd: number;
  /** The monthly list price of the first purchase, where it is locked. */
  readonly lockedMonthly?: Fen | undefined;
}

export interface RenewalPrice {
  /** What the term costs a new customer. */
  readonly list: Fen;
  readonly amount: Fen;
  /** Why it differs from the list price. */
  readonly discounts: readonly {
    readonly rule: "R-VM-4" | "R-VM-7";
    /** Zero or less. */
    readonly amount: Fen;
  }[];
}

/** `undefined` for a SKU without a price. */
export function renewalPrice(ask: RenewalAsk): RenewalPrice | undefined {
  const { profile, sku, term, lastTerm } = ask;
  const list = termPrice(profile, sku, term);
  const monthly = termPrice(profile, sku, "monthly");
  if (list === undefined || monthly === undefined) return undefined;
  const inTime = ask.daysAfterEnd <= profile.renewal_grace_days;
  if (term !== "annual" || lastTerm !== "annual" || !inTime) {
    return { list, amount: list, discounts: [] };
  }
  const share = shareOf(profile, ask.tier);
  const yearAt = (base: Fen): Fen => atMost(list, twelveTimes(base, share));
  const byTier = yearAt(monthly);
  const locked = ask.lockedMonthly;
  const amount = locked === undefined || locked >= monthly ? byTier : yearAt(locked);
  const discounts = [
    { rule: "R-VM-4", amount: fen(byTier - list) } as const,
    { rule: "R-VM-7", amount: fen(amount - byTier) } as const,
  ];
  return { list, amount, discounts: discounts.filter((each) => each.amount !== 0n) };
}

function shareOf(profile: PriceProfile, tier: Tier): Rational {
  return tier === "normal" ? one : profile.renewal_annual_multiplier_of_12x_monthly[tier];
}

function twelveTimes(monthly: Fen, share: Rational): Fen {
  return roundToFen(multiply(rational(monthly * 12n, 100n), share));
}

function atMost(limit: Fen, amount: Fen): Fen {
  return amount < limit ? amount : limit;
}
