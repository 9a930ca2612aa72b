/**
 * How the exchange keeps things on a disk that several processes share. What must stay true: a name
 * on the disk is made of our ids; a file appears under its name only when it is whole; what fails
 * leaves nothing half behind.
 */
import { mkdir, open, readFile, rename, rm, statfs, type FileHandle } from "node:fs/promises";
import { dirname, join } from "node:path";

import { v7 as newId } from "uuid";

import { assert } from "#kernel/assert.ts";

const idPattern = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export function isOwnId(text: string): boolean {
  return idPattern.test(text);
}

/** Places below the directory of the exchange. */
export interface Places {
  readonly attempts: string;
  /** Being written; nobody else reads it. */
  readonly incoming: string;
  /** Taken away at once, and emptied at leisure. */
  readonly removed: string;
  readonly attempt: (attemptId: string) => string;
}

export function placesIn(directory: string): Places {
  const attempts = join(directory, "attempts");
  return {
    attempts,
    incoming: join(directory, "incoming"),
    removed: join(directory, "removed"),
    attempt: (attemptId) => join(attempts, ownId(attemptId)),
  };
}

export function ownId(text: string): string {
  assert(isOwnId(text), "a name on the disk is one of our ids");
  return text;
}

export async function makeFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 });
}

/** A file that nobody else writes, for `fill`; removed if that fails. */
export async function draft(
  { incoming }: Places,
  fill: (file: FileHandle) => Promise<void>,
): Promise<string> {
  await makeFolder(incoming);
  const path = join(incoming, newId());
  const file = await open(path, "wx", 0o600);
  try {
    await fill(file);
    await file.sync();
    await file.close();
    return path;
  } catch (error) {
    await file.close().catch(() => undefined);
    await rm(path, { force: true });
    throw error;
  }
}

/** Gives a draft its name, so that it outlives a power failure. Throws `ENOENT` if the folder is gone. */
export async function name(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    await rm(from, { force: true });
    throw error;
  }
  const folder = await open(dirname(to), "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

export async function writeWhole(places: Places, path: string, text: string): Promise<void> {
  await name(await draft(places, (file) => file.writeFile(text)), path);
}

export async function writeAll(file: FileHandle, bytes: Uint8Array, at?: number): Promise<void> {
  for (let written = 0; written < bytes.byteLength;) {
    const position = at === undefined ? null : at + written;
    const { bytesWritten } = await file.write(bytes, written, undefined, position);
    written += bytesWritten;
  }
}

/** `undefined` if there is no such file. */
export function readText(path: string): Promise<string | undefined> {
  return orMissing(() => readFile(path, "utf8"));
}

/** What `work` gives; `undefined` if a file or folder of it is not there. */
export async function orMissing<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

export async function freeBytes(directory: string): Promise<number> {
  const { bavail, bsize } = await statfs(directory);
  return bavail * bsize;
}

export function isDiskFull(error: unknown): boolean {
  const code = errorCode(error);
  return code === "ENOSPC" || code === "EDQUOT";
}

export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string"
    ? error.code
    : undefined;
}
