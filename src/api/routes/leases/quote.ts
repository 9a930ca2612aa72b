/** Prices before the click. */
import type { Handler } from "#api/handler.ts";
import { bookedNow } from "#api/routes/orders/booked.ts";
import { showComparison } from "#api/routes/orders/comparison.ts";
import { offeredFlavor } from "#catalog/flavors.ts";
import { loadPriceBook, pricesOn, type PricesInForce } from "#catalog/price-profiles.ts";
import type { Operations } from "#contract/operations.ts";
import type { Queryable } from "#db/pool.ts";
import { priceOf } from "#flow/admit/price.ts";
import { shapeOf } from "#flow/admit/shape.ts";
import { credit } from "#flow/ledger/accounts.ts";
import { dayOf } from "#kernel/calendar.ts";
import { Failure } from "#kernel/failure.ts";
import { fen, formatFen } from "#kernel/money.ts";
import { billingZone } from "#kernel/zone.ts";
import { compareOnDemand, marketOf } from "#orders/comparisons.ts";

/** The prices in force at this moment in the billing zone. */
export async function pricesNow(db: Queryable, now: number): Promise<PricesInForce> {
  const prices = pricesOn(await loadPriceBook(db), dayOf(billingZone, now));
  if (prices !== undefined) return prices;
  throw new Failure("unavailable", "No price profile is in force; the operator has to add one.");
}

export const quoteHandler: Handler<Operations["quote"]> = async ({ body }, context) => {
  const { tx, tenantId } = context;
  const shape = shapeOf(await offeredFlavor(tx, body.flavor), { diskGiB: body.diskGiB });
  const prices = await pricesNow(tx, context.now());
  const price = priceOf(prices, shape);
  const fee = prices.profile.platform_base_fee_monthly;
  const { available } = await credit(tx, tenantId);
  const market = await marketOf(tx, await bookedNow(context));
  return {
    flavor: body.flavor,
    price: price.shown,
    hours: body.hours,
    total: price.hourly === undefined ? null : formatFen(fen(price.hourly * BigInt(body.hours))),
    hold: price.hourly === undefined ? null : formatFen(price.hourly),
    available: formatFen(available),
    affordable: price.hourly !== undefined && available > 0n && available >= price.hourly,
    baseFeeMonthly: fee === 0n ? null : formatFen(fee),
    cheaperIf: compareOnDemand(market, shape).map(showComparison),
  };
};
