/** Parts of a period by whole local days (R-VM-5), and what an upgrade in its middle costs. */
import { assert } from "#kernel/assert.ts";
import { daysBetween, type LocalDay } from "#kernel/calendar.ts";
import { fen, subtractFen, type Fen } from "#kernel/money.ts";
import { multiply, rational, type Rational } from "#kernel/rational.ts";
import { roundToFen } from "#kernel/rounding.ts";

import type { Period } from "./term.ts";

/** The days of [from, until) as a share of those of the period. */
export function shareOfPeriod(part: Period<LocalDay>, whole: Period<LocalDay>): Rational {
  const days = daysBetween(whole.from, whole.until);
  assert(days > 0, "a period has a day");
  return rational(BigInt(daysBetween(part.from, part.until)), BigInt(days));
}

/** A share of an amount, rounded once. */
export function prorated(amount: Fen, share: Rational): Fen {
  return roundToFen(multiply(rational(amount, 100n), share));
}

export interface UpgradeCharge {
  /** From the day of the change on, which counts. */
  readonly remainingDays: number;
  readonly periodDays: number;
  readonly charge: Fen;
}

/** What the rest of a paid period costs more in another size; its end does not move. */
export function upgradeCharge(ask: {
  readonly period: Period<LocalDay>;
  readonly changeOn: LocalDay;
  readonly oldPrice: Fen;
  readonly newPrice: Fen;
}): UpgradeCharge {
  const { period, changeOn, oldPrice, newPrice } = ask;
  const rest = { from: changeOn, until: period.until };
  return {
    remainingDays: daysBetween(rest.from, rest.until),
    periodDays: daysBetween(period.from, period.until),
    charge: prorated(fen(subtractFen(newPrice, oldPrice)), shareOfPeriod(rest, period)),
  };
}
