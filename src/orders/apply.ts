/**
 * Does what was decided about a subscription: rows, money and asks of the machine in the one
 * transaction that holds its locks.
 */
import type { Tx } from "#db/pool.ts";
import { priceOf } from "#flow/admit/price.ts";
import { releaseHeld } from "#flow/ledger/holds.ts";
import { askResize } from "#flow/provision/resize.ts";
import { present, unreachable } from "#kernel/assert.ts";
import type { Reason } from "#kernel/reason.ts";
import { raiseAlert } from "#notices/store.ts";

import type { Action, SubscriptionView } from "./decide.ts";
import { beginExpansion, endChanges, failExpansion } from "./expansion-changes.ts";
import { endExpansion, endUpgrade, setReverted } from "./expansion-rows.ts";
import { chargeHeldItem, type Booked } from "./items.ts";
import { holdOf, pricesAt } from "./prices.ts";
import { changePeriod } from "./subscription-periods.ts";
import { setState } from "./subscription-rows.ts";
import { tell, waitsNoMore } from "./tell.ts";
import { activate, lapse, release, renewIfPaid, startAgain } from "./term-changes.ts";

/** `waits`: it could not be done now, and nothing was written; the next pass tries again. */
export type Applied = "done" | "waits";

export async function applyAction(
  tx: Tx,
  view: SubscriptionView,
  { action, now }: { readonly action: Action; readonly now: number },
): Promise<Applied> {
  const { subscription } = view;
  const { tenantId, zone } = subscription;
  const booked: Booked = { tenantId, zone, at: now };
  switch (action.do) {
    case "activate":
      await activate(tx, booked, { view, at: action.at });
      return "done";
    case "end":
      await endWithLease(tx, booked, { view, reason: action.reason });
      return "done";
    case "confirm-upgrade": {
      const { upgrade } = action;
      // The one that it was charged for, also where that is over by now.
      const until = upgrade.draft.service?.until;
      const period = present(
        subscription.periods.find(({ untilAt }) => untilAt === until),
        "period of an upgrade",
      );
      await chargeHeldItem(tx, booked, {
        ...upgrade.draft,
        subjectId: subscription.id,
        period: period.number,
        reference: holdOf.upgrade(upgrade.id),
      });
      await changePeriod(tx, subscription, { ...upgrade, number: period.number });
      await endUpgrade(tx, upgrade, { state: "done" });
      await tell(tx, booked, {
        of: subscription,
        kind: "upgrade_done",
        key: upgrade.id,
        data: { sku: upgrade.sku },
      });
      return "done";
    }
    case "fail-upgrade": {
      const { upgrade, reason } = action;
      await releaseHeld(tx, tenantId, { reference: holdOf.upgrade(upgrade.id), at: now });
      await endUpgrade(tx, upgrade, { state: "failed", reason });
      const data = { sku: upgrade.sku, reason: reason.message };
      await tell(tx, booked, { of: subscription, kind: "upgrade_failed", key: upgrade.id, data });
      return "done";
    }
    case "confirm-expansion":
    case "begin-expansion":
      await beginExpansion(tx, booked, {
        subscription,
        expansion: action.expansion,
        at: action.at,
      });
      return "done";
    case "fail-expansion":
      await failExpansion(tx, booked, { subscription, ...action });
      return "done";
    case "end-expansion":
      await endExpansion(tx, action.expansion, { at: action.at, reason: over });
      await tell(tx, booked, {
        of: subscription,
        kind: "expansion_over",
        key: action.expansion.id,
        data: { until: new Date(action.at).toISOString() },
      });
      return "done";
    case "note-reverted":
      await setReverted(tx, { tenantId, id: subscription.id, ids: action.ids, at: action.at });
      return "done";
    case "renew-or-lapse":
      if (subscription.autoRenew && (await renewIfPaid(tx, booked, view))) return "done";
      await lapse(tx, booked, view);
      return "done";
    case "renew-if-paid":
      return (await renewIfPaid(tx, booked, view)) ? "done" : "waits";
    case "release":
      await release(tx, booked, view);
      return "done";
    case "start-again":
      await startAgain(tx, booked, view);
      await waitsNoMore(tx, subscription, now);
      return "done";
    case "resize": {
      const price = priceOf(await pricesAt(tx, now), action.shape, "subscription");
      const key = { tenantId, leaseId: subscription.leaseId, at: now };
      await askResize(tx, { ...key, shape: action.shape, price });
      await waitsNoMore(tx, subscription, now);
      return "done";
    }
  }
  return unreachable(action);
}

const over: Reason = { code: "over", message: "Its days are over." };

/** The lease is gone, not by an end of the subscription: nothing more is charged. */
async function endWithLease(
  tx: Tx,
  booked: Booked,
  { view, reason }: { readonly view: SubscriptionView; readonly reason: Reason },
): Promise<void> {
  const { subscription } = view;
  const { tenantId, id } = subscription;
  await releaseHeld(tx, tenantId, { reference: holdOf.subscription(id), at: booked.at });
  await endChanges(tx, booked, { view, reason });
  await waitsNoMore(tx, subscription, booked.at);
  await setState(tx, subscription, { state: "ended", at: booked.at, reason });
  const data = { reason: reason.message };
  await tell(tx, booked, { of: subscription, kind: "subscription_failed", key: id, data });
  if (subscription.state === "ordered") return;
  // It was paid, and nobody who could end it did: a person decides what is given back.
  await raiseAlert(tx, {
    key: `subscription-lost:${id}`,
    kind: "subscription_lost",
    severity: "warning",
    tenantId,
    data: { tenant: tenantId, subscription: subscription.name, reason: reason.message },
    at: booked.at,
  });
}
