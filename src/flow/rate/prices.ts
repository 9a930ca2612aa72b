/**
 * The price of a SKU for one tenant on one local day (R-ORD-1): the list price, or the price agreed
 * with him in its place; then volume bands for GPUs, or the benefit of his tier for storage. Pure.
 */
import { pricesOn, type PriceBook } from "#catalog/price-book.ts";
import { agreedPrice, skuPrice, type SkuPrice, type Tier } from "#catalog/sku.ts";
import type { LocalDay } from "#kernel/calendar.ts";
import type { Rational } from "#kernel/rational.ts";

/** From a local day on, until the next one of the same SKU. */
export interface ContractPrice {
  readonly sku: string;
  readonly from: LocalDay;
  /** Yuan per unit; `undefined` goes back to the price list. */
  readonly price: Rational | undefined;
}

export interface TenantPrices {
  readonly book: PriceBook;
  /** Of this tenant, by day ascending. */
  readonly contracts: readonly ContractPrice[];
  /** The tier at the day's first instant; it changes the price of storage only. */
  readonly tierOn: (day: LocalDay) => Tier;
}

export function priceOn(prices: TenantPrices, sku: string, day: LocalDay): SkuPrice {
  const inForce = pricesOn(prices.book, day);
  if (inForce === undefined) return { kind: "on_request", sku };
  const agreed = contractOn(prices.contracts, sku, day)?.price;
  return agreed === undefined
    ? skuPrice(inForce.profile, sku, prices.tierOn(day))
    : agreedPrice(inForce.profile, sku, agreed);
}

export function contractOn(
  contracts: readonly ContractPrice[],
  sku: string,
  day: LocalDay,
): ContractPrice | undefined {
  return contracts.findLast((each) => each.sku === sku && each.from <= day);
}
