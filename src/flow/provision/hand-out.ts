/**
 * Hands out the instances that stir, a part at a time: of what waits for a hand its row and its machine are
 * held in memory, and on a first pass over ten thousand all stir. What must stay true: a pass waits for
 * hands no longer than so long, then it is cut short, and the next one goes on where it was.
 */
import type { Queryable } from "#db/pool.ts";

import type { Hands } from "./hands.ts";
import { unchangedOf, type InstanceBrief, type InstanceRow } from "./instance-rows.ts";
import type { Sight } from "./view.ts";

/** Rows that are read and handed out at once: a hand that gets one too late looks anew. */
const rowsPerReadMax = 500;
/** More are handed out once no more than these still wait. */
const waitingMax = 100;
/** What is handed out later than this would rest on a look that is too old. */
const handOutMs = 1_500;

/** What a pass knows of an instance; with the digest of both, where its machine was seen. */
export interface Listed {
  readonly row: InstanceRow;
  readonly sight: Sight;
  readonly digest: string | undefined;
}

/** Gives false if not all were handed out in time. */
type HandOut = (
  stirring: readonly InstanceBrief[],
  seenOf: (id: string) => Omit<Listed, "row">,
) => Promise<boolean>;

export function handsOut(of: {
  readonly db: Queryable;
  readonly site: string;
  readonly signal: AbortSignal;
  readonly hands: Pick<Hands<Listed>, "ask" | "eased">;
}): HandOut {
  const { db, site, signal, hands } = of;
  let resumeAt: string | undefined;
  return async (stirring, seenOf) => {
    const until = performance.now() + handOutMs;
    const order = startingAt(stirring, resumeAt);
    resumeAt = undefined;
    for (let from = 0; from < order.length && !signal.aborted; from += rowsPerReadMax) {
      const some = order.slice(from, from + rowsPerReadMax);
      // oxlint-disable-next-line no-await-in-loop -- not all rows in memory at once
      if (from > 0 && !(await hands.eased(waitingMax, until - performance.now()))) {
        resumeAt = some[0]?.id;
        return false;
      }
      // oxlint-disable-next-line no-await-in-loop -- as above
      const rowsNow = new Map((await unchangedOf(db, site, some)).map((row) => [row.id, row]));
      for (const { id } of some) {
        const row = rowsNow.get(id);
        // A row that is younger than the listing could make a new machine look like a missing one.
        if (row === undefined) hands.ask(id);
        else hands.ask(id, { row, ...seenOf(id) });
      }
    }
    return true;
  };
}

/** From that one on, and then those before it. */
function startingAt(
  rows: readonly InstanceBrief[],
  first: string | undefined,
): readonly InstanceBrief[] {
  const at = first === undefined ? -1 : rows.findIndex(({ id }) => id === first);
  return at <= 0 ? rows : [...rows.slice(at), ...rows.slice(0, at)];
}
