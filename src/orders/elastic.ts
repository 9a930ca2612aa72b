/**
 * Elastic expansion (R-ELA-1 to R-ELA-4): units on top of a subscription, by days of 24 hours from
 * the moment that they are there. A day that has begun is kept, days that have not are given back;
 * and none may end later than the subscription's paid term. Pure.
 */
import type { PriceProfile } from "#catalog/profile.ts";
import type { Fen } from "#kernel/money.ts";
import { subtractFen } from "#kernel/money.ts";
import { multiply, rational, sum, type Rational } from "#kernel/rational.ts";
import { roundToFen } from "#kernel/rounding.ts";

import { startedUnits } from "./started.ts";

export const dayUnitMs = 86_400_000;
/** Longest expansion that can be asked for; the paid term ends sooner. */
export const elasticDaysMax = 366;

export interface ElasticItem {
  readonly sku: string;
  readonly units: number;
}

export type ElasticPrice =
  | { readonly kind: "priced"; readonly amount: Fen; readonly daily: Fen }
  | { readonly kind: "on_request"; readonly skus: readonly string[] };

export function elasticPrice(
  profile: PriceProfile,
  items: readonly ElasticItem[],
  days: number,
): ElasticPrice {
  const prices = items.map(({ sku }) => dailyPrice(profile, sku));
  const unpriced = items.filter((_, index) => prices[index] === undefined).map(({ sku }) => sku);
  if (unpriced.length > 0) return { kind: "on_request", skus: unpriced };
  const daily = sum(
    items.map(({ units }, index) =>
      multiply(prices[index] ?? rational(0n), rational(BigInt(units))),
    ),
  );
  return {
    kind: "priced",
    amount: roundToFen(multiply(daily, rational(BigInt(days)))),
    daily: roundToFen(daily),
  };
}

export function dailyPrice(profile: PriceProfile, sku: string): Rational | undefined {
  return Object.hasOwn(profile.elastic_daily, sku) ? profile.elastic_daily[sku] : undefined;
}

export function elasticEnd(activatedAt: number, days: number): number {
  return activatedAt + days * dayUnitMs;
}

export interface ElasticRelease {
  readonly daysCharged: number;
  readonly charged: Fen;
  readonly refund: Fen;
}

/** R-ELA-3. `charge` gives the price of so many days, as it was when they were ordered. */
export function elasticRelease(ask: {
  readonly days: number;
  readonly activatedAt: number;
  readonly releasedAt: number;
  readonly charge: (days: number) => Fen;
}): ElasticRelease {
  const { days, activatedAt, releasedAt, charge } = ask;
  const started = startedUnits(BigInt(releasedAt - activatedAt), BigInt(dayUnitMs));
  const daysCharged = Math.min(days, Math.max(1, Number(started)));
  const charged = charge(daysCharged);
  return { daysCharged, charged, refund: subtractFen(charge(days), charged) };
}

/** R-ELA-4: whole days that fit before the paid term ends. */
export function elasticDaysMaxUntil(activatedAt: number, paidUntil: number): number {
  return Math.max(0, Math.floor((paidUntil - activatedAt) / dayUnitMs));
}
