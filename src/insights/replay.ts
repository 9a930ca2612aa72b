/**
 * Real usage under other prices: what every tenant would have paid, who wins and who loses, and whose
 * tier would move. Pure: the posted quantities are rated again by the rater's own rules.
 *
 * What must stay true: under the profile that was in force, the replay gives the amounts that were
 * charged, to the fen (a month whose late usage was adjusted, too: adjustments are differences of
 * whole months).
 */
import type { PriceBook } from "#catalog/price-profiles.ts";
import type { PriceProfile } from "#catalog/profile.ts";
import type { Tier } from "#catalog/sku.ts";
import { walkTiers, type Payment, type TierState } from "#customers/tiers.ts";
import { baseFeeLine } from "#flow/rate/base-fee.ts";
import { rateMonth, totalOf } from "#flow/rate/decide.ts";
import { priceOn, type ContractPrice } from "#flow/rate/prices.ts";
import { addDays, localDay, type LocalDay, type LocalMonth } from "#kernel/calendar.ts";
import { addFen, subtractFen, sumFen, zeroFen, type Fen } from "#kernel/money.ts";
import type { Rational } from "#kernel/rational.ts";

export interface TenantHistory {
  readonly tenantId: string;
  readonly name: string;
  /** Of the month: by SKU and day, late usage included. */
  readonly usage: ReadonlyMap<string, ReadonlyMap<LocalDay, Rational>>;
  /** What that usage was charged. */
  readonly charged: Fen;
  readonly contracts: readonly ContractPrice[];
  readonly tierOn: (day: LocalDay) => Tier;
  /** From the registration on. */
  readonly registered: LocalDay;
  /** The first day that was ever rated. */
  readonly ratedFrom: LocalDay;
  readonly payments: readonly Payment[];
}

export interface ReplayedTenant {
  readonly tenantId: string;
  readonly name: string;
  readonly before: Fen;
  readonly after: Fen;
  /** SKUs of his that have no price under the profile: their usage is in `before` only. */
  readonly unpriced: readonly string[];
  readonly tierBefore: Tier;
  readonly tierAfter: Tier;
}

/** The profile as if it had always been in force. */
export function bookOf(profile: PriceProfile): PriceBook {
  return [
    {
      id: "replay",
      name: "replay",
      version: 0,
      activeFrom: localDay("2000-01-01"),
      profile,
    },
  ];
}

export function replayTenant(
  history: TenantHistory,
  ask: { readonly month: LocalMonth; readonly through: LocalDay; readonly profile: PriceProfile },
): ReplayedTenant {
  const { month, through, profile } = ask;
  const { contracts, tierOn } = history;
  const prices = { book: bookOf(profile), contracts, tierOn };
  const unpriced: string[] = [];
  const fee = baseFeeLine({ book: prices.book, month, ratedFrom: history.ratedFrom });
  let after = fee?.amount ?? zeroFen;
  for (const [sku, days] of history.usage) {
    const priceOf = (each: string, day: LocalDay) => priceOn(prices, each, day);
    const rated = rateMonth({ sku, month, days, priceOf });
    if (rated.kind === "rated") after = addFen(after, totalOf(rated.lines));
    else unpriced.push(sku);
  }
  return {
    tenantId: history.tenantId,
    name: history.name,
    before: history.charged,
    after,
    unpriced,
    tierBefore: tierOn(through),
    tierAfter: tierUnder(history, { through, profile }),
  };
}

/** The same payments under the profile's thresholds. */
function tierUnder(
  { registered, payments }: TenantHistory,
  { through, profile }: { readonly through: LocalDay; readonly profile: PriceProfile },
): Tier {
  const fresh: TierState = { tier: "normal", holdUntil: undefined, cumulativeFrom: registered };
  const { state } = walkTiers({
    state: fresh,
    payments,
    after: addDays(registered, -1),
    through,
    rulesOn: () => profile,
  });
  return state.tier;
}

export interface Replay {
  readonly before: Fen;
  readonly after: Fen;
  readonly winners: number;
  readonly losers: number;
  /** Who would pay the most more or less, first. */
  readonly tenants: readonly ReplayedTenant[];
}

export function summarized(tenants: readonly ReplayedTenant[]): Replay {
  return {
    before: sumFen(tenants.map(({ before }) => before)),
    after: sumFen(tenants.map(({ after }) => after)),
    winners: tenants.filter(({ before, after }) => after < before).length,
    losers: tenants.filter(({ before, after }) => after > before).length,
    tenants: tenants.toSorted((a, b) => {
      const [ofA, ofB] = [moved(a), moved(b)];
      if (ofA !== ofB) return ofA > ofB ? -1 : 1;
      return a.tenantId < b.tenantId ? -1 : 1;
    }),
  };
}

function moved({ before, after }: ReplayedTenant): bigint {
  const change = subtractFen(after, before);
  return change < 0n ? -BigInt(change) : BigInt(change);
}
