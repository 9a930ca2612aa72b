/**
 * Rating: usage of an account in one local month, and the price in force on each day, give one
 * line per SKU and day. Pure; the same usage and profile versions give the same lines, however
 * often and in whatever pieces it is asked.
 *
 * What must stay true: the lines of a SKU sum to the rounded cost of its month; a SKU without a
 * price is refused, never rated at zero; usage of a posted day changes no line but makes an
 * adjustment (R-LATE-1).
 */
import { monthOf, type LocalDay, type LocalMonth } from "#kernel/calendar.ts";
import { subtractFen, sumFen, type Fen } from "#kernel/money.ts";
import { equals, subtract, zero, type Rational } from "#kernel/rational.ts";

import type { SkuPrice } from "./telescope.ts";
import { lineOfDay, monthStart, type DayLine, type Running } from "./telescope.ts";

/** The price of one SKU on a local day: versions change at local midnight only (R-PAYG-5). */
export type PriceOf = (sku: string, day: LocalDay) => SkuPrice;

export interface Refusal {
  readonly kind: "refused";
  readonly sku: string;
  readonly day: LocalDay;
  readonly reason: "no_price";
}

export interface MonthOfSku {
  readonly sku: string;
  readonly month: LocalMonth;
  /** In base units; days outside the month are not looked at. */
  readonly days: ReadonlyMap<LocalDay, Rational>;
  readonly priceOf: PriceOf;
  /** Where the month stood before the first of `days`; `monthStart` if they are all of it. */
  readonly start?: Running;
}

export type RatedMonth =
  | {
      readonly kind: "rated";
      /** By day ascending. A day may cost 0.00 (R-PAYG-4); a day without usage has no line. */
      readonly lines: readonly DayLine[];
      readonly running: Running;
    }
  | Refusal;

export function rateMonth({
  sku,
  month,
  days,
  priceOf,
  start = monthStart,
}: MonthOfSku): RatedMonth {
  const lines: DayLine[] = [];
  let running = start;
  const ascending = [...days].filter(([day]) => monthOf(day) === month).toSorted(byDay);
  for (const [day, quantity] of ascending) {
    const price = priceOf(sku, day);
    if (price.kind === "on_request") return { kind: "refused", sku, day, reason: "no_price" };
    const rated = lineOfDay(running, { day, quantity, price });
    lines.push(rated.line);
    running = rated.running;
  }
  return { kind: "rated", lines, running };
}

export interface Adjustment {
  /** The day that the late usage was used on. */
  readonly serviceDay: LocalDay;
  readonly sku: string;
  /** Late usage of that day; negative where usage was taken back. */
  readonly quantity: Rational;
  /** What the month costs more by it, over the posted days, band shifts included. */
  readonly amount: Fen;
}

export interface LateUsage extends MonthOfSku {
  /** What the posted lines and adjustments of the month rest on, by day. */
  readonly posted: ReadonlyMap<LocalDay, Rational>;
  /** The last posted day: days up to it can only be adjusted. */
  readonly postedThrough: LocalDay;
  /** Days before it are past the limit for late usage and stay as they were posted (R-LATE-3). */
  readonly adjustableFrom: LocalDay;
  /** Days that need an adjustment for another reason than their quantity. */
  readonly moved?: ReadonlySet<LocalDay>;
}

/**
 * R-LATE-1: the posted days re-rated with the late usage of one more day each time; the difference
 * of the two rounded totals is that day's adjustment. So posted lines + adjustments are what the
 * posted days would have cost, had everything been known in time.
 */
export function adjustmentsFor(
  late: LateUsage,
): { readonly kind: "adjusted"; readonly adjustments: readonly Adjustment[] } | Refusal {
  const known = new Map(late.posted);
  const adjustments: Adjustment[] = [];
  let before = rateMonth({ ...late, days: known });
  if (before.kind === "refused") return before;
  for (const serviceDay of changedDays(late)) {
    const quantity = subtract(late.days.get(serviceDay) ?? zero, known.get(serviceDay) ?? zero);
    known.set(serviceDay, late.days.get(serviceDay) ?? zero);
    const after = rateMonth({ ...late, days: known });
    if (after.kind === "refused") return after;
    adjustments.push({
      serviceDay,
      sku: late.sku,
      quantity,
      amount: subtractFen(totalOf(after.lines), totalOf(before.lines)),
    });
    before = after;
  }
  return { kind: "adjusted", adjustments };
}

export function totalOf(lines: readonly { readonly amount: Fen }[]): Fen {
  return sumFen(lines.map(({ amount }) => amount));
}

function changedDays({
  days,
  posted,
  postedThrough,
  adjustableFrom,
  month,
  moved,
}: LateUsage): LocalDay[] {
  return [...new Set([...days.keys(), ...posted.keys()])]
    .filter((day) => monthOf(day) === month && day <= postedThrough && day >= adjustableFrom)
    .filter(
      (day) => moved?.has(day) === true || !equals(days.get(day) ?? zero, posted.get(day) ?? zero),
    )
    .toSorted();
}

function byDay([a]: readonly [LocalDay, Rational], [b]: readonly [LocalDay, Rational]): number {
  return a < b ? -1 : 1;
}
