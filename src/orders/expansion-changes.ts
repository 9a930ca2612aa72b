/** Expansions begin, fail, and go with their machine: rows and money of each in one step. */
import type { Tx } from "#db/pool.ts";
import { releaseHeld } from "#flow/ledger/holds.ts";
import type { Reason } from "#kernel/reason.ts";

import type { SubscriptionView } from "./decide.ts";
import { elasticEnd } from "./elastic.ts";
import {
  activateExpansion,
  endExpansion,
  endUpgrade,
  setReverted,
  type Expansion,
} from "./expansion-rows.ts";
import { chargeHeldItem, type Booked } from "./items.ts";
import { holdOf } from "./prices.ts";
import { paidUntilOf } from "./subscription-periods.ts";
import { type Subscription } from "./subscription-rows.ts";
import { tell } from "./tell.ts";

/** R-ELA-2: charged from the moment that the machine has it. */
export async function beginExpansion(
  tx: Tx,
  booked: Booked,
  ask: {
    readonly subscription: Subscription;
    readonly expansion: Expansion;
    readonly at: number;
  },
): Promise<void> {
  const { subscription, expansion, at } = ask;
  // R-ELA-4: the moments that the machine took to change do not carry it past the paid term.
  const paidUntil = paidUntilOf(subscription) ?? Infinity;
  const until = Math.min(elasticEnd(at, expansion.days), paidUntil);
  await chargeHeldItem(tx, booked, {
    ...expansion.draft,
    subjectId: expansion.id,
    service: { from: at, until },
    reference: holdOf.expansion(expansion.id),
  });
  await activateExpansion(tx, expansion, { from: at, until });
  const data = { until: new Date(until).toISOString() };
  await tell(tx, booked, { of: subscription, kind: "expansion_active", key: expansion.id, data });
}

/** Nothing is charged for what did not come. */
export async function failExpansion(
  tx: Tx,
  booked: Booked,
  ask: {
    readonly subscription: Subscription;
    readonly expansion: Expansion;
    readonly reason: Reason;
  },
): Promise<void> {
  const { subscription, expansion, reason } = ask;
  const reference = holdOf.expansion(expansion.id);
  await releaseHeld(tx, booked.tenantId, { reference, at: booked.at });
  await endExpansion(tx, expansion, { at: booked.at, reason });
  const data = { reason: reason.message };
  await tell(tx, booked, { of: subscription, kind: "expansion_failed", key: expansion.id, data });
}

/** Upgrades and expansions that wait or last, when there is no machine for them any more. */
export async function endChanges(
  tx: Tx,
  booked: Booked,
  { view, reason }: { readonly view: SubscriptionView; readonly reason: Reason },
): Promise<void> {
  const { tenantId, at } = booked;
  if (view.upgrade !== undefined) {
    await releaseHeld(tx, tenantId, { reference: holdOf.upgrade(view.upgrade.id), at });
    await endUpgrade(tx, view.upgrade, { state: "failed", reason });
  }
  for (const expansion of view.expansions) {
    if (expansion.state === "ended") continue;
    await releaseHeld(tx, tenantId, { reference: holdOf.expansion(expansion.id), at });
    await endExpansion(tx, expansion, { at, reason });
  }
  const ids = view.expansions.map(({ id }) => id);
  await setReverted(tx, { tenantId, id: view.subscription.id, ids, at });
}
