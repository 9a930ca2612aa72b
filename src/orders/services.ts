/**
 * Value-added services (R-VAS-1, R-VAS-2): an optimization is quoted within a range and paid at
 * acceptance; 24x7 support is paid by anchor months, in advance, whole, and is included for
 * diamonds; bundles have their own price. Pure.
 */
import type { Bundle, PriceProfile } from "#catalog/profile.ts";
import type { Tier } from "#catalog/sku.ts";
import { zeroFen, type Fen } from "#kernel/money.ts";

export const serviceKinds = ["model_optimization", "support_24x7", "bundle"] as const;
export type ServiceKind = (typeof serviceKinds)[number];

/** Bounds included. */
export function isOptimizationQuote(profile: PriceProfile, amount: Fen): boolean {
  const [low, high] = profile.model_optimisation_range;
  return amount >= low && amount <= high;
}

/** Of one anchor month. */
export function supportPrice(profile: PriceProfile, tier: Tier): Fen {
  return tier === "diamond" ? zeroFen : profile.support_24x7_monthly;
}

export function bundleOf(profile: PriceProfile, code: string): Bundle | undefined {
  return Object.hasOwn(profile.bundles, code) ? profile.bundles[code] : undefined;
}
