/**
 * Tends all groups: how many members each should have, and making it so. A group that fails is no
 * reason to leave the others alone. Two processes may do it at once: each step is decided under the
 * lock of its group.
 */
import type { Db } from "#db/pool.ts";
import type { LoopDefinition } from "#loops/loop.ts";

import { tend } from "./apply.ts";
import { groupsToLookAt } from "./rows.ts";

const periodMs = 15_000;
const groupsPerRead = 200;

/** Nudged when a group was made or changed. */
export const groupChannel = "group";

export function groupLoop({
  db,
  now,
}: {
  readonly db: Db;
  readonly now: () => number;
}): LoopDefinition {
  return {
    name: "groups",
    periodMs,
    channels: [groupChannel],
    pass: async (signal) => {
      const failures: unknown[] = [];
      let isMore = false;
      let after: string | undefined;
      while (!signal.aborted) {
        const some = await groupsToLookAt(db, { after, limit: groupsPerRead });
        for (const key of some) {
          if (signal.aborted) break;
          try {
            isMore = (await tend(db, key, now())) || isMore;
          } catch (error) {
            failures.push(error);
          }
        }
        after = some.at(-1)?.id;
        if (some.length < groupsPerRead) break;
      }
      if (failures.length > 0) throw new AggregateError(failures, "some groups were not tended");
      return isMore ? "again" : "rest";
    },
  };
}
