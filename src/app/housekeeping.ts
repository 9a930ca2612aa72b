/** What has to be done now and then, by any one process. */
import { forgetAnswers } from "#api/idempotency.ts";
import type { Db } from "#db/pool.ts";
import { checkLedger } from "#flow/ledger/store.ts";
import type { LoopDefinition } from "#loops/loop.ts";
import type { Observer } from "#observe/observer.ts";

const hourMs = 3_600_000;
const answersPerPass = 1_000;

export function housekeepingLoop(context: {
  readonly db: Db;
  readonly observer: Observer;
  readonly now: () => number;
}): LoopDefinition {
  const { db, observer, now } = context;
  return {
    name: "housekeeping",
    periodMs: hourMs,
    channels: [],
    pass: async (signal) => {
      while (!signal.aborted && (await forgetAnswers(db, now())) >= answersPerPass);
      // R-LED-1: everything sums to zero, and each balance is its postings.
      for (const finding of await checkLedger(db)) {
        observer.log.error({ ...finding }, "the ledger does not balance");
      }
      return "rest";
    },
  };
}
