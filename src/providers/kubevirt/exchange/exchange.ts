/**
 * What the control plane and the agents in jobs' pods hand each other: inputs and orders one way, logs
 * and results the other. It is a folder that every process of the control plane shares, and nothing else:
 *
 *     DIRECTORY/attempts/ATTEMPT/attempt.json     who its agents are and what they may bring
 *                                order.json       absent: run
 *                                over             there is no such attempt to start any more
 *                                MACHINE.log      grows
 *                                MACHINE.tar      its results, once they are whole
 *                                MACHINE.json     what its agent said when it was through
 *     DIRECTORY/incoming/WRITER                   being written; nobody else reads it
 *
 * What must stay true: everything can be done twice, and by two processes at once, with the same
 * outcome; no file is half; of a token only its hash is here.
 */
import { createReadStream } from "node:fs";
import { open, rename, rm, stat, utimes } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";

import { v7 as newId } from "uuid";

import { Failure } from "#kernel/failure.ts";
import { ProviderError } from "#providers/provider.ts";

import { makeFolder, orMissing, placesIn, readText, writeWhole, type Places } from "./files.ts";
import {
  attemptText,
  memberOf,
  orderText,
  parseAttempt,
  parseReport,
  type AttemptRecord,
  type Report,
} from "./record.ts";
import type { Order } from "./rules.ts";

/** A reader asks again for what is beyond it. */
const readBytesMax = 8 * 2 ** 20;

/** The control plane's side. `member` is the name that its agent has in its address. */
export interface Exchange {
  /** Again, it changes what is different: the last token is the one that is good. */
  open(attempt: AttemptRecord): Promise<void>;
  /** Throws `not_found` for an attempt that is not open. */
  order(attemptId: string, order: Order): Promise<void>;
  /** No program of it starts from now on; log and results of what ran are still taken. */
  over(attemptId: string): Promise<void>;
  logBytes(attemptId: string, member: string): Promise<number>;
  /** Empty at the end so far. */
  readLog(
    attemptId: string,
    member: string,
    range: { readonly offset: number; readonly bytesMax: number },
  ): Promise<Buffer>;
  /** A tar archive; throws `refused` if there was too much of it. */
  results(attemptId: string, member: string): Promise<Readable | undefined>;
  /** What its agent said when it was through: from then on the log is whole. */
  report(attemptId: string, member: string): Promise<Report | undefined>;
  /** With everything that was brought. */
  remove(attemptId: string): Promise<void>;
}

export interface OpenExchange extends Exchange {
  readonly directory: string;
  readonly places: Places;
}

export async function openExchange(directory: string): Promise<OpenExchange> {
  const places = placesIn(directory);
  await makeFolder(places.attempts);
  await makeFolder(places.incoming);
  await makeFolder(places.removed);

  const member = async (attemptId: string, memberName: string) => {
    const attempt = await readAttempt(places, attemptId);
    const found = attempt === undefined ? undefined : memberOf(attempt, memberName);
    return attempt === undefined || found === undefined
      ? undefined
      : { attempt, files: memberFiles(places, attemptId, found.machineId) };
  };

  return {
    directory,
    places,
    async open(attempt) {
      const { file } = attemptFiles(places, attempt.attemptId);
      const text = attemptText(attempt);
      await makeFolder(places.attempt(attempt.attemptId));
      if ((await readText(file)) === text) await touch(file);
      else await writeWhole(places, file, text);
    },
    async order(attemptId, order) {
      const { order: file } = attemptFiles(places, attemptId);
      const written = await orMissing(async () => {
        await writeWhole(places, file, orderText(order));
        return true;
      });
      if (written !== true) throw new Failure("not_found", "There is no such attempt here.");
    },
    async over(attemptId) {
      // An attempt that is not here cannot begin either.
      await orMissing(() => writeWhole(places, attemptFiles(places, attemptId).over, ""));
    },
    async logBytes(attemptId, memberName) {
      const found = await member(attemptId, memberName);
      return found === undefined ? 0 : sizeOf(found.files.log);
    },
    async readLog(attemptId, memberName, range) {
      const found = await member(attemptId, memberName);
      return found === undefined ? Buffer.alloc(0) : readRange(found.files.log, range);
    },
    async results(attemptId, memberName) {
      const found = await member(attemptId, memberName);
      if (found === undefined) return undefined;
      const file = await orMissing(() => open(found.files.results, "r"));
      if (file !== undefined) return createReadStream("", { fd: file });
      const report = await readReport(found.files.report);
      if (report?.results === "too_large") throw tooLarge(found.attempt.resultsBytesMax);
      return undefined;
    },
    async report(attemptId, memberName) {
      const found = await member(attemptId, memberName);
      return found === undefined ? undefined : readReport(found.files.report);
    },
    async remove(attemptId) {
      await removeFolder(places, places.attempt(attemptId));
    },
  };
}

function tooLarge(bytesMax: number): ProviderError {
  const message = `The results are more than ${bytesMax} bytes, the most that is kept of an attempt.`;
  return new ProviderError("refused", message, { effect: "none" });
}

export function attemptFiles(
  places: Places,
  attemptId: string,
): { readonly file: string; readonly order: string; readonly over: string } {
  const folder = places.attempt(attemptId);
  return {
    file: join(folder, "attempt.json"),
    order: join(folder, "order.json"),
    over: join(folder, "over"),
  };
}

export function memberFiles(
  places: Places,
  attemptId: string,
  machineId: string,
): { readonly log: string; readonly results: string; readonly report: string } {
  const base = join(places.attempt(attemptId), machineId);
  return { log: `${base}.log`, results: `${base}.tar`, report: `${base}.json` };
}

export async function readAttempt(
  places: Places,
  attemptId: string,
): Promise<AttemptRecord | undefined> {
  const text = await readText(attemptFiles(places, attemptId).file);
  return text === undefined ? undefined : parseAttempt(text);
}

export async function readReport(path: string): Promise<Report | undefined> {
  const text = await readText(path);
  return text === undefined ? undefined : parseReport(text);
}

export async function sizeOf(path: string): Promise<number> {
  return (await orMissing(() => stat(path)))?.size ?? 0;
}

/** So that who looks for what nobody needs any more sees that it is alive. */
export async function touch(path: string): Promise<void> {
  const now = new Date();
  await orMissing(() => utimes(path, now, now));
}

/** Gone at once for everybody, then emptied: a writer finds no folder rather than half a one. */
export async function removeFolder(places: Places, path: string): Promise<void> {
  const away = join(places.removed, newId());
  await orMissing(() => rename(path, away));
  await rm(away, { recursive: true, force: true });
}

async function readRange(
  path: string,
  { offset, bytesMax }: { readonly offset: number; readonly bytesMax: number },
): Promise<Buffer> {
  const file = await orMissing(() => open(path, "r"));
  if (file === undefined) return Buffer.alloc(0);
  try {
    const { size } = await file.stat();
    const length = Math.max(0, Math.min(bytesMax, readBytesMax, size - offset));
    const buffer = Buffer.alloc(length);
    const { bytesRead } = await file.read(buffer, 0, length, offset);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}
