/**
 * One pass over one tenant, decided: from what is posted, what was used and what it costs, the
 * lines that stand provisionally, those that become final now, and the usage that has no price.
 * Pure; loop.ts reads before it and writes after it.
 */
import { pricesOn, type PriceBook, type PricesInForce } from "#catalog/price-profiles.ts";
import { skuPrice, type PricedSku } from "#catalog/sku.ts";
import { assert, present } from "#kernel/assert.ts";
import {
  addDays,
  addMonths,
  dayOf,
  dayStart,
  monthOf,
  type LocalDay,
  type LocalMonth,
} from "#kernel/calendar.ts";
import { add, formatRational, rational, zero, type Rational } from "#kernel/rational.ts";
import type { TimeZone } from "#kernel/zone.ts";

import type { Adjustment, PriceOf, Refusal } from "./decide.ts";
import { planMonth } from "./plan.ts";
import type { ChargeLine } from "./store.ts";
import type { DayLine } from "./telescope.ts";
import type { QuantitiesByDay } from "./usage.ts";

/** A day is posted that long after its end (R-DAY-3). */
export const postAfterMs = 48 * 3_600_000;
/** What the multiplier of an adjustment says: it is the difference of two ratings of the month. */
const rerated = "re-rated";

/** What a pass has to look at; known before the usage is read. */
export interface Horizon {
  readonly postedThrough: LocalDay;
  /** The last day that may be posted now; `postedThrough` if none more may. */
  readonly postThrough: LocalDay;
  /** When the day after `postThrough` may be posted. */
  readonly postNextAt: number;
  readonly today: LocalDay;
  /** Posted days from here on are compared with their usage. After `today`: none are. */
  readonly adjustableFrom: LocalDay;
  /** Usage is needed from this local day on. */
  readonly usageFrom: LocalDay;
}

export interface HorizonAsk {
  readonly zone: TimeZone;
  readonly now: number;
  readonly postedThrough: LocalDay;
  /** Usage of a posted day counts if it comes within so many days (R-LATE-1). */
  readonly lateDaysMax: number;
}

/**
 * A pass that posts a day also looks for late usage of the days before; the others, once a minute,
 * read only the usage of days that are not posted.
 */
export function horizonOf({ zone, now, postedThrough, lateDaysMax }: HorizonAsk): Horizon {
  const today = dayOf(zone, now);
  // The day that contained this instant ended at most 48 h ago, so the one before it is due.
  const due = addDays(dayOf(zone, now - postAfterMs), -1);
  const postThrough = due > postedThrough ? due : postedThrough;
  const unposted = addDays(postedThrough, 1);
  const adjustableFrom = addDays(today, postThrough > postedThrough ? -lateDaysMax : 1);
  return {
    postedThrough,
    postThrough,
    postNextAt: dayStart(zone, addDays(postThrough, 2)) + postAfterMs,
    today,
    adjustableFrom,
    usageFrom: adjustableFrom < unposted ? adjustableFrom : unposted,
  };
}

export interface PassAsk {
  readonly horizon: Horizon;
  readonly book: PriceBook;
  /** From `usageFrom` on. */
  readonly usage: QuantitiesByDay;
  /** Of the months from that of `usageFrom` on. */
  readonly posted: readonly ChargeLine[];
  readonly now: number;
}

export interface Pass {
  readonly provisional: readonly ChargeLine[];
  /** Lines of days that become final, and adjustments of days that were. */
  readonly post: readonly ChargeLine[];
  /** Usage without a price: it has no line until there is one. */
  readonly refusals: readonly Refusal[];
}

export function decidePass(ask: PassAsk): Pass {
  const { horizon, book, usage, posted } = ask;
  const priceOf: PriceOf = (sku, day) => {
    const prices = pricesOn(book, day);
    return prices === undefined ? { kind: "on_request", sku } : skuPrice(prices.profile, sku);
  };
  const postedBySku = quantitiesOf(posted);
  const skus = new Set([...usage.keys(), ...postedBySku.keys()]);
  const provisional: ChargeLine[] = [];
  const post: ChargeLine[] = [];
  const refusals: Refusal[] = [];
  for (const sku of [...skus].toSorted()) {
    const known = postedBySku.get(sku) ?? new Map<LocalDay, Rational>();
    const days = daysToRate(usage.get(sku) ?? new Map(), known, horizon);
    for (const refusal of unpriced(sku, days, priceOf)) {
      days.delete(refusal.day);
      refusals.push(refusal);
    }
    for (const month of monthsOf(horizon)) {
      const plan = planMonth({ sku, month, days, posted: known, priceOf, ...horizon });
      assert(plan.kind === "planned", "days without a price were taken out");
      provisional.push(...plan.provisional.map((line) => lineOf(ask, line, undefined)));
      post.push(...plan.post.map((line) => lineOf(ask, line, ask.now)));
      post.push(...plan.adjustments.map((each) => adjustmentLine(ask, each, priceOf)));
    }
  }
  return { provisional, post, refusals };
}

/** Usage where it was read, what was posted before that. */
function daysToRate(
  usage: ReadonlyMap<LocalDay, Rational>,
  posted: ReadonlyMap<LocalDay, Rational>,
  { usageFrom, today }: Horizon,
): Map<LocalDay, Rational> {
  return new Map([
    ...[...posted].filter(([day]) => day < usageFrom),
    ...[...usage].filter(([day]) => day >= usageFrom && day <= today),
  ]);
}

/** A price that is missing on some days must not keep the other days from being charged. */
function unpriced(
  sku: string,
  days: ReadonlyMap<LocalDay, Rational>,
  priceOf: PriceOf,
): readonly Refusal[] {
  return [...days.keys()]
    .filter((day) => priceOf(sku, day).kind === "on_request")
    .map((day) => ({ kind: "refused", sku, day, reason: "no_price" }));
}

function monthsOf({ usageFrom, today }: Horizon): LocalMonth[] {
  const months: LocalMonth[] = [];
  for (let month = monthOf(usageFrom); month <= monthOf(today); month = addMonths(month, 1)) {
    months.push(month);
  }
  return months;
}

/** What the posted lines of each day rest on, adjustments included. */
function quantitiesOf(lines: readonly ChargeLine[]): Map<string, Map<LocalDay, Rational>> {
  const bySku = new Map<string, Map<LocalDay, Rational>>();
  for (const { sku, serviceDay, quantity } of lines) {
    const days = bySku.get(sku) ?? new Map<LocalDay, Rational>();
    bySku.set(sku, days.set(serviceDay, add(days.get(serviceDay) ?? zero, quantity)));
  }
  return bySku;
}

function lineOf(ask: PassAsk, line: DayLine, postedAt: number | undefined): ChargeLine {
  return {
    serviceDay: line.day,
    sku: line.sku,
    revision: 0,
    quantity: line.quantity,
    ...priceFields(line.price),
    multiplier: line.multiplier,
    amount: line.amount,
    profileId: inForce(ask.book, line.day).id,
    billedMonth: monthOf(line.day),
    postedAt,
  };
}

function adjustmentLine(ask: PassAsk, adjustment: Adjustment, priceOf: PriceOf): ChargeLine {
  const { horizon, posted, book, now } = ask;
  const { serviceDay, sku, quantity, amount } = adjustment;
  const price = priceOf(sku, serviceDay);
  const earlier = posted.filter((line) => line.serviceDay === serviceDay && line.sku === sku);
  const openMonth = monthOf(addDays(horizon.postedThrough, 1));
  const month = monthOf(serviceDay);
  return {
    serviceDay,
    sku,
    // A day without a line of its own leaves revision 0 free: an adjustment is never a day line.
    revision: Math.max(0, ...earlier.map(({ revision }) => revision)) + 1,
    quantity,
    ...priceFields(present(price.kind === "priced" ? price : undefined, `the price of ${sku}`)),
    multiplier: rerated,
    amount,
    profileId: inForce(book, serviceDay).id,
    // The invoice of a month is final once its last day is posted; then the next one has the line.
    billedMonth: month < openMonth ? openMonth : month,
    postedAt: now,
  };
}

function priceFields(price: PricedSku): Pick<ChargeLine, "unit" | "basePerUnit" | "listPrice"> {
  const { unit, basePerUnit, listPrice } = price;
  return { unit, basePerUnit, listPrice: formatRational(listPrice) };
}

function inForce(book: PriceBook, day: LocalDay): PricesInForce {
  return present(pricesOn(book, day), `a price profile on ${day}`);
}

/** In the price's unit, for people: GPU-hours, core-hours, GiB-hours, GiB-days. */
export function quantityInUnits(line: Pick<ChargeLine, "quantity" | "basePerUnit">): Rational {
  return rational(line.quantity.numerator, line.quantity.denominator * line.basePerUnit);
}
