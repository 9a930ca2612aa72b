/**
 * What nobody took away: attempts whose control plane died before it removed them, and drafts of writers
 * that died. What must stay true: nothing goes that is young, or of whose machine anybody still knows.
 */
import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";

import { attemptFiles, readAttempt, removeFolder, type OpenExchange } from "./exchange.ts";
import { errorCode, isOwnId, orMissing } from "./files.ts";

const dayMs = 86_400_000;
/** Since the last sign of life; agents give one every hour. */
export const keptMs = 7 * dayMs;
/** A draft is written within an hour, or never. */
export const draftMs = 2 * 3_600_000;
/** Of one pass; the next goes on. */
const removedMax = 1_000;
/** Whose machines are asked for at once. */
const askedMax = 200;

export interface Sweep {
  readonly exchange: OpenExchange;
  readonly now: number;
  readonly signal: AbortSignal;
  /** Which of these machines are still kept by anybody. */
  readonly known: (machineIds: readonly string[]) => Promise<ReadonlySet<string>>;
}

export interface Swept {
  readonly attempts: number;
  readonly drafts: number;
  /** There may be more. */
  readonly full: boolean;
}

export async function sweepExchange(sweep: Sweep): Promise<Swept> {
  const { places } = sweep.exchange;
  const drafts = await removeDrafts(sweep, places.incoming);
  // A removal that was interrupted: nobody reads there.
  await removeDrafts({ ...sweep, now: Number.POSITIVE_INFINITY }, places.removed);
  let attempts = 0;
  const names = (await readdir(places.attempts)).filter(isOwnId);
  for (let at = 0; at < names.length; at += askedMax) {
    if (sweep.signal.aborted || attempts >= removedMax) return { attempts, drafts, full: true };
    attempts += await removeForgotten(sweep, names.slice(at, at + askedMax));
  }
  return { attempts, drafts, full: false };
}

async function removeForgotten(
  { exchange, now, known }: Sweep,
  attemptIds: readonly string[],
): Promise<number> {
  const { places } = exchange;
  const old: { readonly attemptId: string; readonly machineIds: readonly string[] }[] = [];
  for (const attemptId of attemptIds) {
    if (now - (await lastSeen(exchange, attemptId)) < keptMs) continue;
    const attempt = await readAttempt(places, attemptId);
    // Its folder was made and nothing written into it.
    const machineIds = attempt?.members.map(({ machineId }) => machineId) ?? [];
    old.push({ attemptId, machineIds });
  }
  if (old.length === 0) return 0;
  const there = await known(old.flatMap(({ machineIds }) => machineIds));
  let removed = 0;
  for (const { attemptId, machineIds } of old) {
    if (machineIds.some((id) => there.has(id))) continue;
    await removeFolder(places, places.attempt(attemptId));
    removed += 1;
  }
  return removed;
}

async function lastSeen({ places }: OpenExchange, attemptId: string): Promise<number> {
  const { file } = attemptFiles(places, attemptId);
  const seen = await Promise.all(
    [places.attempt(attemptId), file].map(async (path) => {
      return (await orMissing(() => stat(path)))?.mtimeMs ?? 0;
    }),
  );
  return Math.max(...seen);
}

async function removeDrafts({ now, signal }: Sweep, folder: string): Promise<number> {
  let removed = 0;
  for (const name of await readdir(folder)) {
    if (signal.aborted || removed >= removedMax) break;
    const path = join(folder, name);
    try {
      if (now - (await stat(path)).mtimeMs < draftMs) continue;
      await rm(path, { recursive: true, force: true });
      removed += 1;
    } catch (error) {
      if (errorCode(error) !== "ENOENT") throw error;
    }
  }
  return removed;
}
