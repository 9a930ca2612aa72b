/**
 * Turns transitions into usage intervals, each exactly once (the cursor is in the same commit), and
 * intervals that ended into events, in that commit too.
 */
import type { Db } from "#db/pool.ts";
import { sql } from "#db/sql.ts";
import { present } from "#kernel/assert.ts";
import type { LoopDefinition } from "#loops/loop.ts";

import { usageAccounts } from "./accounts.ts";
import { meter } from "./decide.ts";
import { usageChannel } from "./event-store.ts";
import { lockUncut } from "./cut-store.ts";
import { cutIntervals } from "./segments.ts";
import {
  applyChange,
  instancesBehind,
  lockCursor,
  moveCursor,
  openIntervals,
  transitionsAfter,
  type MeteredInstance,
} from "./store.ts";

const instancesPerPassMax = 200;
/** What is left of more is cut by the loop of midnights. */
const intervalsPerInstanceMax = 1_000;

export interface MeterContext {
  readonly db: Db;
  readonly now: () => number;
}

export function meterLoop(context: MeterContext): LoopDefinition {
  const { db } = context;
  return {
    name: "meter",
    periodMs: 10_000,
    channels: ["meter"],
    pass: async (signal) => {
      const behind = await instancesBehind(db, instancesPerPassMax);
      const failures: unknown[] = [];
      for (const instance of behind) {
        if (signal.aborted) return "rest";
        try {
          await meterInstance(context, instance);
        } catch (error) {
          // One that cannot be metered does not keep the others from it.
          failures.push(error);
        }
      }
      if (failures.length > 0) throw new AggregateError(failures, "some usage was not metered");
      return behind.length === instancesPerPassMax ? "again" : "rest";
    },
  };
}

export function meterInstance({ db, now }: MeterContext, instance: MeteredInstance): Promise<void> {
  const { tenantId, instanceId } = instance;
  return db.transaction(async (tx) => {
    const metered = await lockCursor(tx, instance);
    const transitions = await transitionsAfter(tx, instance, metered);
    const last = transitions.at(-1);
    if (last === undefined) return;
    const open = await openIntervals(tx, instance);
    const changes = meter(instance.kind, open, transitions);
    const accounts = await usageAccounts(tx, [tenantId]);
    const { timeZone: zone } = present(accounts.get(tenantId), "a tenant's usage account");
    for (const change of changes) {
      // oxlint-disable-next-line no-await-in-loop -- one connection
      await applyChange(tx, instance, { change, zone });
    }
    if (changes.some(({ change }) => change === "close")) {
      const ended = sql`tenant_id = ${tenantId} and instance_id = ${instanceId}
        and ended_at is not null`;
      await cutIntervals(tx, await lockUncut(tx, ended, intervalsPerInstanceMax), now());
    }
    await moveCursor(tx, instance, last.seq);
    tx.nudge(usageChannel);
  });
}
