/** Turns transitions into usage intervals, each exactly once (the cursor is in the same commit). */
import type { Db } from "#db/pool.ts";
import type { LoopDefinition } from "#loops/loop.ts";

import { meter } from "./decide.ts";
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

export function meterLoop({ db }: { readonly db: Db }): LoopDefinition {
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
          await meterInstance(db, instance);
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

export function meterInstance(db: Db, instance: MeteredInstance): Promise<void> {
  return db.transaction(async (tx) => {
    const metered = await lockCursor(tx, instance);
    const transitions = await transitionsAfter(tx, instance, metered);
    const last = transitions.at(-1);
    if (last === undefined) return;
    const open = await openIntervals(tx, instance);
    for (const change of meter(instance.kind, open, transitions)) {
      await applyChange(tx, instance, change);
    }
    await moveCursor(tx, instance, last.seq);
    await tx.nudge("usage");
  });
}
