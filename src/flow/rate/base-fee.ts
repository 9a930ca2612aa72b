/**
 * The platform's base fee (R-BASE-1): one line a month, whole, on the first day of the month that is
 * rated for the tenant. No line where the profile in force on that day has none. Pure.
 */
import { pricesOn, type PriceBook } from "#catalog/price-book.ts";
import { firstDay, monthOf, type LocalDay, type LocalMonth } from "#kernel/calendar.ts";
import { zeroFen } from "#kernel/money.ts";
import { formatRational, one, rational, zero } from "#kernel/rational.ts";

import type { RatedLine } from "./lines.ts";

export const baseFeeSku = "platform.base";

export function baseFeeLine(ask: {
  readonly book: PriceBook;
  readonly month: LocalMonth;
  /** The tenant's first rated day ever. */
  readonly ratedFrom: LocalDay;
}): RatedLine | undefined {
  const { book, month, ratedFrom } = ask;
  const start = firstDay(month);
  const serviceDay: LocalDay = start < ratedFrom ? ratedFrom : start;
  const inForce = pricesOn(book, serviceDay);
  const fee = inForce?.profile.platform_base_fee_monthly ?? zeroFen;
  if (inForce === undefined || fee === 0n || monthOf(serviceDay) !== month) return undefined;
  return {
    serviceDay,
    sku: baseFeeSku,
    revision: 0,
    quantity: one,
    jobQuantity: zero,
    unit: "month",
    basePerUnit: 1n,
    listPrice: formatRational(rational(fee, 100n)),
    priceSource: "list",
    multiplier: "1",
    amount: fee,
    jobAmount: zeroFen,
    profileId: inForce.id,
    billedMonth: month,
    postedAt: undefined,
  };
}
