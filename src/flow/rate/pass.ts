/**
 * One pass over one tenant, decided: from what is posted, what was used and what it costs, the
 * lines that stand provisionally, those that become final now, and the usage that has no price.
 * Pure; loop.ts reads before it and writes after it, posting.ts says who pays.
 *
 * What must stay true: usage without a price is never rated at zero, and stops the tenant: no day
 * from its day on is posted until there is a price.
 */
import { assert } from "#kernel/assert.ts";
import { addDays, addMonths, monthOf, type LocalDay, type LocalMonth } from "#kernel/calendar.ts";
import { add, equals, zero, type Rational } from "#kernel/rational.ts";

import { baseFeeLine, baseFeeSku } from "./base-fee.ts";
import type { PriceOf, Refusal } from "./decide.ts";
import type { Horizon } from "./horizon.ts";
import type { ChargeLine, RatedLine } from "./lines.ts";
import { adjustmentLine, lineOf } from "./make-lines.ts";
import { planMonth } from "./plan.ts";
import { priceOn, type TenantPrices } from "./prices.ts";
import type { QuantitiesByDay } from "./usage.ts";

export interface PassAsk {
  readonly horizon: Horizon;
  readonly prices: TenantPrices;
  /** From `usageFrom` on. */
  readonly usage: QuantitiesByDay;
  /** The part of it that managed jobs used. */
  readonly jobUsage: QuantitiesByDay;
  /** Of the months from that of `usageFrom` on. */
  readonly posted: readonly ChargeLine[];
  /** The tenant's first rated day ever. */
  readonly ratedFrom: LocalDay;
  readonly now: number;
}

export interface Pass {
  readonly provisional: readonly RatedLine[];
  /** Lines of days that become final, by day and SKU; then adjustments of days that were. */
  readonly post: readonly RatedLine[];
  /** The last day that is posted now. */
  readonly postThrough: LocalDay;
  /** Usage without a price: it has no line, and the first of them stops the tenant's rating. */
  readonly refusals: readonly Refusal[];
}

export function decidePass(ask: PassAsk): Pass {
  const priceOf: PriceOf = (sku, day) => priceOn(ask.prices, sku, day);
  const posted = ask.posted.filter(({ sku }) => sku !== baseFeeSku);
  const known = quantitiesOf(posted, ({ quantity }) => quantity);
  const knownJobs = quantitiesOf(posted, ({ jobQuantity }) => jobQuantity);
  const skus = [...new Set([...ask.usage.keys(), ...known.keys()])].toSorted();
  const days = new Map(
    skus.map((sku) => [
      sku,
      daysToRate(daysOfSku(ask.usage, sku), daysOfSku(known, sku), ask.horizon),
    ]),
  );
  const refusals = skus.flatMap((sku) => unpriced(sku, daysOfSku(days, sku), priceOf));
  for (const { sku, day } of refusals) days.get(sku)?.delete(day);
  const horizon = stoppedBy(ask.horizon, refusals);
  const { postedThrough } = ask.horizon;
  const context = { prices: ask.prices, posted, postedThrough, now: ask.now };
  const provisional: RatedLine[] = [];
  const dayLines: RatedLine[] = [];
  const adjustments: RatedLine[] = [];
  for (const sku of skus) {
    const jobs = daysToRate(daysOfSku(ask.jobUsage, sku), daysOfSku(knownJobs, sku), ask.horizon);
    const ofSku = {
      sku,
      days: daysOfSku(days, sku),
      posted: daysOfSku(known, sku),
      priceOf,
      ...horizon,
    };
    const moved = movedDays(jobs, daysOfSku(knownJobs, sku));
    for (const month of monthsOf(ask.horizon)) {
      const plan = planMonth({ ...ofSku, month, moved });
      assert(plan.kind === "planned", "days without a price were taken out");
      const jobsOn = (day: LocalDay): Rational => jobs.get(day) ?? zero;
      provisional.push(...plan.provisional.map((line) => lineOf(context, line, jobsOn(line.day))));
      dayLines.push(...plan.post.map((line) => lineOf(context, line, jobsOn(line.day))));
      adjustments.push(
        ...plan.adjustments.map((each) => adjustmentLine(context, each, jobsOn(each.serviceDay))),
      );
    }
  }
  for (const line of baseFees(ask)) {
    (line.serviceDay <= horizon.postThrough ? dayLines : provisional).push(line);
  }
  const post = [...dayLines.toSorted(byDayAndSku), ...adjustments.toSorted(byDayAndSku)];
  return {
    provisional: provisional.toSorted(byDayAndSku),
    post: post.map((line) => ({ ...line, postedAt: ask.now })),
    postThrough: horizon.postThrough,
    refusals: refusals.toSorted((a, b) => (a.day < b.day ? -1 : 1)),
  };
}

/** Nothing of the day that has no price and of later ones is posted, nor are days before adjusted. */
function stoppedBy(horizon: Horizon, refusals: readonly Refusal[]): Horizon {
  const [first] = refusals.map(({ day }) => day).toSorted();
  if (first === undefined) return horizon;
  const { postedThrough, postThrough, today } = horizon;
  const before = addDays(first, -1);
  const upTo = before < postThrough ? before : postThrough;
  return {
    ...horizon,
    postThrough: upTo > postedThrough ? upTo : postedThrough,
    adjustableFrom:
      upTo > postedThrough
        ? horizon.adjustableFrom
        : addDays(postedThrough < today ? today : postedThrough, 1),
  };
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

/** Days on which jobs used more or less than the posted lines say. */
function movedDays(
  jobs: ReadonlyMap<LocalDay, Rational>,
  posted: ReadonlyMap<LocalDay, Rational>,
): ReadonlySet<LocalDay> {
  const days = [...new Set([...jobs.keys(), ...posted.keys()])];
  return new Set(days.filter((day) => !equals(jobs.get(day) ?? zero, posted.get(day) ?? zero)));
}

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

function baseFees({ horizon, prices, ratedFrom }: PassAsk): RatedLine[] {
  const { postedThrough, today } = horizon;
  return monthsOf(horizon).flatMap((month) => {
    const line = baseFeeLine({ book: prices.book, month, ratedFrom });
    if (line === undefined || line.serviceDay > today) return [];
    return line.serviceDay > postedThrough ? [line] : [];
  });
}

/** What the posted lines of each day rest on, adjustments included. */
function quantitiesOf(
  lines: readonly ChargeLine[],
  part: (line: ChargeLine) => Rational,
): Map<string, Map<LocalDay, Rational>> {
  const bySku = new Map<string, Map<LocalDay, Rational>>();
  for (const line of lines) {
    const days = bySku.get(line.sku) ?? new Map<LocalDay, Rational>();
    const before = days.get(line.serviceDay) ?? zero;
    bySku.set(line.sku, days.set(line.serviceDay, add(before, part(line))));
  }
  return bySku;
}

function daysOfSku(
  bySku: ReadonlyMap<string, ReadonlyMap<LocalDay, Rational>>,
  sku: string,
): ReadonlyMap<LocalDay, Rational> {
  return bySku.get(sku) ?? new Map<LocalDay, Rational>();
}

/** R-PKG-3: inside a day, lines go in SKU order. */
function byDayAndSku(a: RatedLine, b: RatedLine): number {
  const [left, right] = [a, b].map(({ serviceDay, sku }) => `${serviceDay} ${sku}`);
  return (left ?? "") < (right ?? "") ? -1 : 1;
}
