/** Vectors of pay-as-you-go usage: segments in, day lines out. */
import { z } from "zod";

import type { PriceProfile } from "#catalog/profile.ts";
import { skuPrice } from "#catalog/sku.ts";
import { addDays, dayOf, firstDay, localMonth, monthOf, type LocalDay } from "#kernel/calendar.ts";
import { Failure } from "#kernel/failure.ts";
import { interval } from "#kernel/interval.ts";
import { formatFen } from "#kernel/money.ts";
import { secondsPerHour } from "#kernel/quantity.ts";
import { divide, formatRational, multiply, rational, sum, zero } from "#kernel/rational.ts";
import { roundToFen } from "#kernel/rounding.ts";
import { billingZone } from "#kernel/zone.ts";

import { costOfStep } from "#flow/rate/bands.ts";
import {
  adjustmentsFor,
  rateMonth,
  totalOf,
  type MonthOfSku,
  type PriceOf,
} from "#flow/rate/decide.ts";
import { splitLine } from "#flow/rate/shares.ts";
import type { DayLine, Running } from "#flow/rate/telescope.ts";
import { distinct, quantitiesByDay, type QuantitiesByDay, type Usage } from "#flow/rate/usage.ts";
import {
  count,
  day,
  decimal,
  instant,
  kindOf,
  month,
  monthCost,
  priced,
  zone,
  type VectorKind,
} from "./schema.ts";

const segment = z.object({
  sku: z.string(),
  units: count,
  start: instant,
  end: instant,
  billable: z.boolean().default(true),
});

export const paygKinds = {
  payg_rate: kindOf(
    z.object({
      segments: z.array(segment),
      /** By "sku|month": what the month held before the segments. */
      prior_month_unit_seconds: z.record(z.string(), count).default({}),
      billing_timezone: zone.default(billingZone),
    }),
    (input, profile) => {
      const usages = input.segments.map((each, index) => usageOf({ ...each, id: String(index) }));
      const starts = new Map(
        Object.entries(input.prior_month_unit_seconds).map(([key, units]) => [
          key,
          startedMonth(profile, key, units),
        ]),
      );
      const lines = rateDays({
        days: quantitiesByDay(input.billing_timezone, usages),
        priceOf: (sku) => skuPrice(profile, sku),
        starts,
      });
      return {
        lines: lines.map(({ day: date, sku, quantity, amount }) => ({
          date,
          sku,
          unit_seconds: Number(formatRational(quantity)),
          amount: formatFen(amount),
        })),
        total: formatFen(totalOf(lines)),
      };
    },
  ),

  payg_price_change: kindOf(
    z.object({
      ...segment.omit({ billable: true }).shape,
      prices: z.array(z.object({ from: instant, hourly: decimal })).min(1),
    }),
    (input, profile) => {
      const versions = input.prices.map(({ from, hourly }) => ({
        firstDay: dayOf(billingZone, from),
        listPrice: hourly,
      }));
      const priceOf: PriceOf = (sku, onDay) => {
        const inForce = versions.findLast((version) => version.firstDay <= onDay);
        if (inForce === undefined) return { kind: "on_request", sku };
        return { ...priced(skuPrice(profile, sku)), listPrice: inForce.listPrice };
      };
      const usage = usageOf({ ...input, id: "0", billable: true });
      const lines = rateDays({ days: quantitiesByDay(billingZone, [usage]), priceOf });
      return {
        lines: lines.map(({ day: date, amount }) => ({ date, amount: formatFen(amount) })),
        total: formatFen(totalOf(lines)),
      };
    },
  ),

  payg_vgpu: kindOf(
    z.object({ sku: z.string(), fraction: decimal, slices: count, hours: decimal }),
    ({ sku, fraction, slices, hours }, profile) => {
      const price = priced(skuPrice(profile, sku));
      const held = multiply(multiply(fraction, rational(slices)), hours);
      const after = multiply(held, rational(secondsPerHour));
      return {
        slice_hourly: formatFen(roundToFen(multiply(price.listPrice, fraction))),
        total: formatFen(roundToFen(costOfStep(price, { before: zero, after }))),
        band_gpu_hours_counted: formatRational(divide(after, rational(price.basePerUnit))),
      };
    },
  ),

  job_breakdown: kindOf(
    z.object({
      sku: z.string(),
      date: day,
      jobs: z.array(z.object({ id: z.string(), unit_seconds: count })),
    }),
    ({ sku, date, jobs }, profile) => {
      const parts = jobs.map(({ id, unit_seconds: units }) => ({ id, quantity: rational(units) }));
      const quantity = sum(parts.map((part) => part.quantity));
      const days = new Map([[sku, new Map([[date, quantity]])]]);
      const line = totalOf(rateDays({ days, priceOf: () => skuPrice(profile, sku) }));
      return {
        day_line: formatFen(line),
        jobs: splitLine(line, parts).map(({ id, amount }) => ({ id, amount: formatFen(amount) })),
      };
    },
  ),

  dedupe: kindOf(
    z.object({
      sku: z.string(),
      events: z.array(z.object({ source: z.string(), id: z.string(), unit_seconds: count })),
    }),
    ({ sku, events }, profile) => {
      const kept = new Set(distinct(events));
      const quantity = rational([...kept].reduce((units, event) => units + event.unit_seconds, 0n));
      return {
        accepted: events.map((event) => kept.has(event)),
        total: formatFen(monthCost(profile, sku, quantity)),
      };
    },
  ),

  band_edge: kindOf(
    z.object({ sku: z.string(), unit_seconds: z.array(count) }),
    ({ sku, unit_seconds: quantities }, profile) => ({
      totals: quantities.map((units) => formatFen(monthCost(profile, sku, rational(units)))),
    }),
  ),

  late_usage: kindOf(
    z.object({
      sku: z.string(),
      month,
      billed_unit_seconds: count,
      late_unit_seconds: count,
      received: day,
    }),
    (input, profile) => {
      const billed = firstDay(input.month);
      const late = addDays(billed, 27);
      const posted = new Map([[billed, rational(input.billed_unit_seconds)]]);
      const ask: MonthOfSku = {
        ...input,
        days: new Map([...posted, [late, rational(input.late_unit_seconds)]]),
        priceOf: (sku) => skuPrice(profile, sku),
      };
      const adjusted = adjustmentsFor({
        ...ask,
        posted,
        postedThrough: late,
        adjustableFrom: addDays(input.received, -profile.late_usage_max_days),
      });
      if (adjusted.kind === "refused") throw noPrice(adjusted.sku);
      return {
        already_billed: formatFen(totalOf(linesOf({ ...ask, days: posted }))),
        rerated: formatFen(totalOf(linesOf(ask))),
        adjustment_on_next_invoice: formatFen(totalOf(adjusted.adjustments)),
      };
    },
  ),
} satisfies Record<string, VectorKind>;

interface DaysToRate {
  readonly days: QuantitiesByDay;
  readonly priceOf: PriceOf;
  readonly starts?: ReadonlyMap<string, Running>;
}

/** Every line, by day and then SKU. */
function rateDays({ days, priceOf, starts }: DaysToRate): DayLine[] {
  const lines = [...days].flatMap(([sku, ofSku]) =>
    [...new Set([...ofSku.keys()].map((each) => monthOf(each)))].flatMap((ofMonth) => {
      const start = starts?.get(`${sku}|${ofMonth}`);
      const ask = { sku, month: ofMonth, days: ofSku, priceOf };
      return linesOf(start === undefined ? ask : { ...ask, start });
    }),
  );
  return lines.toSorted((a, b) => (lineKey(a) < lineKey(b) ? -1 : 1));
}

function linesOf(ask: MonthOfSku): readonly DayLine[] {
  const rated = rateMonth(ask);
  if (rated.kind === "refused") throw noPrice(rated.sku);
  return rated.lines;
}

function lineKey(line: { readonly day: LocalDay; readonly sku: string }): string {
  return `${line.day} ${line.sku}`;
}

function startedMonth(profile: PriceProfile, key: string, units: bigint): Running {
  const [sku = "", ofMonth = ""] = key.split("|");
  const days = new Map([[firstDay(localMonth(ofMonth)), rational(units)]]);
  const rated = rateMonth({
    sku,
    month: localMonth(ofMonth),
    days,
    priceOf: () => skuPrice(profile, sku),
  });
  if (rated.kind === "refused") throw noPrice(sku);
  return rated.running;
}

interface Segment extends z.output<typeof segment> {
  readonly id: string;
}

function usageOf({ id, sku, units, start, end, billable }: Segment): Usage {
  const span = interval(start, end);
  return {
    source: "vector",
    id,
    projectId: "",
    sku,
    units,
    slice: 1n,
    span,
    billable,
    isJob: true,
  };
}

function noPrice(sku: string): Failure {
  return new Failure("rule_violation", `${sku} has no price in this profile.`);
}
