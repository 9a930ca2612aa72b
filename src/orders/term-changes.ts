/** Terms begin, are renewed, run out, and end: rows, money and asks of the machine in one step. */
import type { Tx } from "#db/pool.ts";
import { ledgerCredit } from "#flow/admit/credit.ts";
import { askRelease, askStart, askStop } from "#flow/admit/lease.ts";
import { setPaidUntil, setReason } from "#flow/admit/requests.ts";
import { Failure } from "#kernel/failure.ts";

import type { SubscriptionView } from "./decide.ts";
import { chargeHeldItem, chargeItem, type Booked, type OrderItem } from "./items.ts";
import { holdOf, pricesAt } from "./prices.ts";
import { quoteRenewal, type RenewalQuote } from "./subscription-quotes.ts";
import { insertPeriod, paidUntilOf } from "./subscription-periods.ts";
import { setAnchor, setStarted, setState } from "./subscription-rows.ts";
import { tell, waitsNoMore } from "./tell.ts";
import { monthMarkAt, monthsOf } from "./term.ts";

/** How long a guest gets to shut down when its term is over. */
const stopGraceSeconds = 60;
const dayMs = 86_400_000;

/** The term begins when the machine could first be used, and is charged from then on. */
export async function activate(
  tx: Tx,
  booked: Booked,
  { view, at }: { readonly view: SubscriptionView; readonly at: number },
): Promise<void> {
  const { subscription, lease } = view;
  const { term, sku, zone, id } = subscription;
  const months = monthsOf[term];
  const untilAt = monthMarkAt({ zone, at }, months);
  await chargeHeldItem(tx, booked, {
    kind: "subscription",
    sku,
    subjectId: id,
    period: 1,
    data: { name: subscription.name, sku, term },
    listPrice: subscription.listPrice,
    discounts: subscription.discounts,
    service: { from: at, until: untilAt },
    priceProfileId: subscription.priceProfileId,
    reference: holdOf.subscription(id),
  });
  await setAnchor(tx, subscription, at);
  await insertPeriod(tx, subscription, {
    number: 1,
    term,
    fromMonth: 0,
    untilMonth: months,
    fromAt: at,
    untilAt,
    sku,
    shape: lease.shape,
    monthlyList: subscription.lockedMonthly,
  });
  await setPaidUntil(tx, {
    tenantId: booked.tenantId,
    id: subscription.leaseId,
    paidUntil: untilAt,
  });
  const data = { sku, until: new Date(untilAt).toISOString() };
  await tell(tx, booked, { of: subscription, kind: "subscription_active", key: id, data });
}

/**
 * Charges the next term and begins it at the old end; a machine that was stopped because its time
 * was over starts again. Throws `insufficient_credit`, and then nothing is written.
 */
export async function renew(
  tx: Tx,
  booked: Booked,
  { view, quote }: { readonly view: SubscriptionView; readonly quote: RenewalQuote },
): Promise<OrderItem> {
  const { subscription } = view;
  const { period, draft } = quote;
  const item = await chargeItem(tx, booked, {
    ...draft,
    subjectId: subscription.id,
    period: period.number,
  });
  await insertPeriod(tx, subscription, period);
  const { tenantId } = booked;
  await setPaidUntil(tx, { tenantId, id: subscription.leaseId, paidUntil: period.untilAt });
  // The loop starts it again, at once if it may.
  if (subscription.state === "lapsed" && period.untilAt > booked.at) {
    await setState(tx, subscription, { state: "active" });
    await setReason(tx, { tenantId, id: subscription.leaseId, reason: null });
  }
  await tell(tx, booked, {
    of: subscription,
    kind: "subscription_renewed",
    key: `${subscription.id}:${period.number}`,
    data: { until: new Date(period.untilAt).toISOString() },
  });
  return item;
}

/** Throws what speaks against it: lack of quota, a suspended tenant. */
export async function startAgain(tx: Tx, { at }: Booked, view: SubscriptionView): Promise<void> {
  const { subscription, lease } = view;
  const { tenantId, leaseId } = subscription;
  if (lease.wanted === "stopped") await askStart(tx, ledgerCredit, { tenantId, leaseId, at });
  await setStarted(tx, subscription);
}

/** Whether it was renewed: not for lack of money, or where its price is gone. */
export async function renewIfPaid(
  tx: Tx,
  booked: Booked,
  view: SubscriptionView,
): Promise<boolean> {
  try {
    const { subscription } = view;
    await renew(tx, booked, { view, quote: await quoteRenewal(tx, booked, { subscription }) });
    return true;
  } catch (error) {
    if (error instanceof Failure && refusals.has(error.code)) return false;
    throw error;
  }
}

const refusals: ReadonlySet<string> = new Set(["insufficient_credit", "rule_violation"]);

/** R-VM-10: stopped, and kept for its days from now on, however late this is. */
export async function lapse(tx: Tx, booked: Booked, view: SubscriptionView): Promise<void> {
  const { subscription, lease } = view;
  const { tenantId, at } = booked;
  const { leaseId } = subscription;
  const { profile } = await pricesAt(tx, at);
  const keptUntil = at + profile.vm_kept_days * dayMs;
  const startOwed = lease.wanted === "running";
  await setState(tx, subscription, { state: "lapsed", at, keptUntil, startOwed });
  await waitsNoMore(tx, subscription, at);
  const key = { tenantId, leaseId, at };
  if (startOwed) {
    await askStop(tx, { ...key, graceSeconds: stopGraceSeconds });
  }
  const until = new Date(keptUntil).toISOString();
  await setReason(tx, {
    tenantId,
    id: leaseId,
    reason: {
      code: "subscription_lapsed",
      message: `The paid term is over. The machine is kept until ${until}; renew its subscription to go on.`,
      details: { keptUntil: until },
    },
  });
  await tell(tx, booked, {
    of: subscription,
    kind: "subscription_lapsed",
    key: `${subscription.id}:${paidUntilOf(subscription) ?? 0}`,
    data: { until },
  });
}

/** Its days after the term are over, too. */
export async function release(tx: Tx, booked: Booked, view: SubscriptionView): Promise<void> {
  const { subscription } = view;
  const { tenantId, at } = booked;
  await askRelease(tx, { tenantId, leaseId: subscription.leaseId, at });
  const reason = {
    code: "lapsed",
    message: "Its term was over and was not renewed while it was kept.",
  };
  await setState(tx, subscription, { state: "ended", at, reason });
  await tell(tx, booked, {
    of: subscription,
    kind: "subscription_released",
    key: subscription.id,
    data: {},
  });
}
