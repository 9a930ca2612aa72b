/** Vectors of storage, tax, weeks, prices beside each other, and plain rounding. */
import { z } from "zod";

import { skuPrice, type PricedSku } from "#catalog/sku.ts";
import { splitVat } from "#catalog/tax.ts";
import { addDays, isoWeekOf, monthOf, type LocalDay } from "#kernel/calendar.ts";
import { formatFen } from "#kernel/money.ts";
import { bytesPerGib, secondsPerDay, secondsPerHour } from "#kernel/quantity.ts";
import {
  formatRational,
  multiply,
  one,
  rational,
  sum,
  zero,
  type Rational,
} from "#kernel/rational.ts";
import { roundHalfAway, roundToFen } from "#kernel/rounding.ts";

import { costInBands, costOfStep } from "#flow/rate/bands.ts";
import { rateMonth, totalOf } from "#flow/rate/decide.ts";
import type { DayLine } from "#flow/rate/telescope.ts";
import { count, day, decimal, kindOf, priced, tier, yuan, type VectorKind } from "./schema.ts";

const boundedTier = z.object({
  up_to: decimal.nullable(),
  unit: decimal,
  flat: decimal,
});

export const ordinaryKinds = {
  storage_day: kindOf(z.object({ tier, avg_gib: decimal }), (input, profile) => {
    const price = priced(skuPrice(profile, "storage", input.tier));
    return { amount: dayCost(price, gibDays(input.avg_gib)) };
  }),

  storage_day_integral: kindOf(
    z.object({ tier, samples: z.array(z.object({ gib: decimal, seconds: count })) }),
    (input, profile) => {
      const gibSeconds = sum(
        input.samples.map(({ gib, seconds }) => multiply(gib, rational(seconds))),
      );
      const price = priced(skuPrice(profile, "storage", input.tier));
      return {
        avg_gib: formatRational(multiply(gibSeconds, rational(1n, secondsPerDay))),
        amount: dayCost(price, multiply(gibSeconds, rational(bytesPerGib))),
      };
    },
  ),

  storage_month: kindOf(
    z.object({ tier, avg_gib_per_day: decimal, first_day: day, days: z.int().min(1).max(31) }),
    (input, profile) => {
      const price = priced(skuPrice(profile, "storage", input.tier));
      const eachDay = gibDays(input.avg_gib_per_day);
      const lines = monthLines(price, input.first_day, input.days, eachDay);
      const [first] = lines;
      return {
        total: formatFen(totalOf(lines)),
        first_line: first && { date: first.day, amount: formatFen(first.amount) },
        first_three: lines.slice(0, 3).map(({ amount }) => formatFen(amount)),
      };
    },
  ),

  vat: kindOf(z.object({ gross: yuan }), ({ gross }, profile) => {
    const { net, vat } = splitVat(profile, gross);
    return { net: formatFen(net), vat: formatFen(vat) };
  }),

  export_week: kindOf(z.object({ date: day }), ({ date }) => {
    const { name, from, until } = isoWeekOf(date);
    return { week_start: from, week_end_exclusive: until, iso_week: name };
  }),

  cross_price: kindOf(z.object({ cores: count, hours: count }), ({ cores, hours }, profile) => {
    const price = priced(skuPrice(profile, "cpu.core"));
    const after = rational(cores * hours * secondsPerHour);
    const startedDays = (hours + 23n) / 24n;
    const daily = profile.elastic_daily["cpu.core"] ?? zero;
    return {
      payg: formatFen(roundToFen(costOfStep(price, { before: zero, after }))),
      elastic: formatFen(roundToFen(multiply(daily, rational(cores * startedDays)))),
    };
  }),

  round_money: kindOf(z.object({ value: decimal }), ({ value }) => formatFen(roundToFen(value))),

  aggregate_before_rounding: (input) => {
    const shape = z.object({ per_window_cents: decimal, windows: z.string() });
    const { per_window_cents: cents, windows } = shape.parse(input);
    return { kind: "got", got: String(roundHalfAway(multiply(cents, rational(BigInt(windows))))) };
  },

  /** Other systems' tiers: bands of a price of 1, where the multiplier is the unit price. */
  tier: kindOf(
    z.object({
      mode: z.enum(["graduated", "volume"]),
      tiers: z.array(boundedTier).min(1),
      quantity: decimal,
    }),
    ({ mode, tiers, quantity }) => {
      const bands = tiers.map(({ up_to: upToHours, unit: multiplier, flat }) => ({
        upToHours,
        multiplier,
        flat,
      }));
      const price = { listPrice: one, basePerUnit: 1n };
      return formatRational(costInBands(price, { kind: "bands", mode, bands }, quantity));
    },
  ),
} satisfies Record<string, VectorKind>;

/** The byte-seconds of so many GiB over one day. */
function gibDays(gib: Rational): Rational {
  return multiply(gib, rational(bytesPerGib * secondsPerDay));
}

function dayCost(price: PricedSku, quantity: Rational): string {
  return formatFen(roundToFen(costOfStep(price, { before: zero, after: quantity })));
}

function monthLines(
  price: PricedSku,
  from: LocalDay,
  length: number,
  eachDay: Rational,
): readonly DayLine[] {
  const days = new Map(
    Array.from({ length }, (_, index) => [addDays(from, index), eachDay] as const),
  );
  const rated = rateMonth({ sku: price.sku, month: monthOf(from), days, priceOf: () => price });
  return rated.kind === "rated" ? rated.lines : [];
}
