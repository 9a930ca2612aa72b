/**
 * Brings home what attempts of jobs leave behind: the log while it is written, and at the end the
 * rest of it and the results. Only then may the machine go (drive.ts waits for `collected`).
 *
 * What must stay true: how much of a log we have is the row's `size_bytes`; the next byte is asked
 * for at that offset, written there, and counted in one transaction that holds the row. So a crash
 * at any line, or two collectors at once, lose nothing and repeat nothing. And what cannot be
 * brought home is given up after a while and said: it must not hold a machine for ever.
 */
import { addAbortSignal } from "node:stream";

import { v7 as newId } from "uuid";

import type { Db } from "#db/pool.ts";
import { overStorage, storageRoom } from "#flow/admit/storage-quota.ts";
import { Failure } from "#kernel/failure.ts";
import type { Reason } from "#kernel/reason.ts";
import type { LoopDefinition } from "#loops/loop.ts";
import type { Observer } from "#observe/observer.ts";
import type { Provider } from "#providers/provider.ts";
import { keep, receive } from "#storage/disk.ts";
import {
  findAttemptFile,
  finishFile,
  insertResults,
  openLog,
  type StoredFile,
} from "#storage/files.ts";
import { sha256Of } from "#storage/read.ts";

import {
  attemptsToCollect,
  attemptToCollect,
  markCollected,
  type CollectRow,
} from "./collect-rows.ts";
import { copyLog } from "./collect-log.ts";
import { lostLog, patienceMs, troubleOf } from "./collect-trouble.ts";
import { startHands } from "./hands.ts";
import { removeAttemptFiles, type AttemptLimits } from "./workload.ts";

export interface CollectContext {
  readonly db: Db;
  readonly provider: Provider;
  /** Of the tenants' storage. */
  readonly root: string;
  readonly limits: AttemptLimits;
  readonly observer: Observer;
  readonly now: () => number;
}

/** The longest that a line of a log takes to be seen, if nothing tells of it before. */
const lookMs = 400;
const attemptsPerPassMax = 500;
const handsMax = 8;
const clearPeriodMs = 30_000;
/** For all bytes of the results to come. */
const resultsTimeoutMs = 600_000;

export interface Collector {
  readonly loop: LoopDefinition;
  readonly close: () => Promise<void>;
}

/** A pass waits for no attempt: large results of one do not hold up the live logs of others. */
export function siteCollector(context: CollectContext): Collector {
  const { db, provider, root, observer, now } = context;
  const { site } = provider;
  const closing = new AbortController();
  const { signal } = closing;
  /** Since when an attempt's end cannot be brought home; begins anew with the process. */
  const troubles = new Map<string, number>();
  /** Whose trouble has been said; it is said again only after it was over. */
  const said = new Set<string>();
  let clearedAt = Number.NEGATIVE_INFINITY;

  const hands = startHands<CollectRow>({
    handsMax,
    work: async (id, seen) => {
      const row = seen ?? (await attemptToCollect(db, site, id));
      if (row === undefined || signal.aborted) return undefined;
      try {
        await collect(context, row, signal);
        troubles.delete(id);
        said.delete(id);
      } catch (error) {
        if (!signal.aborted) await failed(row, error);
      }
      return undefined;
    },
    failed: (instanceId, err) => {
      observer.log.error({ site, instanceId, err }, "attempt could not be given up");
    },
  });

  const failed = async (row: CollectRow, err: unknown): Promise<void> => {
    const fields = { site, instanceId: row.id, stage: row.stage, err };
    const level = said.has(row.id) ? "debug" : "warn";
    said.add(row.id);
    observer.log[level](fields, "attempt could not be collected, will try again");
    if (row.stage === "follow") return;
    const since = troubles.get(row.id) ?? now();
    troubles.set(row.id, since);
    const trouble = troubleOf(err);
    if (!trouble.permanent && now() - since < patienceMs(row)) return;
    observer.log.error(fields, "what an attempt left behind is given up");
    await giveUp(context, row, trouble.reason);
    troubles.delete(row.id);
    said.delete(row.id);
  };

  return {
    loop: {
      name: `collect ${site}`,
      periodMs: lookMs,
      channels: ["workload", "instance"],
      pass: async () => {
        for (const row of await attemptsToCollect(db, site, attemptsPerPassMax)) {
          hands.ask(row.id, row);
        }
        if (now() - clearedAt > clearPeriodMs) {
          clearedAt = now();
          await removeAttemptFiles(db, root);
        }
        return "rest";
      },
    },
    close: async () => {
      closing.abort();
      await hands.close();
    },
  };
}

async function collect(
  context: CollectContext,
  row: CollectRow,
  signal: AbortSignal,
): Promise<void> {
  const log = await openLog(context.db, {
    ...keyOf(row),
    id: newId(),
    name: `${row.name}-${row.turn}.log`,
    at: context.now(),
  });
  switch (row.stage) {
    case "follow":
      await copyLog(context, { row, log, signal });
      return;
    case "close":
      // The machine is gone: what we have is all that there will ever be.
      await close(context, row, { log, results: undefined, collected: false });
      return;
    case "end": {
      const whole = await copyLog(context, { row, log, signal });
      if (whole === undefined) return;
      const results = await bringResults(context, row, signal);
      await close(context, row, { log: whole, results, collected: true });
    }
  }
}

type Results = Parameters<typeof insertResults>[1]["outcome"];

/** `undefined`: there are none to be had, or they are at home already. */
async function bringResults(
  { db, provider, root, limits }: CollectContext,
  row: CollectRow,
  signal: AbortSignal,
): Promise<Results | undefined> {
  if (row.endKind === "platform_fault" && !row.moved) return undefined;
  if ((await findAttemptFile(db, keyOf(row), "results")) !== undefined) return undefined;
  const room = await storageRoom(db, row.tenantId);
  const { resultsBytesMax } = limits;
  const overQuota = room.leftBytes < resultsBytesMax;
  try {
    const until = AbortSignal.any([signal, AbortSignal.timeout(resultsTimeoutMs)]);
    const stream = await provider.workloadResults({ signal }, row.id);
    const draft = await receive(root, addAbortSignal(until, stream), {
      bytesMax: Math.min(resultsBytesMax, room.leftBytes),
      tooLarge: () => (overQuota ? overStorage(room, undefined) : resultsTooLarge(resultsBytesMax)),
    });
    await keep(root, draft, resultsKey(row));
    return { state: "ready", sizeBytes: draft.sizeBytes, sha256: draft.sha256 };
  } catch (error) {
    const { permanent, reason } = troubleOf(error);
    if (!permanent || signal.aborted) throw error;
    return { state: "failed", reason };
  }
}

function resultsTooLarge(resultsBytesMax: number): Failure {
  return new Failure(
    "payload_too_large",
    `The results are more than ${resultsBytesMax} bytes, the most that is kept of an attempt.`,
    { details: { limit: resultsBytesMax } },
  );
}

interface Closing {
  readonly log: StoredFile;
  readonly results: Results | undefined;
  /** Whether the machine may go now; false if it is gone already. */
  readonly collected: boolean;
}

async function close(
  { db, root, now }: CollectContext,
  row: CollectRow,
  { log, results, collected }: Closing,
): Promise<void> {
  const sha256 = await sha256OfLog(root, log);
  await db.transaction(async (tx) => {
    if (results !== undefined) {
      const name = `${row.name}-${row.turn}-results.tar`;
      await insertResults(tx, {
        ...keyOf(row),
        ...resultsKey(row),
        name,
        at: now(),
        outcome: results,
      });
    }
    // If it grew meanwhile, another collector is at it, and the next pass sees what it did.
    await finishFile(tx, { ...log, sha256 });
    if (collected) await markCollected(tx, row);
    tx.nudge("log");
    tx.nudge("provision");
  });
}

/** An empty log need not be on the disk. */
async function sha256OfLog(root: string, log: StoredFile): Promise<string> {
  return log.sha256 ?? sha256Of(root, log, log.sizeBytes);
}

async function giveUp(context: CollectContext, row: CollectRow, reason: Reason): Promise<void> {
  const log = await findAttemptFile(context.db, keyOf(row), "log");
  const results: Results | undefined =
    row.stage === "close" || row.endKind === "platform_fault"
      ? undefined
      : { state: "failed", reason };
  if (log === undefined) {
    await context.db.transaction(async (tx) => {
      await markCollected(tx, row);
      tx.nudge("provision");
    });
    return;
  }
  const cut = { ...log, reason: log.reason ?? lostLog(reason) };
  await close(context, row, { log: cut, results, collected: row.stage === "end" });
}

function keyOf(row: CollectRow): {
  readonly tenantId: string;
  readonly jobId: string;
  readonly attempt: number;
} {
  return { tenantId: row.tenantId, jobId: row.jobId, attempt: row.turn };
}

/** The instance's own id: bringing them home again writes the same file. */
function resultsKey(row: CollectRow): { readonly tenantId: string; readonly id: string } {
  return { tenantId: row.tenantId, id: row.id };
}
