/**
 * How a rated day, or late usage of a posted one, becomes a line: with its price, the jobs' part of
 * it, and the month that bills it. Pure.
 */
import { pricesOn, type PriceBook, type PricesInForce } from "#catalog/price-book.ts";
import type { PricedSku } from "#catalog/sku.ts";
import { present } from "#kernel/assert.ts";
import { addDays, monthOf, type LocalDay } from "#kernel/calendar.ts";
import { subtractFen, sumFen, type Fen } from "#kernel/money.ts";
import { add, formatRational, subtract, zero, type Rational } from "#kernel/rational.ts";

import type { Adjustment } from "./decide.ts";
import { jobShare, type ChargeLine, type RatedLine } from "./lines.ts";
import { contractOn, priceOn, type TenantPrices } from "./prices.ts";
import type { DayLine } from "./telescope.ts";

/** What the multiplier of an adjustment says: it is the difference of two ratings of the month. */
export const rerated = "re-rated";

export interface LineContext {
  readonly prices: TenantPrices;
  /** Of the days that are adjusted. */
  readonly posted: readonly ChargeLine[];
  readonly postedThrough: LocalDay;
  readonly now: number;
}

/** The line of a day that is not posted yet, as rated by now. */
export function lineOf({ prices }: LineContext, line: DayLine, jobQuantity: Rational): RatedLine {
  const { day, sku, quantity, amount } = line;
  return {
    serviceDay: day,
    sku,
    revision: 0,
    quantity,
    jobQuantity,
    ...priceFields(prices, line.price, day),
    multiplier: line.multiplier,
    amount,
    jobAmount: jobShare(amount, { sku, quantity, jobQuantity }),
    billedMonth: monthOf(day),
    postedAt: undefined,
  };
}

/** `jobsNow` is what jobs used on the day by now; the adjustment has the difference. */
export function adjustmentLine(
  { prices, posted, postedThrough, now }: LineContext,
  { serviceDay, sku, quantity, amount }: Adjustment,
  jobsNow: Rational,
): RatedLine {
  const price = priceOn(prices, sku, serviceDay);
  const earlier = posted.filter((line) => line.serviceDay === serviceDay && line.sku === sku);
  const total = (part: (line: ChargeLine) => Rational): Rational =>
    earlier.reduce((sum, line) => add(sum, part(line)), zero);
  const jobsBefore = total((line) => line.jobQuantity);
  const openMonth = monthOf(addDays(postedThrough, 1));
  const month = monthOf(serviceDay);
  return {
    serviceDay,
    sku,
    // A day without a line of its own leaves revision 0 free: an adjustment is never a day line.
    revision: Math.max(0, ...earlier.map(({ revision }) => revision)) + 1,
    quantity,
    jobQuantity: subtract(jobsNow, jobsBefore),
    ...priceFields(
      prices,
      present(price.kind === "priced" ? price : undefined, `the price of ${sku}`),
      serviceDay,
    ),
    multiplier: rerated,
    amount,
    jobAmount: jobsPartOf({ sku, amount, earlier, jobsNow, jobsBefore, quantity }),
    // The invoice of a month is final once its last day is posted; then the next one has the line.
    billedMonth: month < openMonth ? openMonth : month,
    postedAt: now,
  };
}

/**
 * So that the jobs' parts of all lines of a day are their share of what these came to; by what was
 * used before where nothing is left.
 */
function jobsPartOf(ask: {
  readonly sku: string;
  readonly amount: Fen;
  readonly earlier: readonly ChargeLine[];
  readonly jobsNow: Rational;
  readonly jobsBefore: Rational;
  readonly quantity: Rational;
}): Fen {
  const { sku, earlier, jobsNow, jobsBefore } = ask;
  const before = earlier.reduce((sum, { quantity }) => add(sum, quantity), zero);
  const now = add(before, ask.quantity);
  const used =
    now.numerator === 0n
      ? { sku, quantity: before, jobQuantity: jobsBefore }
      : { sku, quantity: now, jobQuantity: jobsNow };
  const whole = sumFen([...earlier.map(({ amount }) => amount), ask.amount]);
  return subtractFen(jobShare(whole, used), sumFen(earlier.map(({ jobAmount }) => jobAmount)));
}

function priceFields(
  { book, contracts }: TenantPrices,
  { sku, unit, basePerUnit, listPrice }: PricedSku,
  day: LocalDay,
): Pick<RatedLine, "unit" | "basePerUnit" | "listPrice" | "priceSource" | "profileId"> {
  const isAgreed = contractOn(contracts, sku, day)?.price !== undefined;
  return {
    unit,
    basePerUnit,
    listPrice: formatRational(listPrice),
    priceSource: isAgreed ? "contract" : "list",
    profileId: inForce(book, day).id,
  };
}

function inForce(book: PriceBook, day: LocalDay): PricesInForce {
  return present(pricesOn(book, day), `a price profile on ${day}`);
}
