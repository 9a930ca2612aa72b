/** Keeps the metering log up with the events, and signs it. */
import type { Db } from "#db/pool.ts";
import type { LoopDefinition } from "#loops/loop.ts";
import { raiseAlert, resolveAlert } from "#notices/store.ts";
import type { Signer } from "#tlog/keys.ts";

import { logChannel } from "./event-store.ts";
import { latestCheckpoint, logBegunAt, logSize } from "./log-store.ts";
import { leavesPerTakeMax, sequence, signIfNeeded } from "./sequencer.ts";

/** So often at least is a log signed that has grown: twice as often as it must be. */
const periodMs = 30_000;
/** A take costs the same for one event as for hundreds; nobody looks for his within a second. */
const pauseMs = 500;
const takesPerPassMax = 50;

/** Unsigned for that long, the operator is told. */
const unsignedMsMax = 600_000;
const alertKey = "log-unsigned";

export interface LogContext {
  readonly db: Db;
  readonly now: () => number;
  /** `undefined` in a process that does not have the log's key: another one signs. */
  readonly openSigner: () => Promise<Signer | undefined>;
}

export function logLoop({ db, now, openSigner }: LogContext): LoopDefinition {
  let signer: Signer | undefined;
  return {
    name: "log",
    periodMs,
    pauseMs,
    channels: [logChannel],
    pass: async (signal) => {
      const taken = await takeAll(db, signal);
      signer ??= await openSigner();
      if (signer === undefined) await sayIfUnsigned(db, now());
      else if (await signIfNeeded(db, { signer, now: now() })) {
        await resolveAlert(db, { key: alertKey, by: "log", at: now() });
      }
      return taken === leavesPerTakeMax ? "again" : "rest";
    },
  };
}

/** How many the last batch had. */
async function takeAll(db: Db, signal: AbortSignal): Promise<number | undefined> {
  for (let takes = 1; ; takes += 1) {
    // oxlint-disable-next-line no-await-in-loop -- batch after batch
    const taken = await sequence(db);
    if (taken !== leavesPerTakeMax || takes === takesPerPassMax || signal.aborted) return taken;
  }
}

async function sayIfUnsigned(db: Db, at: number): Promise<void> {
  const last = await latestCheckpoint(db);
  const leaves = (await logSize(db)) - (last?.size ?? 0);
  const since = last?.signedAt ?? (await logBegunAt(db)) ?? at;
  if (leaves === 0 || at - since < unsignedMsMax) return;
  const minutes = Math.floor((at - since) / 60_000);
  const data = { leaves, minutes };
  await raiseAlert(db, { key: alertKey, kind: "log_unsigned", severity: "critical", data, at });
}
