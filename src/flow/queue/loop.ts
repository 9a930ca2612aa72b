/** Lets admitted requests into the queue and takes withdrawn ones out. */
import type { Db } from "#db/pool.ts";
import type { LoopDefinition } from "#loops/loop.ts";

import { enqueue, withdraw } from "./store.ts";

const rowsPerPassMax = 500;

export function queueLoop(context: {
  readonly db: Db;
  readonly now: () => number;
}): LoopDefinition {
  return {
    name: "queue",
    periodMs: 5_000,
    channels: ["request"],
    pass: async () => {
      const entered = await context.db.transaction(async (tx) => {
        await withdraw(tx);
        const count = await enqueue(tx, context.now() + clockSkewMs, rowsPerPassMax);
        if (count > 0) await tx.nudge("queue");
        return count;
      });
      return entered === rowsPerPassMax ? "again" : "rest";
    },
  };
}

/** A request of another process may bear a slightly later time than ours; it still enters. */
const clockSkewMs = 3_600_000;
