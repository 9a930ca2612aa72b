/**
 * What subscriptions, their renewals and upgrades come to: the drafts that quotes show and orders
 * charge.
 */
import type { PriceProfile } from "#catalog/profile.ts";
import type { Tier } from "#catalog/sku.ts";
import { tierAt } from "#customers/tier-store.ts";
import type { Queryable } from "#db/pool.ts";
import { abilityOf } from "#flow/provision/capability.ts";
import { leaseFacts } from "#flow/provision/lease-facts.ts";
import { present } from "#kernel/assert.ts";
import { dayOf, daysBetween } from "#kernel/calendar.ts";
import { Failure } from "#kernel/failure.ts";
import type { Fen } from "#kernel/money.ts";
import type { Shape } from "#kernel/shape.ts";

import type { Booked, ItemDraft } from "./items.ts";
import { pricesAt } from "./prices.ts";
import { upgradeCharge } from "./proration.ts";
import { renewalPrice } from "./renewal.ts";
import { intoSize } from "./shape-math.ts";
import { requireTermOffered, soldFlavor } from "./sold-flavor.ts";
import { periodAt, type Period } from "./subscription-periods.ts";
import { type Subscription } from "./subscription-rows.ts";
import { monthMarkAt, monthsOf, type Term } from "./term.ts";
import { termPrice } from "./vm-price.ts";

/** Nobody pays for years that are this far away. */
const paidAheadDaysMax = 400;

export interface SubscriptionQuote {
  readonly draft: ItemDraft;
  readonly sku: string;
  readonly shape: Shape;
  readonly monthlyList: Fen;
}

/** A new one; its time begins when its machine is ready. */
export async function quoteSubscription(
  db: Queryable,
  booked: Booked,
  ask: {
    readonly name: string;
    readonly flavor: string;
    readonly term: Term;
    readonly diskGiB?: number | undefined;
    /** One that was released, by which this may be a renewal (R-VM-4). */
    readonly renews?: Subscription | undefined;
  },
): Promise<SubscriptionQuote> {
  const prices = await pricesAt(db, booked.at);
  const sold = await soldFlavor(db, prices, ask);
  const renewed =
    ask.renews === undefined
      ? undefined
      : await reordered(db, booked, { ...ask, renews: ask.renews, profile: prices.profile });
  const draft: ItemDraft = {
    kind: renewed === undefined ? "subscription" : "renewal",
    sku: sold.sku,
    data: { name: ask.name, sku: sold.sku, term: ask.term },
    listPrice: sold.list,
    discounts: renewed?.discounts ?? [],
    service: undefined,
    priceProfileId: prices.id,
  };
  return { draft, sku: sold.sku, shape: sold.shape, monthlyList: sold.monthlyList };
}

/** The price of a contract whose machine was released, ordered anew in time; without its lock. */
async function reordered(
  db: Queryable,
  booked: Booked,
  ask: { readonly term: Term; readonly renews: Subscription; readonly profile: PriceProfile },
): Promise<ReturnType<typeof renewalPrice>> {
  const { renews } = ask;
  const last = renews.periods.at(-1);
  if (last === undefined || renews.state !== "ended" || renews.endReason?.code !== "lapsed") {
    throw new Failure(
      "wrong_state",
      `${renews.name} is ${renews.state}; only one that was released after its term is ordered anew as a renewal.`,
    );
  }
  return renewalPrice({
    profile: ask.profile,
    sku: last.sku,
    term: ask.term,
    lastTerm: last.term,
    tier: await tierAt(db, booked.tenantId, booked.at),
    daysAfterEnd: daysSince(booked, last.untilAt),
  });
}

function daysSince({ zone, at }: Booked, endedAt: number): number {
  return daysBetween(dayOf(zone, endedAt), dayOf(zone, at));
}

export interface RenewalQuote extends SubscriptionQuote {
  readonly period: Period;
}

/** The next term, from the old end on, in this size or another. */
export async function quoteRenewal(
  db: Queryable,
  booked: Booked,
  ask: {
    readonly subscription: Subscription;
    readonly term?: Term | undefined;
    readonly flavor?: string | undefined;
    readonly tier?: Tier;
  },
): Promise<RenewalQuote> {
  const { subscription } = ask;
  const last = subscription.periods.at(-1);
  const { anchorAt, zone } = subscription;
  if (last === undefined || anchorAt === undefined || subscription.state === "ended") {
    throw new Failure(
      "wrong_state",
      `${subscription.name} is ${subscription.state}; it is renewed while it is active, or lapsed and still kept.`,
    );
  }
  if (-daysSince(booked, last.untilAt) > paidAheadDaysMax) {
    throw new Failure(
      "rule_violation",
      `${subscription.name} is paid until ${new Date(last.untilAt).toISOString()}, more than ${paidAheadDaysMax} days ahead; renew it later.`,
    );
  }
  const prices = await pricesAt(db, booked.at);
  const { profile } = prices;
  const term = ask.term ?? last.term;
  const sold =
    ask.flavor === undefined
      ? await sameAgain(db, { sku: last.sku, shape: last.shape, term, prices })
      : await soldFlavor(db, prices, { flavor: ask.flavor, term });
  requireReachable(last.shape, sold.shape);
  await requireDisk(db, subscription, sold.shape);
  const price = renewalPrice({
    profile,
    sku: sold.sku,
    term,
    lastTerm: last.term,
    tier: ask.tier ?? (await tierAt(db, booked.tenantId, booked.at)),
    daysAfterEnd: daysSince(booked, last.untilAt),
    lockedMonthly: sold.sku === subscription.sku ? subscription.lockedMonthly : undefined,
  });
  const untilMonth = last.untilMonth + monthsOf[term];
  const untilAt = monthMarkAt({ zone, at: anchorAt }, untilMonth);
  const { list, discounts } = present(price, `renewal of ${sold.sku}`);
  return {
    ...sold,
    draft: {
      kind: "renewal",
      sku: sold.sku,
      data: { name: subscription.name, sku: sold.sku, term },
      listPrice: list,
      discounts,
      service: { from: last.untilAt, until: untilAt },
      priceProfileId: prices.id,
    },
    period: {
      number: last.number + 1,
      term,
      fromMonth: last.untilMonth,
      untilMonth,
      fromAt: last.untilAt,
      untilAt,
      sku: sold.sku,
      shape: sold.shape,
      monthlyList: sold.monthlyList,
    },
  };
}

/** A machine changes its size, not its kind. */
function requireReachable(from: Shape, to: Shape): void {
  const [a, b] = [from.gpu, to.gpu];
  const sameKind = a?.model === b?.model && a?.slice === b?.slice;
  const sameCount = a?.count === b?.count;
  if (sameKind && (sameCount || a?.slice === 1) && from.hugePages === to.hugePages) return;
  throw new Failure(
    "rule_violation",
    `A machine of ${from.flavor} cannot become one of ${to.flavor}: it keeps its model of GPU, or none. Order another one instead.`,
    { details: { from: from.flavor, to: to.flavor } },
  );
}

/** Another flavor comes with its disk: where the machine's cannot grow to it, nothing is sold. */
async function requireDisk(db: Queryable, of: Subscription, to: Shape): Promise<void> {
  const { shape, capabilities } = await leaseFacts(db, { tenantId: of.tenantId, id: of.leaseId });
  if (intoSize(shape, to).diskGiB === shape.diskGiB) return;
  const grows = abilityOf(capabilities.diskGrow, shape);
  if (grows.can) return;
  throw new Failure(
    "unsupported",
    `${to.flavor} comes with a disk of ${to.diskGiB} GiB, and the ${shape.diskGiB} GiB of ${of.name} cannot grow: ${grows.because}. Order another one as ${to.flavor} and move.`,
    { details: { capability: "diskGrow", because: grows.because, diskGiB: shape.diskGiB } },
  );
}

/** The size that it has; a SKU that lost its price cannot be renewed. */
async function sameAgain(
  db: Queryable,
  ask: {
    readonly sku: string;
    readonly shape: Shape;
    readonly term: Term;
    readonly prices: Awaited<ReturnType<typeof pricesAt>>;
  },
): Promise<Omit<SubscriptionQuote, "draft">> {
  requireTermOffered(ask.prices.profile, ask.term);
  const monthlyList = termPrice(ask.prices.profile, ask.sku, "monthly");
  if (monthlyList !== undefined) return { sku: ask.sku, shape: ask.shape, monthlyList };
  return soldFlavor(db, ask.prices, { flavor: ask.shape.flavor, term: ask.term });
}

/** R-VM-5: a larger size for what is left of the term. */
export async function quoteUpgrade(
  db: Queryable,
  booked: Booked,
  ask: { readonly subscription: Subscription; readonly flavor: string },
): Promise<SubscriptionQuote> {
  const { subscription } = ask;
  const period = requireActive(subscription, booked.at);
  if (subscription.periods.at(-1) !== period) {
    throw new Failure(
      "wrong_state",
      `The next term of ${subscription.name} is paid already, in its size; upgrade it when that has begun.`,
    );
  }
  const prices = await pricesAt(db, booked.at);
  const sold = await soldFlavor(db, prices, { flavor: ask.flavor, term: period.term });
  const oldPrice = termPrice(prices.profile, period.sku, period.term);
  if (oldPrice === undefined || sold.list <= oldPrice) {
    throw new Failure(
      "rule_violation",
      `${sold.sku} is not larger than ${period.sku}; another size from the next term on: renew with that flavor.`,
      { details: { from: period.sku, to: sold.sku } },
    );
  }
  await requireDisk(db, subscription, sold.shape);
  const { zone } = subscription;
  const days = { from: dayOf(zone, period.fromAt), until: dayOf(zone, period.untilAt) };
  const { charge, remainingDays, periodDays } = upgradeCharge({
    period: days,
    changeOn: dayOf(zone, booked.at),
    oldPrice,
    newPrice: sold.list,
  });
  return {
    ...sold,
    draft: {
      kind: "upgrade",
      sku: sold.sku,
      data: {
        name: subscription.name,
        from: period.sku,
        sku: sold.sku,
        days: remainingDays,
        of: periodDays,
      },
      listPrice: charge,
      discounts: [],
      service: { from: booked.at, until: period.untilAt },
      priceProfileId: prices.id,
    },
  };
}

/** The paid term that is in force. */
export function requireActive(subscription: Subscription, at: number): Period {
  const period = periodAt(subscription, at);
  if (subscription.state === "active" && period !== undefined && at < period.untilAt) return period;
  throw new Failure(
    "wrong_state",
    `${subscription.name} is ${subscription.state}; that needs an active subscription.`,
    { details: { state: subscription.state } },
  );
}
