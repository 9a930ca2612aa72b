/** What an order would cost, before it is made, and what the other ways to buy it cost. */
import type { Context, Handlers } from "#api/handler.ts";
import { timeOrNull } from "#api/routes/wire.ts";
import { splitVat } from "#catalog/tax.ts";
import type { BodyOf } from "#contract/operation.ts";
import type { Operations } from "#contract/operations.ts";
import { credit } from "#flow/ledger/accounts.ts";
import { dayOf, daysBetween } from "#kernel/calendar.ts";
import { formatFen, type Fen } from "#kernel/money.ts";
import { multiply, rational } from "#kernel/rational.ts";
import { ratesOfDays, ratesOfMonths, type Comparison, type Rates } from "#orders/compare.ts";
import {
  compareExpansion,
  comparePackage,
  compareTerm,
  compareUpgrade,
  marketOf,
} from "#orders/comparisons.ts";
import { quoteExpansion, type Dearer, type ExpansionAsk } from "#orders/expansion-quotes.ts";
import { getExpansion, openExpansions } from "#orders/expansion-rows.ts";
import { requireExtendable } from "#orders/expansions.ts";
import { amountOf, type Booked, type ItemDraft } from "#orders/items.ts";
import { quotePackage } from "#orders/packages.ts";
import { pricesOfVersion } from "#orders/prices.ts";
import { quoteBundle, quoteOffer, quoteSupport } from "#orders/service-quotes.ts";
import { getService } from "#orders/service-rows.ts";
import {
  quoteRenewal,
  quoteSubscription,
  quoteUpgrade,
  requireActive,
  type SubscriptionQuote,
} from "#orders/subscription-quotes.ts";
import { getSubscription, type Subscription } from "#orders/subscription-rows.ts";
import { monthsOf, type Term } from "#orders/term.ts";
import { annualPrice, type AnnualPrice } from "#orders/vm-price.ts";
import { discountText, itemText } from "#orders/words.ts";

import { bookedNow } from "./booked.ts";
import { showComparison } from "./comparison.ts";
import { elasticItems } from "./units.ts";

export const quoteHandlers = {
  quoteOrder: async ({ body }, context) => {
    const { tx, tenantId } = context;
    const { draft, remarks, rates, cheaperIf } = await quoted(
      context,
      await bookedNow(context),
      body,
    );
    const prices = await pricesOfVersion(tx, draft.priceProfileId);
    const { available } = await credit(tx, tenantId);
    const amount = amountOf(draft);
    const text = { ...draft, isRefund: false };
    return {
      kind: draft.kind,
      sku: draft.sku,
      description: { en: itemText(text, "en"), "zh-CN": itemText(text, "zh-CN") },
      listPrice: formatFen(draft.listPrice),
      discounts: draft.discounts.map(({ rule, amount: less }) => ({
        rule,
        amount: formatFen(less),
        text: { en: discountText(rule, "en"), "zh-CN": discountText(rule, "zh-CN") },
      })),
      amount: formatFen(amount),
      vatIncluded: formatFen(splitVat(prices.profile, amount).vat),
      rates: rates === undefined ? null : showRates(rates),
      from: timeOrNull(draft.service?.from ?? null),
      until: timeOrNull(draft.service?.until ?? null),
      available: formatFen(available),
      affordable: available >= amount,
      remarks: [...(remarks ?? [])],
      cheaperIf: cheaperIf.map(showComparison),
      profile: `${prices.name} v${prices.version}`,
    };
  },
} satisfies Partial<Handlers>;

interface Quoted {
  readonly draft: ItemDraft;
  readonly rates: Rates | undefined;
  readonly cheaperIf: readonly Comparison[];
  readonly remarks?: readonly Remark[];
}

interface Remark {
  readonly en: string;
  readonly "zh-CN": string;
}

async function quoted(
  { tx, tenantId }: Context,
  booked: Booked,
  body: BodyOf<Operations["quoteOrder"]>,
): Promise<Quoted> {
  switch (body.kind) {
    case "package": {
      const { draft } = await quotePackage(tx, booked, body.code);
      const market = await marketOf(tx, booked);
      return { draft, rates: undefined, cheaperIf: comparePackage(market, body.code) };
    }
    case "subscription": {
      const renews =
        body.renewsId === undefined
          ? undefined
          : await getSubscription(tx, { tenantId, id: body.renewsId });
      const ask = { ...body, name: body.flavor, renews };
      return ofTerm(tx, booked, body.term, await quoteSubscription(tx, booked, ask));
    }
    case "renewal": {
      const subscription = await getSubscription(tx, { tenantId, id: body.subscriptionId });
      const quote = await quoteRenewal(tx, booked, { ...body, subscription });
      return ofTerm(tx, booked, quote.period.term, quote);
    }
    case "upgrade": {
      const subscription = await getSubscription(tx, { tenantId, id: body.subscriptionId });
      return ofUpgrade(tx, booked, {
        subscription,
        quote: await quoteUpgrade(tx, booked, { ...body, subscription }),
      });
    }
    case "expansion": {
      const subscription = await getSubscription(tx, { tenantId, id: body.subscriptionId });
      const items = elasticItems(subscription, booked.at, body);
      return ofExpansion(tx, booked, { subscription, items, days: body.days });
    }
    case "extension": {
      const expansion = await getExpansion(tx, { tenantId, id: body.expansionId });
      const key = { tenantId, id: expansion.subscriptionId };
      const subscription = await getSubscription(tx, key);
      const startsAt = requireExtendable(expansion, await openExpansions(tx, key));
      const { items } = expansion;
      return ofExpansion(tx, booked, { subscription, items, days: body.days, startsAt });
    }
    case "support_24x7": {
      const { draft } = await quoteSupport(tx, booked);
      return { draft, rates: ratesOfMonths(amountOf(draft), 1n), cheaperIf: [] };
    }
    case "bundle":
      return fixed(await quoteBundle(tx, booked, body.code));
    case "offer":
      return fixed(quoteOffer(booked, await getService(tx, { tenantId, id: body.serviceId })));
  }
}

function fixed({ draft }: { readonly draft: ItemDraft }): Quoted {
  return { draft, rates: undefined, cheaperIf: [] };
}

async function ofTerm(
  tx: Context["tx"],
  booked: Booked,
  term: Term,
  { draft, sku, shape }: SubscriptionQuote,
): Promise<Quoted> {
  const amount = amountOf(draft);
  const market = await marketOf(tx, booked);
  return {
    draft,
    rates: ratesOfMonths(amount, BigInt(monthsOf[term])),
    cheaperIf: compareTerm(market, { sku, shape, term, amount }),
    remarks: term === "annual" ? yearRemark(annualPrice(market.profile, sku), amount) : [],
  };
}

/** R-VM-1: a year at the list price is said in months, where it is whole ones. */
function yearRemark(year: AnnualPrice | undefined, amount: Fen): Remark[] {
  if (year === undefined || year.amount !== amount) return [];
  const months = multiply(year.multiplier, rational(12n));
  if (months.denominator !== 1n || months.numerator >= 12n) return [];
  const paid = `${months.numerator}`;
  return [{ en: `12 months for the price of ${paid}.`, "zh-CN": `付 ${paid} 个月,享 12 个月。` }];
}

async function ofUpgrade(
  tx: Context["tx"],
  booked: Booked,
  {
    subscription,
    quote,
  }: { readonly subscription: Subscription; readonly quote: SubscriptionQuote },
): Promise<Quoted> {
  const { draft, shape } = quote;
  const period = requireActive(subscription, booked.at);
  const daysLeft = daysBetween(
    dayOf(booked.zone, booked.at),
    dayOf(subscription.zone, period.untilAt),
  );
  const amount = amountOf(draft);
  const market = await marketOf(tx, booked);
  return {
    draft,
    rates: ratesOfDays(amount, BigInt(Math.max(1, daysLeft))),
    cheaperIf: compareUpgrade(market, { from: period.shape, to: shape, amount, daysLeft }),
  };
}

async function ofExpansion(tx: Context["tx"], booked: Booked, ask: ExpansionAsk): Promise<Quoted> {
  const { draft, dearer } = await quoteExpansion(tx, booked, ask);
  const { subscription, items, days } = ask;
  const period = requireActive(subscription, booked.at);
  const of = { items, days, period, zone: subscription.zone, at: booked.at };
  return {
    draft,
    rates: ratesOfDays(amountOf(draft), BigInt(days)),
    cheaperIf: compareExpansion(await marketOf(tx, booked), of),
    remarks: dearer.map(showRemark),
  };
}

function showRates({ hourly, daily, monthly, term }: Rates): {
  hourly: string;
  daily: string;
  monthly: string;
  term: string;
} {
  return {
    hourly: formatFen(hourly),
    daily: formatFen(daily),
    monthly: formatFen(monthly),
    term: formatFen(term),
  };
}

/** R-ELA-5, A-12: dearer, and said so. */
function showRemark({ sku, daily, onDemand }: Dearer): Remark {
  return {
    en: `Dearer than on demand: ${sku}: ${daily} a day, ${onDemand} on demand.`,
    "zh-CN": `高于按量价格:${sku} 扩容每天 ${daily} 元,按量为 ${onDemand} 元。`,
  };
}
