/**
 * What a SKU measures and what it costs under a profile. What must stay true: a SKU without a
 * price is `on_request` and has no number at all, so that nothing can be rated at zero by mistake.
 */
import { bytesPerGib, secondsPerDay, secondsPerHour } from "#kernel/quantity.ts";
import { multiply, rational, type Rational } from "#kernel/rational.ts";

import type { Band, BandsMode, PriceProfile } from "./profile.ts";

export type Tier = "normal" | "gold" | "diamond";

export type SkuDimension = "gpu" | "cpu" | "memory" | "storage";

/** A GPU-hour, a core-hour, a GiB-hour, a GiB·day: the unit in which the price is written. */
export type PriceUnit = "GPU-hour" | "core-hour" | "GiB-hour" | "GiB-day";

export type SkuPrice =
  | {
      readonly kind: "priced";
      readonly sku: string;
      readonly unit: PriceUnit;
      /** Usage is recorded in this many base units per price unit: 3600 for hours. */
      readonly basePerUnit: bigint;
      /** Yuan per unit, before bands and benefits. */
      readonly listPrice: Rational;
      readonly discount: Discount;
    }
  | OnRequest;

export interface OnRequest {
  readonly kind: "on_request";
  readonly sku: string;
}

export type Discount =
  | { readonly kind: "none" }
  /** Over the local month (R-TIER-2). */
  | { readonly kind: "bands"; readonly mode: BandsMode; readonly bands: readonly Band[] }
  /** On every unit. */
  | { readonly kind: "multiplier"; readonly multiplier: Rational }
  /** So many units of each day cost nothing. */
  | { readonly kind: "free_per_day"; readonly units: Rational };

export type PricedSku = Extract<SkuPrice, { kind: "priced" }>;

export function dimensionOf(sku: string): SkuDimension | undefined {
  if (sku.startsWith("gpu.")) return "gpu";
  if (sku === "cpu.core") return "cpu";
  if (sku === "mem.gib") return "memory";
  if (sku === "storage") return "storage";
  return undefined;
}

/**
 * Pay-as-you-go price of a SKU. GPU, core and GiB usage is counted in unit-seconds, storage in
 * byte-seconds. `tier` is that of the day's first instant; it changes the price of storage only.
 */
export function skuPrice(profile: PriceProfile, sku: string, tier: Tier = "normal"): SkuPrice {
  const dimension = dimensionOf(sku);
  if (dimension === undefined) return { kind: "on_request", sku };
  if (dimension === "storage") {
    return {
      kind: "priced",
      sku,
      unit: "GiB-day",
      basePerUnit: bytesPerGib * secondsPerDay,
      listPrice: profile.storage_gib_day,
      discount: storageDiscount(profile, tier),
    };
  }
  const listPrice = profile.payg_hourly[sku];
  if (listPrice === undefined) return { kind: "on_request", sku };
  return hourly(profile, { sku, dimension, listPrice });
}

/**
 * The price of a SKU for a tenant who pays `price` per unit in the place of the list price (R-ORD-1).
 * Volume bands apply to it; the benefit that a tier has on storage does not, since discounts never
 * stack. A SKU that the list does not price can be sold so; one whose unit nobody knows cannot.
 */
export function agreedPrice(profile: PriceProfile, sku: string, price: Rational): SkuPrice {
  const dimension = dimensionOf(sku);
  if (dimension === undefined) return { kind: "on_request", sku };
  if (dimension !== "storage") return hourly(profile, { sku, dimension, listPrice: price });
  const list = skuPrice(profile, sku);
  return list.kind === "priced" ? { ...list, listPrice: price } : list;
}

function hourly(
  profile: PriceProfile,
  of: {
    readonly sku: string;
    readonly dimension: Exclude<SkuDimension, "storage">;
    readonly listPrice: Rational;
  },
): PricedSku {
  const { sku, dimension, listPrice } = of;
  return {
    kind: "priced",
    sku,
    unit: hourUnits[dimension],
    basePerUnit: secondsPerHour,
    listPrice,
    discount:
      dimension === "gpu"
        ? {
            kind: "bands",
            mode: profile.payg_gpu_bands_mode,
            bands: profile.payg_gpu_graduated_monthly_per_sku,
          }
        : { kind: "none" },
  };
}

/** One unit of the SKU held for one hour, at list price; storage by the byte. */
export function hourlyListPrice(price: PricedSku): Rational {
  return multiply(price.listPrice, rational(secondsPerHour, price.basePerUnit));
}

/** Base units to the unit that a person reads: unit-seconds to GPU-hours. */
export function inPriceUnits(price: Pick<PricedSku, "basePerUnit">, quantity: Rational): Rational {
  return multiply(quantity, rational(1n, price.basePerUnit));
}

/** The names of everything on the price list, the unpriced ones last. */
export function listedSkus(profile: PriceProfile): string[] {
  return [...Object.keys(profile.payg_hourly), "storage", ...profile.on_request];
}

const hourUnits = {
  gpu: "GPU-hour",
  cpu: "core-hour",
  memory: "GiB-hour",
} as const satisfies Record<Exclude<SkuDimension, "storage">, PriceUnit>;

function storageDiscount(profile: PriceProfile, tier: Tier): Discount {
  const byTier: Readonly<Record<Tier, Discount>> = {
    normal: { kind: "none" },
    gold: { kind: "multiplier", multiplier: profile.storage_gold_multiplier },
    diamond: { kind: "free_per_day", units: profile.storage_diamond_free_gib },
  };
  return byTier[tier];
}
