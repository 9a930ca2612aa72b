/**
 * What a quantity costs under one price: graduated bands (R-TIER-2), where each hour is priced by
 * the band it falls in, so that the total is continuous and grows with every second; or one price
 * for all, with a benefit of the tier. All exact; rounding is telescope.ts.
 */
import type { Band } from "#catalog/profile.ts";
import { inPriceUnits, type PricedSku } from "#catalog/sku.ts";
import {
  add,
  compare,
  formatRational,
  larger,
  multiply,
  one,
  smaller,
  subtract,
  zero,
  type Rational,
} from "#kernel/rational.ts";

/** What a day adds: the quantities are cumulative over the local month, in base units. */
export interface DayStep {
  readonly before: Rational;
  readonly after: Rational;
}

/** Exact yuan for the step: P(after) - P(before) of R-PAYG-5, or the day's own part of it. */
export function costOfStep(price: PricedSku, { before, after }: DayStep): Rational {
  const { discount, listPrice } = price;
  const units = inPriceUnits(price, subtract(after, before));
  if (discount.kind === "bands") {
    const upTo = (quantity: Rational): Rational => cumulative(price, discount.bands, quantity);
    return subtract(upTo(after), upTo(before));
  }
  if (discount.kind === "free_per_day") {
    return multiply(listPrice, larger(zero, subtract(units, discount.units)));
  }
  const multiplier = discount.kind === "multiplier" ? discount.multiplier : one;
  return multiply(multiply(listPrice, multiplier), units);
}

/** For the bill: "1", "0.95", or "1, 0.95" where the step crosses a band's edge. */
export function multipliersOfStep(price: PricedSku, { before, after }: DayStep): string {
  const { discount } = price;
  if (discount.kind === "none") return "1";
  if (discount.kind === "multiplier") return formatRational(discount.multiplier);
  if (discount.kind === "free_per_day") return `1 above ${formatRational(discount.units)} GiB`;
  const from = inPriceUnits(price, before);
  return portions(discount.bands, inPriceUnits(price, after))
    .filter(({ upTo }) => compare(upTo, from) > 0)
    .map(({ multiplier }) => formatRational(multiplier))
    .join(", ");
}

function cumulative(price: PricedSku, bands: readonly Band[], quantity: Rational): Rational {
  let weighted = zero;
  for (const { above, upTo, multiplier } of portions(bands, inPriceUnits(price, quantity))) {
    weighted = add(weighted, multiply(multiplier, subtract(upTo, above)));
  }
  return multiply(price.listPrice, weighted);
}

interface Portion {
  readonly above: Rational;
  readonly upTo: Rational;
  readonly multiplier: Rational;
}

/** The part of (0, units] in each band that it reaches. */
function portions(bands: readonly Band[], units: Rational): Portion[] {
  const reached: Portion[] = [];
  let above = zero;
  for (const { upToHours, multiplier } of bands) {
    if (compare(units, above) <= 0) break;
    const upTo = upToHours === null ? units : smaller(units, upToHours);
    reached.push({ above, upTo, multiplier });
    above = upTo;
  }
  return reached;
}
