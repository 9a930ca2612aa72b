/** A line: what one SKU cost on one local day, rated and then paid. */
import { dimensionOf } from "#catalog/sku.ts";
import type { LocalDay, LocalMonth } from "#kernel/calendar.ts";
import { zeroFen, type Fen } from "#kernel/money.ts";
import { rational, subtract, type Rational } from "#kernel/rational.ts";

import type { LinePayment } from "./drawdown.ts";
import { splitLine } from "./shares.ts";

export interface RatedLine {
  readonly serviceDay: LocalDay;
  readonly sku: string;
  /** 0 is the day's own line; above it, an adjustment for late usage. */
  readonly revision: number;
  /** In base units: unit-seconds, byte-seconds. */
  readonly quantity: Rational;
  /** Of managed jobs; the rest is of leases. */
  readonly jobQuantity: Rational;
  readonly unit: string;
  readonly basePerUnit: bigint;
  /** Yuan per unit, before bands and benefits: of the price list, or agreed with the tenant. */
  readonly listPrice: string;
  readonly priceSource: "list" | "contract";
  readonly multiplier: string;
  readonly amount: Fen;
  /** The part of the amount that is of jobs: all that packages may pay (R-PKG-5). */
  readonly jobAmount: Fen;
  readonly profileId: string;
  readonly billedMonth: LocalMonth;
  /** `undefined` while it is provisional. */
  readonly postedAt: number | undefined;
}

export interface ChargeLine extends RatedLine {
  /** While the line is provisional: what packages would pay by now, and the rest as wallet. */
  readonly paid: LinePayment;
}

/**
 * The jobs' part of an amount, in proportion to what they used of the quantity (R-RND-3: by largest
 * remainder, and at a tie the fen is the jobs'). Storage is never a job's.
 */
export function jobShare(
  amount: Fen,
  used: {
    readonly sku: string;
    readonly quantity: Rational;
    readonly jobQuantity: Rational;
  },
): Fen {
  if (dimensionOf(used.sku) === "storage" || used.quantity.numerator === 0n) return zeroFen;
  const [jobs] = splitLine(amount, [
    { id: "job", quantity: used.jobQuantity },
    { id: "lease", quantity: subtract(used.quantity, used.jobQuantity) },
  ]);
  return jobs?.amount ?? zeroFen;
}

/** In the price's unit, for people: GPU-hours, core-hours, GiB-hours, GiB-days. */
export function quantityInUnits(line: Pick<RatedLine, "quantity" | "basePerUnit">): Rational {
  return rational(line.quantity.numerator, line.quantity.denominator * line.basePerUnit);
}
