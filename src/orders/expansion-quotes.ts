/** What expansions come to, and where they are dearer than the same on demand. */
import type { PriceProfile } from "#catalog/profile.ts";
import type { Queryable } from "#db/pool.ts";
import { present } from "#kernel/assert.ts";
import { Failure } from "#kernel/failure.ts";
import { compare, formatRational, multiply, rational } from "#kernel/rational.ts";

import {
  dailyPrice,
  elasticDaysMax,
  elasticDaysMaxUntil,
  elasticEnd,
  elasticPrice,
  type ElasticItem,
} from "./elastic.ts";
import type { Booked, ItemDraft } from "./items.ts";
import { pricesAt } from "./prices.ts";
import { requireActive } from "./subscription-quotes.ts";
import { paidUntilOf } from "./subscription-periods.ts";
import { type Subscription } from "./subscription-rows.ts";

export interface ExpansionAsk {
  readonly subscription: Subscription;
  readonly items: readonly ElasticItem[];
  readonly days: number;
  /** At the end of another one; now where it is left out. */
  readonly startsAt?: number;
}

/** R-ELA-1, R-ELA-4. What is dearer than on demand is sold all the same, and said (R-ELA-5). */
export async function quoteExpansion(
  db: Queryable,
  booked: Booked,
  { subscription, items, days, startsAt }: ExpansionAsk,
): Promise<{ readonly draft: ItemDraft; readonly dearer: readonly Dearer[] }> {
  requireActive(subscription, booked.at);
  const from = startsAt ?? booked.at;
  const paidUntil = present(paidUntilOf(subscription), "paid term");
  const daysMax = Math.min(elasticDaysMax, elasticDaysMaxUntil(from, paidUntil));
  if (days > daysMax) {
    throw new Failure(
      "rule_violation",
      `An expansion ends no later than the paid term, at ${new Date(paidUntil).toISOString()}: ${daysMax} days at most, not ${days}. Renew the subscription first.`,
      {
        details: {
          code: "ELASTIC_EXCEEDS_TERM",
          daysMax,
          paidUntil: new Date(paidUntil).toISOString(),
        },
      },
    );
  }
  const prices = await pricesAt(db, booked.at);
  const price = elasticPrice(prices.profile, items, days);
  if (price.kind === "on_request") {
    throw new Failure(
      "rule_violation",
      `${price.skus.join(", ")} has no price by the day (on request), so it cannot be added.`,
      { details: { skus: price.skus } },
    );
  }
  const units = items.map(({ sku, units: count }) => `${count} x ${sku}`).join(", ");
  return {
    draft: {
      kind: "expansion",
      sku: "elastic",
      data: { name: subscription.name, units, days },
      listPrice: price.amount,
      discounts: [],
      service: startsAt === undefined ? undefined : { from, until: elasticEnd(from, days) },
      priceProfileId: prices.id,
    },
    dearer: items.flatMap(({ sku }) => dearerThanOnDemand(prices.profile, sku)),
  };
}

/** A unit of an expansion, yuan a day, against the same on demand for 24 hours. */
export interface Dearer {
  readonly sku: string;
  readonly daily: string;
  readonly onDemand: string;
}

/** R-ELA-5, A-12: said, not hidden. */
export function dearerThanOnDemand(profile: PriceProfile, sku: string): Dearer[] {
  const daily = dailyPrice(profile, sku);
  const hourly = profile.payg_hourly[sku];
  if (daily === undefined || hourly === undefined) return [];
  const onDemand = multiply(hourly, rational(24n));
  if (compare(daily, onDemand) <= 0) return [];
  return [{ sku, daily: formatRational(daily), onDemand: formatRational(onDemand) }];
}
