/** Looks at the leases that may be resized by themselves. Costs nothing where there are none. */
import type { Db } from "#db/pool.ts";
import type { LoopDefinition } from "#loops/loop.ts";

import { sizeLease } from "./apply.ts";
import { sizings } from "./rows.ts";

const periodMs = 60_000;
const leasesPerRead = 200;

export function sizeLoop({
  db,
  now,
}: {
  readonly db: Db;
  readonly now: () => number;
}): LoopDefinition {
  return {
    name: "sizing",
    periodMs,
    channels: [],
    pass: async (signal) => {
      const failures: unknown[] = [];
      let after: string | undefined;
      while (!signal.aborted) {
        const some = await sizings(db, { after, limit: leasesPerRead });
        for (const each of some) {
          if (signal.aborted) break;
          // One that fails is no reason to leave the others as they are.
          await sizeLease(db, each, now()).catch((error: unknown) => failures.push(error));
        }
        after = some.at(-1)?.requestId;
        if (some.length < leasesPerRead) break;
      }
      if (failures.length > 0) throw new AggregateError(failures, "some leases were not sized");
      return "rest";
    },
  };
}
