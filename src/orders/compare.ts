/**
 * "Cheaper if …": one way to buy against the others, with the point from which the other costs no
 * more. A month is 30 days and 720 hours, as in every quote; the bill itself counts seconds. Pure.
 */
import type { PriceProfile } from "#catalog/profile.ts";
import { hoursPerQuotedDay, hoursPerQuotedMonth } from "#catalog/quote.ts";
import type { SkuPrice } from "#catalog/sku.ts";
import { costOfStep } from "#flow/rate/bands.ts";
import { fen, type Fen } from "#kernel/money.ts";
import { secondsPerHour } from "#kernel/quantity.ts";
import { compare, multiply, rational, sum, zero, type Rational } from "#kernel/rational.ts";
import type { HeldResource } from "#kernel/resources.ts";
import { roundToFen } from "#kernel/rounding.ts";

import { packageOffer } from "./package-rules.ts";

export type Way =
  | { readonly kind: "on_demand" }
  /** As jobs that a package pays for. */
  | { readonly kind: "package"; readonly code: string }
  | { readonly kind: "monthly"; readonly sku: string }
  | { readonly kind: "annual"; readonly sku: string }
  | { readonly kind: "expansion" }
  | { readonly kind: "upgrade"; readonly sku: string };

export type BreakEvenUnit = "hours_a_month" | "hours_a_day" | "months" | "days" | "yuan";

export interface Comparison {
  readonly way: Way;
  /** What that way costs for the same time, used to the full. */
  readonly amount: Fen;
  readonly unit: BreakEvenUnit;
  /** The other way is cheaper below it, or above it; both cost the same at it, or nearly. */
  readonly cheaper: "below" | "above" | "always" | "never";
  /** Whole units, or yuan; `undefined` for `always` and `never`. */
  readonly breakEven: bigint | undefined;
}

/** What so many units cost for some hours of one month, volume bands included. */
export type HourCost = (hours: bigint) => Rational;

/** `undefined` where something of it has no price. */
export function onDemandCost(
  resources: readonly HeldResource[],
  priceOf: (sku: string) => SkuPrice,
): HourCost | undefined {
  const parts: HourCost[] = [];
  for (const { sku, units, slice } of resources) {
    const price = priceOf(sku);
    if (price.kind === "on_request") return undefined;
    parts.push((hours) => {
      const after = rational(units * hours * secondsPerHour, slice);
      return costOfStep(price, { before: zero, after });
    });
  }
  return (hours) => sum(parts.map((part) => part(hours)));
}

/** The same, paid by credit of a package: each yuan of it costs less than one. */
export function withPackage(profile: PriceProfile, code: string, cost: HourCost): HourCost {
  const offer = packageOffer(profile, code);
  if (offer === undefined || offer.credit === 0n) return cost;
  const share = rational(offer.price, offer.credit);
  return (hours) => multiply(cost(hours), share);
}

/** The package with the largest bonus for its price; `undefined` where none is sold. */
export function bestPackage(profile: PriceProfile): string | undefined {
  return Object.keys(profile.packages).toSorted((a, b) => {
    const [x, y] = [profile.packages[a], profile.packages[b]];
    return x === undefined || y === undefined ? 0 : compare(y.bonus_rate, x.bonus_rate);
  })[0];
}

/** By the hour against a fixed price of a month, of `months` of them. */
export function byTheHour(
  way: Way,
  {
    cost,
    months,
    price,
  }: { readonly cost: HourCost; readonly months: bigint; readonly price: Fen },
): Comparison {
  const monthly = rational(price, 100n * months);
  const full = roundToFen(multiply(cost(hoursPerQuotedMonth), rational(months)));
  const first = firstWhere(hoursPerQuotedMonth, (hours) => compare(cost(hours), monthly) >= 0);
  return { way, amount: full, unit: "hours_a_month", ...below(first) };
}

/** By the hour against a fixed price of a day, for `days` of them. */
export function byTheDaysHour(
  way: Way,
  { cost, days, daily }: { readonly cost: HourCost; readonly days: bigint; readonly daily: Fen },
): Comparison {
  const limit = rational(daily, 100n);
  const amount = roundToFen(multiply(cost(hoursPerQuotedDay), rational(days)));
  const first = firstWhere(hoursPerQuotedDay, (hours) => compare(cost(hours), limit) >= 0);
  return { way, amount, unit: "hours_a_day", ...below(first) };
}

/** A fixed price of a month against use by the hour: cheaper from so many hours on. */
export function againstHours(
  way: Way,
  ask: {
    readonly cost: HourCost;
    readonly monthly: Fen;
    /** What is paid at once, where that is more than a month. */
    readonly term?: Fen;
  },
): Comparison {
  const { cost, monthly, term = monthly } = ask;
  const limit = rational(monthly, 100n);
  const first = firstWhere(hoursPerQuotedMonth, (hours) => compare(cost(hours), limit) > 0);
  return {
    way,
    amount: term,
    unit: "hours_a_month",
    ...(first === undefined
      ? { cheaper: "never", breakEven: undefined }
      : { cheaper: "above", breakEven: first - 1n }),
  };
}

/** Month by month against a year: which is cheaper depends on how long it is kept. */
export function monthsAgainstYear(ask: {
  readonly sku: string;
  readonly ordered: "monthly" | "annual";
  readonly monthly: Fen;
  readonly annual: Fen;
}): Comparison {
  const { sku, ordered, monthly, annual } = ask;
  if (ordered === "monthly") {
    const way = { kind: "annual", sku } as const;
    const months = monthly === 0n ? 12n : annual / monthly;
    return months >= 12n
      ? { way, amount: annual, unit: "months", cheaper: "never", breakEven: undefined }
      : { way, amount: annual, unit: "months", cheaper: "above", breakEven: months };
  }
  const months = monthly === 0n ? 0n : (annual + monthly - 1n) / monthly;
  const way = { kind: "monthly", sku } as const;
  const amount = fen(monthly * 12n);
  return months > 12n
    ? { way, amount, unit: "months", cheaper: "always", breakEven: undefined }
    : { way, amount, unit: "months", cheaper: "below", breakEven: months };
}

/** So much a day against a sum for the rest of the term; the sum is cheaper for longer. */
export function daysAgainstSum(ask: {
  readonly way: Way;
  readonly ordered: "by_day" | "sum";
  readonly daily: Fen;
  readonly total: Fen;
  readonly daysLeft: bigint;
}): Comparison {
  const { way, ordered, daily, total, daysLeft } = ask;
  const unit = "days";
  if (ordered === "by_day") {
    const days = daily === 0n ? daysLeft : total / daily;
    return days >= daysLeft
      ? { way, amount: total, unit, cheaper: "never", breakEven: undefined }
      : { way, amount: total, unit, cheaper: "above", breakEven: days };
  }
  const days = daily === 0n ? daysLeft : (total + daily - 1n) / daily;
  const amount = fen(daily * daysLeft);
  return days > daysLeft
    ? { way, amount, unit, cheaper: "always", breakEven: undefined }
    : { way, amount, unit, cheaper: "below", breakEven: days };
}

/** The smallest whole number up to a limit of which something holds, and of all above it. */
function firstWhere(limit: bigint, holds: (count: bigint) => boolean): bigint | undefined {
  if (!holds(limit)) return undefined;
  // Where bands are read by volume more can cost less, so that the last change counts: from above.
  let first = limit;
  while (first > 1n && holds(first - 1n)) first -= 1n;
  return first;
}

function below(first: bigint | undefined): Pick<Comparison, "cheaper" | "breakEven"> {
  return first === undefined
    ? { cheaper: "always", breakEven: undefined }
    : { cheaper: "below", breakEven: first };
}

/** One price by the hour, day and month; `term` is what is paid. */
export interface Rates {
  readonly hourly: Fen;
  readonly daily: Fen;
  readonly monthly: Fen;
  readonly term: Fen;
}

export function ratesOfMonths(term: Fen, months: bigint): Rates {
  const monthly = rational(term, 100n * months);
  return rates(term, multiply(monthly, rational(1n, hoursPerQuotedMonth)));
}

export function ratesOfDays(term: Fen, days: bigint): Rates {
  return rates(term, rational(term, 100n * days * hoursPerQuotedDay));
}

function rates(term: Fen, hourly: Rational): Rates {
  return {
    hourly: roundToFen(hourly),
    daily: roundToFen(multiply(hourly, rational(hoursPerQuotedDay))),
    monthly: roundToFen(multiply(hourly, rational(hoursPerQuotedMonth))),
    term,
  };
}
