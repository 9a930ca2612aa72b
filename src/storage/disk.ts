/**
 * The bytes of tenants' files:
 *
 *     ROOT/tenants/TENANT/FILE        a file that a row names
 *     ROOT/incoming/WRITER            being written; nobody else reads it
 *     ROOT/attempts/INSTANCE/…        what an attempt of a job is handed (flow/provision)
 *
 * What must stay true: names on the disk are made of our own ids, never of anything that a
 * customer chose; a file appears under its name only when it is whole and on the disk.
 */
import { createHash } from "node:crypto";
import { mkdir, open, rename, rm, type FileHandle } from "node:fs/promises";
import { dirname, join } from "node:path";

import { v7 as newId } from "uuid";

import { assert } from "#kernel/assert.ts";
import { Failure } from "#kernel/failure.ts";

export interface FileKey {
  readonly tenantId: string;
  readonly id: string;
}

/** A whole file that has no name yet. */
export interface Draft {
  readonly path: string;
  readonly sizeBytes: number;
  readonly sha256: string;
}

const idPattern = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export const folders = { tenants: "tenants", incoming: "incoming", attempts: "attempts" } as const;

export function fileAt(root: string, { tenantId, id }: FileKey): string {
  return join(root, folders.tenants, ownId(tenantId), ownId(id));
}

export function attemptAt(root: string, instanceId: string): string {
  return join(root, folders.attempts, ownId(instanceId));
}

/** Whether a name found on the disk can be one of ours. */
export function isOwnId(text: string): boolean {
  return idPattern.test(text);
}

function ownId(text: string): string {
  assert(isOwnId(text), "a name on the disk is one of our ids");
  return text;
}

/**
 * Writes a stream to the disk, up to `bytesMax`; beyond it throws what `tooLarge` makes. Nothing is
 * left behind when it fails.
 */
export async function receive(
  root: string,
  source: AsyncIterable<Uint8Array>,
  limit: { readonly bytesMax: number; readonly tooLarge: () => Error },
): Promise<Draft> {
  const path = join(root, folders.incoming, newId());
  return whenDiskFull(async () => {
    await makeFolder(dirname(path));
    const file = await open(path, "wx", 0o600);
    try {
      const hash = createHash("sha256");
      let sizeBytes = 0;
      for await (const chunk of source) {
        sizeBytes += chunk.byteLength;
        if (sizeBytes > limit.bytesMax) throw limit.tooLarge();
        hash.update(chunk);
        await writeAll(file, chunk);
      }
      await file.sync();
      await file.close();
      return { path, sizeBytes, sha256: hash.digest("hex") };
    } catch (error) {
      await file.close().catch(() => undefined);
      await rm(path, { force: true });
      throw error;
    }
  });
}

/** Gives a draft its name, for good; doing it again with the same bytes changes nothing. */
export async function keep(root: string, draft: Draft, key: FileKey): Promise<void> {
  await nameIt(draft.path, fileAt(root, key));
}

/** A rename that survives a power failure. */
export async function nameIt(from: string, to: string): Promise<void> {
  await whenDiskFull(async () => {
    await makeFolder(dirname(to));
    await rename(from, to);
    await syncFolder(dirname(to));
  });
}

export async function discard(draft: Draft): Promise<void> {
  await rm(draft.path, { force: true });
}

export async function removeBytes(root: string, key: FileKey): Promise<void> {
  await rm(fileAt(root, key), { force: true });
}

/**
 * Puts bytes at an offset and on the disk. The same bytes at the same offset again change nothing,
 * so whoever was interrupted begins again.
 */
export async function writeAt(path: string, offset: number, bytes: Uint8Array): Promise<void> {
  await whenDiskFull(async () => {
    await makeFolder(dirname(path));
    const file = await openForWriting(path);
    try {
      await writeAll(file, bytes, offset);
      await file.datasync();
    } finally {
      await file.close();
    }
  });
}

async function openForWriting(path: string): Promise<FileHandle> {
  try {
    return await open(path, "r+");
  } catch (error) {
    if (errorCode(error) !== "ENOENT") throw error;
    return open(path, "w", 0o600);
  }
}

async function writeAll(file: FileHandle, bytes: Uint8Array, at?: number): Promise<void> {
  for (let written = 0; written < bytes.byteLength;) {
    const position = at === undefined ? null : at + written;
    const { bytesWritten } = await file.write(bytes, written, undefined, position);
    written += bytesWritten;
  }
}

export async function makeFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 });
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** No space, and no space for this account, are the operator's to solve: `capacity`, try later. */
export async function whenDiskFull<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    const code = errorCode(cause);
    if (code !== "ENOSPC" && code !== "EDQUOT") throw cause;
    throw new Failure(
      "capacity",
      "The disk of this cloud is full, so the file could not be kept. Tell the operator; try again later.",
      { cause },
    );
  }
}

export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string"
    ? error.code
    : undefined;
}
