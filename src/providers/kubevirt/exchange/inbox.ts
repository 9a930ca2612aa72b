/**
 * What agents bring: logs by offsets, results as archives. What must stay true: no byte of a log is
 * taken twice or left out; results appear when they are whole; a full disk takes nothing, and some of it
 * stays free for everything else.
 */
import { constants } from "node:fs";
import { open, rm } from "node:fs/promises";
import type { Readable } from "node:stream";

import { Failure } from "#kernel/failure.ts";

import {
  attemptFiles,
  memberFiles,
  readReport,
  sizeOf,
  touch,
  type OpenExchange,
} from "./exchange.ts";
import { draft, errorCode, freeBytes, isDiskFull, name, writeAll, writeWhole } from "./files.ts";
import { reportText, type AttemptRecord, type Member } from "./record.ts";
import { isWholeTar, logStep, tarBlockBytes, type LogChunk, type LogStep } from "./rules.ts";

export interface InboxLimits {
  /** Of the disk, for the database, inputs and whatever else lives there. */
  readonly freeBytesMin: number;
  /** Archives that are received at a time, by this process; and of one attempt. */
  readonly uploadsMax: number;
  readonly uploadsPerAttemptMax: number;
  /** For the next bytes of an archive to come. */
  readonly silenceMs: number;
}

export const usualInboxLimits: InboxLimits = {
  freeBytesMin: 512 * 2 ** 20,
  uploadsMax: 32,
  uploadsPerAttemptMax: 4,
  silenceMs: 60_000,
};

/** How often an archive that is being received looks whether there is room for more of it. */
const lookEveryBytes = 32 * 2 ** 20;
const aliveEveryMs = 3_600_000;

export interface Sender {
  readonly attempt: AttemptRecord;
  readonly member: Member;
}

export interface Parcel {
  readonly body: Readable;
  /** How long the log is, as the agent has sent it. */
  readonly logBytes: number;
}

export type LogTaken = LogStep | "disk_full" | "removed";

export type ResultsTaken =
  | "taken"
  | "too_large"
  | "broken"
  | "busy"
  | "disk_full"
  | "removed"
  /** The rest of the log is wanted first, from there. */
  | { readonly logFrom: number };

export interface Inbox {
  log(sender: Sender, chunk: LogChunk): Promise<LogTaken>;
  results(sender: Sender, parcel: Parcel): Promise<ResultsTaken>;
}

class TooLarge extends Error {}
class NoRoom extends Error {}

export function openInbox(exchange: OpenExchange, limits: InboxLimits): Inbox {
  const { places, directory } = exchange;
  const uploads = new Map<string, number>();
  let uploading = 0;
  const alive = new Map<string, number>();

  const filesOf = ({ attempt, member }: Sender) =>
    memberFiles(places, attempt.attemptId, member.machineId);

  const isAlive = async ({ attempt: { attemptId } }: Sender): Promise<void> => {
    const now = performance.now();
    const since = now - (alive.get(attemptId) ?? Number.NEGATIVE_INFINITY);
    if (since < aliveEveryMs) return;
    for (const [id, at] of alive) if (now - at >= aliveEveryMs) alive.delete(id);
    alive.set(attemptId, now);
    await touch(attemptFiles(places, attemptId).file);
  };

  const requireRoom = async (bytes: number): Promise<void> => {
    if ((await freeBytes(directory)) - bytes < limits.freeBytesMin) throw new NoRoom();
  };

  const receive = (parcel: Parcel, bytesMax: number): Promise<string | undefined> => {
    let whole = false;
    const file = draft(places, async (handle) => {
      let sizeBytes = 0;
      let lookAt = 0;
      let tail = Buffer.alloc(0);
      for await (const chunk of heard(parcel.body, limits.silenceMs)) {
        sizeBytes += chunk.byteLength;
        if (sizeBytes > bytesMax) throw new TooLarge();
        if (sizeBytes >= lookAt) {
          await requireRoom(lookEveryBytes);
          lookAt = sizeBytes + lookEveryBytes;
        }
        await writeAll(handle, chunk);
        tail = Buffer.concat([tail, chunk.subarray(-2 * tarBlockBytes)]).subarray(
          -2 * tarBlockBytes,
        );
      }
      whole = isWholeTar(sizeBytes, tail);
    });
    return file.then(async (path) => {
      if (whole) return path;
      await rm(path, { force: true });
      return undefined;
    });
  };

  const takeResults = async (sender: Sender, parcel: Parcel): Promise<ResultsTaken> => {
    const { attempt } = sender;
    const files = filesOf(sender);
    const report = { logBytes: Math.min(parcel.logBytes, attempt.logBytesMax) };
    const logFrom = await syncLog(files.log);
    if (logFrom < report.logBytes) return { logFrom };
    const done = (results: "whole" | "too_large") =>
      writeWhole(places, files.report, reportText({ ...report, results }));
    try {
      const path = await receive(parcel, attempt.resultsBytesMax);
      if (path === undefined) return "broken";
      await name(path, files.results);
      await done("whole");
      return "taken";
    } catch (error) {
      if (!(error instanceof TooLarge)) throw error;
      // What is whole already stays: it was the same program's.
      if ((await readReport(files.report)) === undefined) await done("too_large");
      return "too_large";
    }
  };

  return {
    async log(sender, chunk) {
      const { log } = filesOf(sender);
      const bytesMax = sender.attempt.logBytesMax;
      try {
        const step = logStep({ sizeBytes: await sizeOf(log), bytesMax }, chunk);
        await isAlive(sender);
        if (step.write === undefined) return step;
        await requireRoom(step.write.bytes.byteLength);
        const file = await open(log, constants.O_WRONLY | constants.O_CREAT, 0o600);
        try {
          await writeAll(file, step.write.bytes, step.write.at);
        } finally {
          await file.close();
        }
        return step;
      } catch (error) {
        return untaken(error);
      }
    },
    async results(sender, parcel) {
      const { attemptId } = sender.attempt;
      const own = uploads.get(attemptId) ?? 0;
      if (uploading >= limits.uploadsMax || own >= limits.uploadsPerAttemptMax) return "busy";
      uploading += 1;
      uploads.set(attemptId, own + 1);
      try {
        return await takeResults(sender, parcel);
      } catch (error) {
        return untaken(error);
      } finally {
        uploading -= 1;
        const left = (uploads.get(attemptId) ?? 1) - 1;
        if (left === 0) uploads.delete(attemptId);
        else uploads.set(attemptId, left);
      }
    },
  };
}

function untaken(error: unknown): "disk_full" | "removed" {
  if (error instanceof NoRoom || isDiskFull(error)) return "disk_full";
  // Its folder went while it was being brought.
  if (errorCode(error) === "ENOENT") return "removed";
  throw error;
}

/**
 * How much of the log is here for good. While it grows nothing is forced onto the disk: what a power
 * failure takes is asked for again. After this nobody can send it any more.
 */
async function syncLog(path: string): Promise<number> {
  try {
    const file = await open(path, "r+");
    try {
      await file.datasync();
      return (await file.stat()).size;
    } finally {
      await file.close();
    }
  } catch (error) {
    if (errorCode(error) === "ENOENT") return 0;
    throw error;
  }
}

/** A sender that says nothing for so long is gone: what it holds is needed by others. */
async function* heard(body: Readable, silenceMs: number): AsyncGenerator<Buffer> {
  const gone = setTimeout(() => {
    body.destroy(new Error("nothing was sent for too long"));
  }, silenceMs);
  try {
    // Whoever stops listening wants to answer: the connection stays.
    for await (const chunk of body.iterator({ destroyOnReturn: false })) {
      gone.refresh();
      if (Buffer.isBuffer(chunk)) yield chunk;
    }
  } catch (cause) {
    throw new Failure("invalid_request", "The upload broke off.", { cause });
  } finally {
    clearTimeout(gone);
  }
}
