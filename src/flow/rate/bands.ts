/**
 * What a quantity costs under one price: bands, graduated by default (R-TIER-2), where each hour is
 * priced by the band it falls in, so that the total is continuous and grows with every second; or
 * one price for all, with a benefit of the tier. All exact; rounding is telescope.ts.
 */
import type { Band } from "#catalog/profile.ts";
import { inPriceUnits, type Discount, type PricedSku } from "#catalog/sku.ts";
import { present } from "#kernel/assert.ts";
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
    // Nothing used yet costs nothing, also where the first band has a flat fee.
    const upTo = (quantity: Rational): Rational =>
      quantity.numerator === 0n ? zero : costInBands(price, discount, quantity);
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
  if (discount.mode === "volume") {
    return formatRational(bandOf(discount.bands, inPriceUnits(price, after)).multiplier);
  }
  return portions(discount.bands, inPriceUnits(price, after))
    .filter(({ upTo }) => compare(upTo, from) > 0)
    .map(({ multiplier }) => formatRational(multiplier))
    .join(", ");
}

type InBands = Extract<Discount, { kind: "bands" }>;

/** Exact yuan for a month's quantity, in base units; a flat fee of the first band is due at 0. */
export function costInBands(
  price: Pick<PricedSku, "listPrice" | "basePerUnit">,
  { mode, bands }: InBands,
  quantity: Rational,
): Rational {
  const units = inPriceUnits(price, quantity);
  if (mode === "volume") {
    const { multiplier, flat } = bandOf(bands, units);
    return add(flat, multiply(price.listPrice, multiply(multiplier, units)));
  }
  let weighted = zero;
  let fees = present(bands[0], "a first band").flat;
  for (const [index, { above, upTo, multiplier, flat }] of portions(bands, units).entries()) {
    weighted = add(weighted, multiply(multiplier, subtract(upTo, above)));
    if (index > 0) fees = add(fees, flat);
  }
  return add(fees, multiply(price.listPrice, weighted));
}

/** The band that a total falls in, its bound included. */
function bandOf(bands: readonly Band[], units: Rational): Band {
  const reached = bands.find(
    ({ upToHours }) => upToHours === null || compare(units, upToHours) <= 0,
  );
  return present(reached, "a band without a bound");
}

interface Portion {
  readonly above: Rational;
  readonly upTo: Rational;
  readonly multiplier: Rational;
  readonly flat: Rational;
}

/** The part of (0, units] in each band that it reaches. */
function portions(bands: readonly Band[], units: Rational): Portion[] {
  const reached: Portion[] = [];
  let above = zero;
  for (const { upToHours, multiplier, flat } of bands) {
    if (compare(units, above) <= 0) break;
    const upTo = upToHours === null ? units : smaller(units, upToHours);
    reached.push({ above, upTo, multiplier, flat });
    above = upTo;
  }
  return reached;
}
