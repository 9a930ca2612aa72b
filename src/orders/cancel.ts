/**
 * Ending a subscription before its time (R-VM-6): what it costs to know before, and doing it. The
 * machine and its disks are destroyed; of expansions, days that have not begun are given back.
 */
import type { Queryable, Tx } from "#db/pool.ts";
import { askRelease } from "#flow/admit/lease.ts";
import { releaseHeld } from "#flow/ledger/holds.ts";
import { dayOf } from "#kernel/calendar.ts";
import { Failure } from "#kernel/failure.ts";
import { fen, sumFen, type Fen } from "#kernel/money.ts";
import type { Reason } from "#kernel/reason.ts";
import type { TimeZone } from "#kernel/zone.ts";

import { earlyEnd } from "./early-end.ts";
import { endChanges } from "./expansion-changes.ts";
import { refundOfExpansion } from "./expansions.ts";
import { itemsOfSubject, refundItem, type Booked, type OrderItem } from "./items.ts";
import { holdOf, pricesAt, pricesOfVersion, requireQuoted } from "./prices.ts";
import { requireNothingUnderWay } from "./subscribe.ts";
import { type Period, type SubscriptionKey } from "./subscription-periods.ts";
import { getSubscription, setState, type Subscription } from "./subscription-rows.ts";
import { lockedView } from "./subscription-view.ts";
import { waitsNoMore } from "./tell.ts";
import { monthMarkAt } from "./term.ts";
import { termPrice } from "./vm-price.ts";

interface PeriodRefund {
  readonly period: Period;
  readonly amount: Fen;
}

/** What ending it now would give back, by period. */
async function refundsOf(
  db: Queryable,
  { tenantId, zone, at }: Booked,
  subscription: Subscription,
): Promise<PeriodRefund[]> {
  const { anchorAt, id } = subscription;
  if (anchorAt === undefined || subscription.state !== "active") return [];
  const { profile } = await pricesAt(db, at);
  const refunds: PeriodRefund[] = [];
  for (const period of subscription.periods) {
    if (period.untilAt <= at) continue;
    const items = await itemsOfSubject(db, { tenantId, subjectId: id, period: period.number });
    const paid = sumFen(items.map(({ amount }) => amount));
    // A term that has not begun is given back whole.
    const amount =
      period.fromAt > at
        ? paid
        : earlyEnd({
            term: period.term,
            paid,
            monthlyListOf: await listsOf(db, { zone, at, anchorAt, period, items }),
            anchor: dayOf(zone, anchorAt),
            fromMonth: period.fromMonth,
            endsOn: dayOf(zone, at),
            coolingOffDays: period.number === 1 ? profile.cooling_off_days : 0,
          }).refund;
    refunds.push({ period, amount });
  }
  return refunds;
}

/** After an upgrade the months before it are priced as the smaller size that they had. */
async function listsOf(
  db: Queryable,
  of: {
    readonly zone: TimeZone;
    readonly at: number;
    readonly anchorAt: number;
    readonly period: Period;
    readonly items: readonly OrderItem[];
  },
): Promise<(month: number) => Fen> {
  const { zone, at, anchorAt, period } = of;
  const sizes: { readonly from: number; readonly list: Fen }[] = [];
  for (const item of of.items) {
    if (item.refundOf !== null || item.priceProfileId === null) continue;
    const { profile } = await pricesOfVersion(db, item.priceProfileId);
    const list = termPrice(profile, item.sku, "monthly");
    if (list !== undefined) sizes.push({ from: item.at, list });
  }
  return (month) => {
    const monthsEnd = monthMarkAt({ zone, at: anchorAt }, period.fromMonth + month + 1);
    const end = Math.min(monthsEnd, at + 1);
    // A year that was paid ahead was charged before its first month.
    return (sizes.findLast(({ from }) => from < end) ?? sizes[0])?.list ?? period.monthlyList;
  };
}

export interface CancelQuote {
  readonly refund: Fen;
  /** Of expansions that last. */
  readonly expansionRefund: Fen;
}

export async function quoteCancel(
  db: Queryable,
  booked: Booked,
  view: Awaited<ReturnType<typeof lockedView>>,
): Promise<CancelQuote> {
  const refunds = await refundsOf(db, booked, view.subscription);
  const expansions: Fen[] = [];
  for (const expansion of view.expansions) {
    if (expansion.state !== "active") continue;
    expansions.push((await refundOfExpansion(db, expansion, booked.at)).refund);
  }
  return {
    refund: sumFen(refunds.map(({ amount }) => amount)),
    expansionRefund: sumFen(expansions),
  };
}

const canceled: Reason = { code: "canceled", message: "Ended by the customer." };

/** Ends it now. `expectedRefund` is both parts of the quote together. */
export async function cancelSubscription(
  tx: Tx,
  booked: Booked,
  ask: { readonly id: string; readonly expectedRefund: Fen },
): Promise<{ readonly subscription: Subscription } & CancelQuote> {
  const { tenantId, at } = booked;
  const key: SubscriptionKey = { tenantId, id: ask.id };
  const view = await lockedView(tx, key);
  const { subscription } = view;
  if (subscription.state === "ended") {
    throw new Failure("wrong_state", `${subscription.name} has ended already.`);
  }
  requireNothingUnderWay(view);
  const quote = await quoteCancel(tx, booked, view);
  requireQuoted(fen(quote.refund + quote.expansionRefund), ask.expectedRefund);
  await releaseHeld(tx, tenantId, { reference: holdOf.subscription(subscription.id), at });
  for (const { period, amount } of await refundsOf(tx, booked, subscription)) {
    const items = await itemsOfSubject(tx, {
      tenantId,
      subjectId: subscription.id,
      period: period.number,
    });
    await refundAcross(tx, booked, { items, amount });
  }
  for (const expansion of view.expansions) {
    if (expansion.state !== "active") continue;
    const items = await itemsOfSubject(tx, { tenantId, subjectId: expansion.id });
    const { refund } = await refundOfExpansion(tx, expansion, at);
    await refundAcross(tx, booked, { items, amount: refund });
  }
  await endChanges(tx, booked, { view, reason: canceled });
  await askRelease(tx, { tenantId, leaseId: subscription.leaseId, at });
  await setState(tx, subscription, { state: "ended", at, reason: canceled });
  await waitsNoMore(tx, subscription, at);
  tx.nudge("balance");
  return { subscription: await getSubscription(tx, key), ...quote };
}

/** Gives back so much of these items, the newest first, none more than it was. */
async function refundAcross(
  tx: Tx,
  booked: Booked,
  { items, amount }: { readonly items: readonly OrderItem[]; readonly amount: Fen },
): Promise<void> {
  let left = amount;
  for (const item of items.toReversed()) {
    if (left <= 0n || item.refundOf !== null) continue;
    const part = left < item.amount ? left : item.amount;
    await refundItem(tx, booked, { item, amount: part, key: item.id });
    left = fen(left - part);
  }
}
