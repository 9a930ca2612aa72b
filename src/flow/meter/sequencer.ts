/**
 * The sequencer: takes events that are not in the log in the order of their acceptance, gives them
 * consecutive indexes, and lets the tree grow over them; signs a checkpoint when it is time.
 *
 * What must stay true: indexes, tiles and the emptying of the queue are one transaction under one
 * lock, taken up from what is stored; so a crash anywhere leaves the log as it was before or after,
 * and whoever comes next does the same.
 */
import type { Db, Tx } from "#db/pool.ts";
import { addDays, dayOf, type LocalDay } from "#kernel/calendar.ts";
import { billingZone } from "#kernel/zone.ts";
import { signCheckpoint } from "#tlog/checkpoint.ts";
import { hashLength } from "#tlog/hash.ts";
import type { Signer } from "#tlog/keys.ts";
import { nodeHasher } from "#tlog/node-crypto.ts";
import { edgeTiles } from "#tlog/tile.ts";
import { Tree } from "#tlog/tree.ts";

import {
  latestCheckpoint,
  lockLog,
  logSize,
  saveCheckpoint,
  saveTiles,
  storedTiles,
  takePending,
  type StoredCheckpoint,
} from "./log-store.ts";

/** In one transaction. */
export const leavesPerTakeMax = 20_000;
/** Between two checkpoints of a log that grows all the time. */
const checkpointRestMs = 10_000;

const hasher = nodeHasher();

/** How many events became leaves; `undefined` where somebody else is at it. */
export function sequence(db: Db, leavesMax = leavesPerTakeMax): Promise<number | undefined> {
  return db.transaction(async (tx) => {
    if (!(await lockLog(tx))) return undefined;
    const size = await logSize(tx);
    const leaves = await takePending(tx, { from: size, limit: leavesMax });
    if (leaves.length === 0) return 0;
    const tree = await treeOf(tx, size);
    for (let at = 0; at < leaves.length; at += hashLength) tree.append(leaves, at);
    await saveTiles(tx, tree.takeChangedTiles());
    return leaves.length / hashLength;
  });
}

/** The tree of so many leaves, which may be fewer than there are by now. */
export async function treeOf(tx: Tx, size: number): Promise<Tree> {
  const tiles = await storedTiles(tx, edgeTiles(size));
  return Tree.resume(hasher, size, ({ level, index }) => tiles(level, index));
}

export interface CheckpointNeed {
  /** The day that it closes, if it closes one. */
  readonly closesDay: LocalDay | undefined;
}

/**
 * When the log has grown, and with the first look at a day for the day before it. Pure; `undefined`
 * where none is needed.
 */
export function checkpointNeed(ask: {
  readonly size: number;
  readonly last: Pick<StoredCheckpoint, "size" | "signedAt"> | undefined;
  readonly now: number;
}): CheckpointNeed | undefined {
  const { size, last, now } = ask;
  if (size === 0) return undefined;
  if (last === undefined) return { closesDay: undefined };
  const today = dayOf(billingZone, now);
  if (dayOf(billingZone, last.signedAt) < today) return { closesDay: addDays(today, -1) };
  // A clock that was set back must not keep it from being signed.
  const isRested = Math.abs(now - last.signedAt) >= checkpointRestMs;
  return size > last.size && isRested ? { closesDay: undefined } : undefined;
}

/** Signs what the log is now, if it is time; whether it was. */
export function signIfNeeded(
  db: Db,
  { signer, now }: { readonly signer: Signer; readonly now: number },
): Promise<boolean> {
  return db.transaction(async (tx) => {
    if (!(await lockLog(tx))) return false;
    const size = await logSize(tx);
    const need = checkpointNeed({ size, last: await latestCheckpoint(tx), now });
    if (need === undefined) return false;
    const root = (await treeOf(tx, size)).root();
    const note = signCheckpoint({ origin: signer.key.name, size, root }, signer);
    await saveCheckpoint(tx, { size, root, note, signedAt: now, closesDay: need.closesDay });
    return true;
  });
}
