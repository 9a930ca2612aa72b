/** Copies a log from the platform into the tenant's storage, from where it stopped. */
import { storageRoom } from "#flow/admit/storage-quota.ts";
import type { Tx } from "#db/pool.ts";
import type { Reason } from "#kernel/reason.ts";
import { fileAt, writeAt } from "#storage/disk.ts";
import { cutFile, grow, lockFile, type StoredFile } from "#storage/files.ts";

import type { CollectContext } from "./collect.ts";
import type { CollectRow } from "./collect-rows.ts";

const chunkBytesMax = 256 * 1024;
/** So that one talkative program does not keep a hand from the others: 16 MiB at a time. */
const chunksPerTurnMax = 64;

export interface LogCopy {
  readonly row: CollectRow;
  readonly log: StoredFile;
  readonly signal: AbortSignal;
}

/** The log as it stands when the platform has no more of it; `undefined` if it has. */
export async function copyLog(
  context: Pick<CollectContext, "db" | "provider" | "root" | "limits">,
  { row, log, signal }: LogCopy,
): Promise<StoredFile | undefined> {
  const { db, provider, root } = context;
  const { logBytesMax } = context.limits;
  let known = log;
  for (let chunk = 0; chunk < chunksPerTurnMax; chunk += 1) {
    if (known.state !== "writing" || known.reason !== null) return known;
    const range = { offset: known.sizeBytes, bytesMax: chunkBytesMax };
    const bytes = await provider.workloadLog({ signal }, row.id, range);
    if (bytes.byteLength === 0) return known;
    const from = known.sizeBytes;
    known = await db.transaction((tx) => append(tx, { root, log, from, bytes, logBytesMax }));
  }
  return undefined;
}

/** The file after it; as another collector left it, if that one was faster. */
async function append(
  tx: Tx,
  {
    root,
    log,
    from,
    bytes,
    logBytesMax,
  }: {
    readonly root: string;
    readonly log: StoredFile;
    readonly from: number;
    readonly bytes: Buffer;
    readonly logBytesMax: number;
  },
): Promise<StoredFile> {
  const held = (await lockFile(tx, log)) ?? { ...log, state: "missing" as const };
  if (held.sizeBytes !== from || held.state !== "writing" || held.reason !== null) return held;
  const { leftBytes } = await storageRoom(tx, log.tenantId);
  const room = Math.min(logBytesMax - from, leftBytes);
  tx.nudge("log");
  if (bytes.byteLength <= room) {
    await writeAt(fileAt(root, log), from, bytes);
    await grow(tx, log, from + bytes.byteLength);
    return { ...held, sizeBytes: from + bytes.byteLength };
  }
  const reason = leftBytes < logBytesMax - from ? quotaFull : limitReached(logBytesMax);
  const last = Buffer.concat([
    bytes.subarray(0, room),
    Buffer.from(`\n[millrace] ${reason.message}\n`),
  ]);
  await writeAt(fileAt(root, log), from, last);
  await cutFile(tx, log, { sizeBytes: from + last.byteLength, reason });
  return { ...held, sizeBytes: from + last.byteLength, reason };
}

function limitReached(logBytesMax: number): Reason {
  const message = `The log is cut here: ${logBytesMax} bytes are kept of an attempt.`;
  return { code: "log_limit", message };
}

const quotaFull: Reason = {
  code: "quota_exceeded",
  message: "The log is cut here: the tenant's storage quota is full.",
};
