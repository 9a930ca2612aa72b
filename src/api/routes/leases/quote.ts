/** Prices before the click. */
import type { Handler } from "#api/handler.ts";
import { bookedNow } from "#api/routes/orders/booked.ts";
import { showComparison } from "#api/routes/orders/comparison.ts";
import { offeredFlavor } from "#catalog/flavors.ts";
import { pricesAt } from "#catalog/price-profiles.ts";
import type { Operations } from "#contract/operations.ts";
import { priceOf } from "#flow/admit/price.ts";
import { shapeOf } from "#flow/admit/shape.ts";
import { credit } from "#flow/ledger/accounts.ts";
import { fen, formatFen } from "#kernel/money.ts";
import { compareOnDemand, marketOf } from "#orders/comparisons.ts";

export { pricesAt as pricesNow } from "#catalog/price-profiles.ts";

export const quoteHandler: Handler<Operations["quote"]> = async ({ body }, context) => {
  const { tx, tenantId } = context;
  const shape = shapeOf(await offeredFlavor(tx, body.flavor), { diskGiB: body.diskGiB });
  const prices = await pricesAt(tx, context.now());
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
