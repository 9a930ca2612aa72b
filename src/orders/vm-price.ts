/**
 * What a dedicated VM costs for a term (R-VM-1, R-VM-3). The explicit amounts of the price list rule:
 * a year is what it says, not a multiple of the month.
 */
import type { PriceProfile } from "#catalog/profile.ts";
import { fen, type Fen } from "#kernel/money.ts";
import { rational, type Rational } from "#kernel/rational.ts";

import type { Term } from "./term.ts";

/** `undefined` for a SKU that the profile does not price. */
export function termPrice(profile: PriceProfile, sku: string, term: Term): Fen | undefined {
  const price = Object.hasOwn(profile.vm, sku) ? profile.vm[sku] : undefined;
  if (price === undefined) return undefined;
  switch (term) {
    case "monthly":
      return price.monthly;
    case "quarterly":
      return fen(price.monthly * 3n);
    case "annual":
      return price.annual;
  }
}

/** The terms that are sold under a profile. */
export function termsOffered({ quarterly_enabled: quarterly }: PriceProfile): Term[] {
  return quarterly ? ["monthly", "quarterly", "annual"] : ["monthly", "annual"];
}

export interface AnnualPrice {
  readonly amount: Fen;
  readonly twelveMonths: Fen;
  /** The amount as a share of twelve monthly prices: 5/6 is "12 months for the price of 10". */
  readonly multiplier: Rational;
}

export function annualPrice(profile: PriceProfile, sku: string): AnnualPrice | undefined {
  const amount = termPrice(profile, sku, "annual");
  const monthly = termPrice(profile, sku, "monthly");
  if (amount === undefined || monthly === undefined || monthly === 0n) return undefined;
  const twelveMonths = fen(monthly * 12n);
  return { amount, twelveMonths, multiplier: rational(amount, twelveMonths) };
}
