/**
 * What a customer asks of subscriptions: order, renew, upgrade, end. Each is one transaction; what
 * needs the machine is charged by the loop when the machine has it, and its money is held until then.
 */
import { v7 as newId } from "uuid";

import type { Tx } from "#db/pool.ts";
import { ledgerCredit } from "#flow/admit/credit.ts";
import { admitWork, type NewWork } from "#flow/admit/work.ts";
import type { OperationRow } from "#flow/admit/operations.ts";
import { priceOf } from "#flow/admit/price.ts";
import { placeHold } from "#flow/ledger/holds.ts";
import { askResize } from "#flow/provision/resize.ts";
import { Failure } from "#kernel/failure.ts";
import type { Fen } from "#kernel/money.ts";

import { insertUpgrade } from "./expansion-rows.ts";
import { amountOf, type Booked } from "./items.ts";
import { holdOf, pricesAt, requireQuoted, tooLittle } from "./prices.ts";
import { intoSize, withItems } from "./shape-math.ts";
import {
  quoteRenewal,
  quoteSubscription,
  quoteUpgrade,
  type SubscriptionQuote,
} from "./subscription-quotes.ts";
import { paidUntilOf, type SubscriptionKey } from "./subscription-periods.ts";
import {
  getSubscription,
  insertSubscription,
  lookNow,
  setAutoRenew,
  type Subscription,
} from "./subscription-rows.ts";
import { lockedView } from "./subscription-view.ts";
import type { Term } from "./term.ts";
import { renew } from "./term-changes.ts";

export interface SubscriptionOrder {
  readonly flavor: string;
  readonly term: Term;
  readonly diskGiB?: number | undefined;
  readonly renewsId?: string | undefined;
  readonly autoRenew: boolean;
  readonly expected: Fen;
  /** The lease, but for what the subscription says of it. */
  readonly work: Omit<
    NewWork,
    "kind" | "shape" | "plan" | "price" | "workload" | "tenantId" | "at"
  >;
  /** Whether the shape can be had at all, and the image fits. Throws what speaks against it. */
  readonly check: (quote: SubscriptionQuote) => Promise<void>;
}

export async function orderSubscription(
  tx: Tx,
  booked: Booked,
  order: SubscriptionOrder,
): Promise<{ readonly subscription: Subscription; readonly operation: OperationRow }> {
  const { tenantId, zone, at } = booked;
  const { work, renewsId } = order;
  const renews =
    renewsId === undefined ? undefined : await getSubscription(tx, { tenantId, id: renewsId });
  const quote = await quoteSubscription(tx, booked, { ...order, name: work.name, renews });
  const amount = amountOf(quote.draft);
  requireQuoted(amount, order.expected);
  await order.check(quote);
  const prices = await pricesAt(tx, at);
  const { requestId, operation } = await admitWork(tx, ledgerCredit, {
    ...work,
    tenantId,
    kind: "lease",
    shape: quote.shape,
    plan: "subscription",
    price: priceOf(prices, quote.shape, "subscription"),
    workload: undefined,
    at,
  });
  const id = newId();
  await hold(tx, booked, { reference: holdOf.subscription(id), amount, description: quote.sku });
  const { listPrice, discounts, priceProfileId } = quote.draft;
  await insertSubscription(tx, {
    tenantId,
    id,
    leaseId: requestId,
    name: work.name,
    autoRenew: order.autoRenew,
    term: order.term,
    sku: quote.sku,
    listPrice,
    discounts,
    amount,
    priceProfileId,
    lockedMonthly: quote.monthlyList,
    zone,
    userId: work.userId,
    at,
  });
  tx.nudge("subscription");
  return { subscription: await getSubscription(tx, { tenantId, id }), operation };
}

/** Sets the price aside until what is ordered is there. */
export async function hold(
  tx: Tx,
  { tenantId, at }: Booked,
  ask: { readonly reference: string; readonly amount: Fen; readonly description: string },
): Promise<void> {
  const outcome = await placeHold(tx, tenantId, { ...ask, at });
  if (outcome.kind === "insufficient") throw tooLittle(outcome.asked, outcome.available);
}

export async function renewSubscription(
  tx: Tx,
  booked: Booked,
  ask: {
    readonly id: string;
    readonly term?: Term | undefined;
    readonly flavor?: string | undefined;
    readonly expected: Fen;
    /** When the term begins that was quoted; of two who renew at once, one wins. */
    readonly from?: number | undefined;
  },
): Promise<Subscription> {
  const key: SubscriptionKey = { tenantId: booked.tenantId, id: ask.id };
  const view = await lockedView(tx, key);
  if (view.upgrade !== undefined) {
    throw new Failure("wrong_state", "An upgrade is under way; renew when that is done.");
  }
  const paidUntil = paidUntilOf(view.subscription);
  if (ask.from !== undefined && ask.from !== paidUntil) {
    const until = paidUntil === undefined ? "not at all" : new Date(paidUntil).toISOString();
    throw new Failure("conflict", `It is paid until ${until} by now; ask for a quote again.`, {
      details: { paidUntil: until },
    });
  }
  const quote = await quoteRenewal(tx, booked, { ...ask, subscription: view.subscription });
  requireQuoted(amountOf(quote.draft), ask.expected);
  await renew(tx, booked, { view, quote });
  await lookNow(tx, key, booked.at);
  return getSubscription(tx, key);
}

/** R-VM-5. Charged when the machine has it; what it has of expansions stays on top. */
export async function upgradeSubscription(
  tx: Tx,
  booked: Booked,
  ask: {
    readonly id: string;
    readonly flavor: string;
    readonly expected: Fen;
    readonly userId: string;
  },
): Promise<{ readonly subscription: Subscription; readonly operation: OperationRow }> {
  const { tenantId, at } = booked;
  const key: SubscriptionKey = { tenantId, id: ask.id };
  const view = await lockedView(tx, key);
  const { subscription } = view;
  const quote = await quoteUpgrade(tx, booked, { subscription, flavor: ask.flavor });
  const amount = amountOf(quote.draft);
  requireQuoted(amount, ask.expected);
  requireNothingUnderWay(view);
  const base = intoSize(view.lease.shape, quote.shape);
  const shape = view.expansions
    .filter(({ state }) => state === "active")
    .reduce((sum, { items }) => withItems(sum, items), base);
  const price = priceOf(await pricesAt(tx, at), shape, "subscription");
  const { leaseId } = subscription;
  const operation = await askResize(tx, { tenantId, leaseId, at, shape, price });
  const id = newId();
  await hold(tx, booked, { reference: holdOf.upgrade(id), amount, description: quote.sku });
  await insertUpgrade(tx, {
    ...quote,
    tenantId,
    id,
    subscriptionId: subscription.id,
    amount,
    operationId: operation.id,
    userId: ask.userId,
    at,
  });
  await lookNow(tx, key, at);
  return { subscription: await getSubscription(tx, key), operation };
}

/** One change of a machine at a time, so that it is known which of them it got. */
export function requireNothingUnderWay(view: Awaited<ReturnType<typeof lockedView>>): void {
  const { lease, upgrade, expansions, subscription } = view;
  const isUnderWay =
    upgrade !== undefined ||
    lease.isResizing ||
    expansions.some(({ state }) => state === "resizing");
  if (!isUnderWay) return;
  throw new Failure(
    "wrong_state",
    `${subscription.name} is being changed already; wait until that is done.`,
  );
}

export async function changeAutoRenew(
  tx: Tx,
  booked: Booked,
  ask: { readonly id: string; readonly autoRenew: boolean },
): Promise<Subscription> {
  const key: SubscriptionKey = { tenantId: booked.tenantId, id: ask.id };
  const { subscription } = await lockedView(tx, key);
  if (subscription.state === "ended") {
    throw new Failure("wrong_state", `${subscription.name} has ended.`);
  }
  await setAutoRenew(tx, key, ask);
  await lookNow(tx, key, booked.at);
  return getSubscription(tx, key);
}
