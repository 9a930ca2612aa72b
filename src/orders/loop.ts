/**
 * Sees to subscriptions and their expansions when something is due, or has come: one step at a time,
 * each in a transaction of its own under the locks of its request and its row, decided anew in it.
 */
import { z } from "zod";

import type { Db, Tx } from "#db/pool.ts";
import { sql } from "#db/sql.ts";
import { Failure } from "#kernel/failure.ts";
import type { LoopDefinition } from "#loops/loop.ts";

import { applyAction } from "./apply.ts";
import { nextAction, nextLook, remindersOf, type SubscriptionView } from "./decide.ts";
import { type SubscriptionKey } from "./subscription-periods.ts";
import { getSubscription, setLookAt } from "./subscription-rows.ts";
import { lockedView } from "./subscription-view.ts";
import { tell, tellWaits } from "./tell.ts";

const subscriptionsPerPassMax = 200;
/** More steps than anything takes that was away for years; the next pass goes on. */
const stepsMax = 50;
/** After an ask that was refused now, such as a resize while the machine starts. */
const refusedRestMs = 30_000;

/** Refusals that go on until somebody does something; a machine that is about to start is none. */
const lasting: ReadonlySet<string> = new Set([
  "capacity",
  "quota_exceeded",
  "unsupported",
  "rule_violation",
  "unavailable",
]);

const dueRow = z
  .object({ tenant_id: z.string(), id: z.string() })
  .transform(({ tenant_id: tenantId, id }): SubscriptionKey => ({ tenantId, id }));

export function subscriptionLoop(context: {
  readonly db: Db;
  readonly now: () => number;
}): LoopDefinition {
  const { db, now } = context;
  return {
    name: "subscriptions",
    periodMs: 10_000,
    channels: ["subscription", "instance", "operation"],
    pass: async (signal) => {
      const due = await db.rows(
        sql`with due as (
            select tenant_id, id from subscription where look_at <= ${new Date(now())}
            union select tenant_id, id from subscription where state = 'ordered'
            union select tenant_id, subscription_id from expansion
              where state = 'resizing'
                or (state = 'ended' and activated_at is not null and reverted_at is null)
            union select tenant_id, subscription_id from subscription_upgrade
              where state = 'resizing')
          select s.tenant_id, s.id from due join subscription s using (tenant_id, id)
          order by s.look_at limit ${subscriptionsPerPassMax}`,
        dueRow,
      );
      let acted = false;
      const failures: unknown[] = [];
      for (const key of due) {
        if (signal.aborted) return "rest";
        try {
          if (await seeTo(db, key, now)) acted = true;
        } catch (error) {
          failures.push(error);
        }
      }
      if (failures.length > 0) {
        throw new AggregateError(failures, "some subscriptions were not seen to");
      }
      // Many may wait for their machines: that alone is no reason to look again at once.
      return acted && due.length === subscriptionsPerPassMax ? "again" : "rest";
    },
  };
}

/** Whether anything was done. */
async function seeTo(db: Db, key: SubscriptionKey, now: () => number): Promise<boolean> {
  for (let step = 0; step < stepsMax; step += 1) {
    try {
      const outcome = await db.tenant(key.tenantId, (tx) => stepOf(tx, key, now()));
      if (outcome === "rest") return step > 0;
    } catch (error) {
      // The machine, its host or a quota does not allow it now: nothing was written.
      if (!(error instanceof Failure)) throw error;
      const at = now();
      await db.tenant(key.tenantId, async (tx) => {
        await setLookAt(tx, key, at + refusedRestMs);
        if (!lasting.has(error.code)) return;
        await tellWaits(tx, await getSubscription(tx, key), { at, reason: error.message });
      });
      return step > 0;
    }
  }
  return true;
}

async function stepOf(tx: Tx, key: SubscriptionKey, now: number): Promise<"again" | "rest"> {
  const view = await lockedView(tx, key);
  const action = nextAction(view, now);
  if (action !== undefined && (await applyAction(tx, view, { action, now })) === "done") {
    await setLookAt(tx, key, now);
    tx.nudge("balance");
    return "again";
  }
  await remind(tx, view, now);
  await setLookAt(tx, key, nextLook(view, now));
  return "rest";
}

/** The nearest reminder that is due; each is told once. */
async function remind(tx: Tx, { subscription }: SubscriptionView, now: number): Promise<void> {
  const due = remindersOf(subscription).findLast(({ at }) => at <= now);
  const last = subscription.periods.at(-1);
  if (due === undefined || last === undefined) return;
  const { tenantId, zone } = subscription;
  await tell(
    tx,
    { tenantId, zone, at: now },
    {
      of: subscription,
      kind: subscription.autoRenew ? "subscription_renews" : "subscription_ends",
      key: `${subscription.id}:${last.number}:${due.days}`,
      data: { until: new Date(last.untilAt).toISOString() },
    },
  );
}
