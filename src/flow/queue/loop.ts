/** Lets admitted requests into the queue and takes withdrawn ones out. */
import type { Db } from "#db/pool.ts";
import type { LoopDefinition } from "#loops/loop.ts";

import { enqueue, withdraw } from "./store.ts";

const rowsPerPassMax = 500;

export function queueLoop({ db }: { readonly db: Db }): LoopDefinition {
  return {
    name: "queue",
    periodMs: 5_000,
    channels: ["request"],
    pass: async () => {
      const entered = await db.transaction(async (tx) => {
        await withdraw(tx);
        const count = await enqueue(tx, rowsPerPassMax);
        if (count > 0) tx.nudge("queue");
        return count;
      });
      return entered === rowsPerPassMax ? "again" : "rest";
    },
  };
}
