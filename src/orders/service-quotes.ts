/**
 * What services come to: a month of support by the tier of the moment, a bundle at its own price,
 * an engagement as it was offered.
 */
import type { PricesInForce } from "#catalog/price-profiles.ts";
import { tierAt } from "#customers/tier-store.ts";
import type { Queryable } from "#db/pool.ts";
import { present } from "#kernel/assert.ts";
import { dayOf } from "#kernel/calendar.ts";
import { Failure } from "#kernel/failure.ts";
import { subtractFen } from "#kernel/money.ts";

import type { Booked, ItemDraft } from "./items.ts";
import { pricesAt } from "./prices.ts";
import type { Service } from "./service-rows.ts";
import { bundleOf, supportPrice } from "./services.ts";
import { monthMarkAt } from "./term.ts";

/** What an order of support, or of a bundle, or the acceptance of an offer, comes to. */
export interface ServiceQuote {
  readonly draft: ItemDraft;
  readonly support: { readonly months: number; readonly until: number } | undefined;
  readonly optimizations: number;
  readonly description: string;
}

/** One anchor month from now on, by the tier of this moment. */
export async function quoteSupport(db: Queryable, booked: Booked): Promise<ServiceQuote> {
  const prices = await pricesAt(db, booked.at);
  const until = monthMarkAt(booked, 1);
  const draft = await supportDraft(db, booked, { prices, from: booked.at, until });
  const support = { months: 1, until };
  return { draft, support, optimizations: 0, description: "24x7 support" };
}

/** The draft of one month; `included` is the tier's gift, shown as the discount that it is. */
export async function supportDraft(
  db: Queryable,
  booked: Booked,
  month: { readonly prices: PricesInForce; readonly from: number; readonly until: number },
): Promise<ItemDraft> {
  const { prices, from, until } = month;
  const list = supportPrice(prices.profile, "normal");
  const price = supportPrice(prices.profile, await tierAt(db, booked.tenantId, booked.at));
  const given = { rule: "R-VAS-2", amount: subtractFen(price, list) };
  return {
    kind: "service",
    sku: "support_24x7",
    data: {
      service: "support_24x7",
      what: `${dayOf(booked.zone, from)} - ${dayOf(booked.zone, until)}`,
    },
    listPrice: list,
    discounts: given.amount === 0n ? [] : [given],
    service: { from, until },
    priceProfileId: prices.id,
  };
}

/** Throws `rule_violation` with the bundles that there are. */
export async function quoteBundle(
  db: Queryable,
  booked: Booked,
  code: string,
): Promise<ServiceQuote> {
  const { id, profile } = await pricesAt(db, booked.at);
  const bundle = bundleOf(profile, code);
  if (bundle === undefined) {
    const codes = Object.keys(profile.bundles);
    throw new Failure(
      "rule_violation",
      `There is no bundle ${JSON.stringify(code)}; bundles are ${codes.join(", ") || "none now"}.`,
      { details: { bundles: codes } },
    );
  }
  const months = bundle.support_24x7_months;
  const until = monthMarkAt(booked, months);
  return {
    draft: {
      kind: "service",
      sku: `bundle.${code}`,
      data: { service: "bundle", what: `${code}, ${bundle.description}` },
      listPrice: bundle.price,
      discounts: [],
      service: months === 0 ? undefined : { from: booked.at, until },
      priceProfileId: id,
    },
    support: months === 0 ? undefined : { months, until },
    optimizations: bundle.model_optimizations,
    description: bundle.description,
  };
}

/** What accepting an offer comes to. Throws `wrong_state` where there is none, or it is over. */
export function quoteOffer(booked: Booked, found: Service): ServiceQuote {
  const { state, offerUntil, amount, priceProfileId, description } = found;
  if (state !== "offered" || offerUntil === undefined || offerUntil <= booked.at) {
    const why = state === "offered" ? "its offer is over" : `it is ${state}`;
    throw new Failure("wrong_state", `This service cannot be accepted: ${why}.`, {
      details: { state },
    });
  }
  return {
    draft: {
      kind: "service",
      sku: "model_optimization",
      data: { service: "model_optimization", what: description },
      listPrice: present(amount, "amount of an offer"),
      discounts: [],
      service: undefined,
      priceProfileId: present(priceProfileId, "prices of an offer"),
    },
    support: undefined,
    optimizations: 1,
    description,
  };
}
