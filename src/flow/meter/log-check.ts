/**
 * Rebuilds the log from the events alone and says what differs: a leaf whose columns do not hash to
 * it, an event that is in the log twice or neither in it nor waiting, a gap, a tile, the root of a
 * checkpoint. Reads everything; empty when all is well.
 */
import { z } from "zod";

import type { Queryable } from "#db/pool.ts";
import { sql } from "#db/sql.ts";
import { sameBytes } from "#tlog/hash.ts";
import { nodeHasher } from "#tlog/node-crypto.ts";
import { Tree } from "#tlog/tree.ts";

import { eventsWhere } from "./event-rows.ts";
import { leafHashHex } from "./event-store.ts";
import { checkpoints, storedTiles, type StoredCheckpoint } from "./log-store.ts";

const leavesPerRead = 5_000;
const problemsMax = 100;

export async function checkLog(db: Queryable): Promise<string[]> {
  const problems: string[] = await misplaced(db);
  const tree = new Tree(nodeHasher());
  const signed = await checkpoints(db);
  for (;;) {
    const from = tree.size;
    // oxlint-disable-next-line no-await-in-loop -- page after page
    const events = await eventsWhere(db, {
      where: sql`l.leaf_index >= ${from}`,
      order: sql`l.leaf_index`,
      limit: leavesPerRead,
    });
    for (const { event, leafIndex, salt, leafHash } of events) {
      if (leafIndex !== tree.size) return [...problems, `leaf ${tree.size} is missing`];
      if (leafHashHex(event, salt) !== leafHash)
        problems.push(`leaf ${leafIndex} hashes otherwise`);
      tree.append(Buffer.from(leafHash, "hex"));
      problems.push(...wrongRoots(tree, signed));
      if (problems.length >= problemsMax) return problems;
    }
    // oxlint-disable-next-line no-await-in-loop -- as above
    problems.push(...(await wrongTiles(db, tree)));
    if (events.length < leavesPerRead) break;
  }
  const beyond = signed.filter(({ size }) => size > tree.size);
  return [...problems, ...beyond.map(({ size }) => `a checkpoint of ${size} leaves is too large`)];
}

async function misplaced(db: Queryable): Promise<string[]> {
  const rows = await db.rows(
    sql`select format('the event %s of %s is in the log %s times, waiting %s', e.id, e.source,
          count(l.leaf_index), count(p.received)) as problem
        from usage_event e left join log_entry l on l.received = e.received
          left join log_pending p on p.received = e.received
        group by e.source, e.id
        having count(l.leaf_index) + count(p.received) <> 1
      union all
      select format('leaf %s has no event', leaf_index) from log_entry l
        where not exists (select from usage_event e where e.received = l.received)
      limit ${problemsMax}`,
    z.object({ problem: z.string() }),
  );
  return rows.map(({ problem }) => problem);
}

function wrongRoots(tree: Tree, signed: readonly StoredCheckpoint[]): string[] {
  return signed
    .filter(({ size, root }) => size === tree.size && !sameBytes(root, tree.root()))
    .map(({ size }) => `the checkpoint of ${size} leaves has another root`);
}

/** Of those that grew since the last time; one that is partial here may be wider there. */
async function wrongTiles(db: Queryable, tree: Tree): Promise<string[]> {
  const tiles = tree.takeChangedTiles();
  const stored = await storedTiles(db, tiles);
  return tiles
    .filter(({ level, index, hashes }) => {
      const found = stored(level, index);
      return found === undefined || !sameBytes(found.subarray(0, hashes.length), hashes);
    })
    .map(({ level, index }) => `tile ${level}/${index} is another`);
}
