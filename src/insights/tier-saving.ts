/** What another tier's storage price would have saved on lines of the past. Pure. */
import type { PriceProfile } from "#catalog/profile.ts";
import { skuPrice, type Tier } from "#catalog/sku.ts";
import { costOfStep } from "#flow/rate/bands.ts";
import { subtractFen, sumFen, zeroFen, type Fen } from "#kernel/money.ts";
import { sum, zero, type Rational } from "#kernel/rational.ts";
import { roundToFen } from "#kernel/rounding.ts";

export interface StorageDay {
  /** Byte-seconds of one local day. */
  readonly quantity: Rational;
  readonly amount: Fen;
}

/** Never negative. */
export function storageSaving(
  days: readonly StorageDay[],
  { profile, tier }: { readonly profile: PriceProfile; readonly tier: Tier },
): Fen {
  const price = skuPrice(profile, "storage", tier);
  if (price.kind !== "priced" || days.length === 0) return zeroFen;
  const costs = days.map(({ quantity }) => costOfStep(price, { before: zero, after: quantity }));
  const saved = subtractFen(sumFen(days.map(({ amount }) => amount)), roundToFen(sum(costs)));
  return saved > 0n ? saved : zeroFen;
}
