/**
 * A usage review (O-13): what a customer used in a month or a quarter, beside the period before, and
 * what would have been cheaper. Pure.
 */
import type { PriceProfile } from "#catalog/profile.ts";
import {
  addDays,
  addMonths,
  daysBetween,
  firstDay,
  isLocalMonth,
  localMonth,
  type LocalDay,
} from "#kernel/calendar.ts";
import { addFen, fen, subtractFen, sumFen, zeroFen, type Fen } from "#kernel/money.ts";
import { add, multiply, rational, zero, type Rational } from "#kernel/rational.ts";
import { roundHalfAway } from "#kernel/rounding.ts";

export interface ReviewPeriod {
  readonly name: string;
  /** Both included. */
  readonly from: LocalDay;
  readonly through: LocalDay;
  readonly months: number;
}

/** "2026-05" or "2026-Q2"; `undefined` for anything else. */
export function reviewPeriod(name: string): ReviewPeriod | undefined {
  const quarter = /^([0-9]{4})-Q([1-4])$/.exec(name);
  const months = quarter === null ? 1 : 3;
  const begins =
    quarter === null
      ? name
      : `${quarter[1]}-${String((Number(quarter[2]) - 1) * 3 + 1).padStart(2, "0")}`;
  if (!isLocalMonth(begins)) return undefined;
  const from = firstDay(localMonth(begins));
  const through = addDays(firstDay(addMonths(localMonth(begins), months)), -1);
  return { name, from, through, months };
}

/** The one of the same length before it. */
export function periodBefore({ from, months }: ReviewPeriod): {
  readonly from: LocalDay;
  readonly through: LocalDay;
} {
  const month = localMonth(from.slice(0, 7));
  return { from: firstDay(addMonths(month, -months)), through: addDays(from, -1) };
}

export interface ReviewLine {
  readonly day: LocalDay;
  readonly sku: string;
  /** In `unit`. */
  readonly quantity: Rational;
  readonly unit: string;
  readonly amount: Fen;
  /** The part of it that is of jobs, and so could be paid by packages. */
  readonly jobAmount: Fen;
  readonly paidByPackages: Fen;
}

export interface Review {
  readonly total: Fen;
  readonly totalBefore: Fen;
  readonly skus: readonly {
    readonly sku: string;
    readonly unit: string;
    readonly quantity: Rational;
    readonly amount: Fen;
    readonly amountBefore: Fen;
  }[];
  readonly busiest: { readonly day: LocalDay; readonly amount: Fen } | undefined;
  readonly daysWithoutUse: number;
  readonly advice: readonly Advice[];
}

export interface Advice {
  readonly kind: "package";
  readonly code: string;
  readonly price: Fen;
  /** The bonus: what the package would have paid on top. */
  readonly saves: Fen;
}

export function reviewOf(ask: {
  readonly period: ReviewPeriod;
  readonly lines: readonly ReviewLine[];
  readonly before: readonly ReviewLine[];
  readonly profile: PriceProfile;
}): Review {
  const { period, lines, before, profile } = ask;
  const byDay = new Map<LocalDay, Fen>();
  for (const { day, amount } of lines) byDay.set(day, addFen(byDay.get(day) ?? zeroFen, amount));
  const [busiest] = [...byDay].toSorted(([, a], [, b]) => (a > b ? -1 : a < b ? 1 : 0));
  const skus = [...new Set(lines.map(({ sku }) => sku))].toSorted();
  return {
    total: amountOf(lines),
    totalBefore: amountOf(before),
    skus: skus.map((sku) => {
      const own = lines.filter((line) => line.sku === sku);
      return {
        sku,
        unit: own[0]?.unit ?? "",
        quantity: own.map(({ quantity }) => quantity).reduce(add, zero),
        amount: amountOf(own),
        amountBefore: amountOf(before.filter((line) => line.sku === sku)),
      };
    }),
    busiest: busiest === undefined ? undefined : { day: busiest[0], amount: busiest[1] },
    daysWithoutUse: daysBetween(period.from, period.through) + 1 - byDay.size,
    advice: packageAdvice(period, lines, profile),
  };
}

/** The largest package that the jobs of its validity would have used up at this pace. */
function packageAdvice(
  { months }: ReviewPeriod,
  lines: readonly ReviewLine[],
  { packages }: PriceProfile,
): Advice[] {
  const paidOtherwise = sumFen(
    lines.map(({ jobAmount, paidByPackages }) => subtractFen(jobAmount, paidByPackages)),
  );
  if (paidOtherwise <= 0n) return [];
  const fitting = Object.entries(packages)
    .filter(([, { price, valid_months: valid }]) => {
      return paidOtherwise * BigInt(valid) >= price * BigInt(months);
    })
    .toSorted(([, a], [, b]) => (a.price > b.price ? -1 : 1));
  const [best] = fitting;
  if (best === undefined) return [];
  const [code, { price, bonus_rate: rate }] = best;
  const saves = fen(roundHalfAway(multiply(rational(price), rate)));
  return [{ kind: "package", code, price, saves }];
}

function amountOf(lines: readonly ReviewLine[]): Fen {
  return sumFen(lines.map(({ amount }) => amount));
}
