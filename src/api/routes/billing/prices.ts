/** What a tenant pays for a SKU on each of some days: list prices, or what was agreed with him. */
import { loadPriceBook } from "#catalog/price-profiles.ts";
import { tiersAt } from "#customers/tier-store.ts";
import type { Queryable } from "#db/pool.ts";
import { contractPrices } from "#flow/rate/contracts.ts";
import type { PriceOf } from "#flow/rate/decide.ts";
import { priceOn } from "#flow/rate/prices.ts";
import { dayStart, type LocalDay } from "#kernel/calendar.ts";
import type { TimeZone } from "#kernel/zone.ts";

export async function pricesOfTenant(
  db: Queryable,
  of: {
    readonly tenantId: string;
    readonly zone: TimeZone;
    /** All that will be asked for. */
    readonly days: readonly LocalDay[];
  },
): Promise<PriceOf> {
  const { tenantId, zone, days } = of;
  const tiers = await tiersAt(
    db,
    tenantId,
    days.map((each) => dayStart(zone, each)),
  );
  const prices = {
    book: await loadPriceBook(db),
    contracts: await contractPrices(db, tenantId),
    tierOn: (each: LocalDay) => tiers.get(dayStart(zone, each)) ?? "normal",
  };
  return (sku, each) => priceOn(prices, sku, each);
}
