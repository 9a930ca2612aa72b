/** Reading a tenant's file: only bytes that count, by ranges, as a stream that fills no memory. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { Readable } from "node:stream";

import { Failure } from "#kernel/failure.ts";

import { errorCode, fileAt, type FileKey } from "./disk.ts";

export interface Range {
  readonly from: number;
  /** Exclusive. */
  readonly until: number;
}

/** Throws `not_found` before anything was sent, if the bytes are not there. */
export async function readRange(
  root: string,
  key: FileKey,
  { from, until }: Range,
): Promise<Readable> {
  if (until <= from) return Readable.from([]);
  const path = fileAt(root, key);
  try {
    const file = await open(path, "r");
    return createReadStream(path, { fd: file, start: from, end: until - 1 });
  } catch (cause) {
    throw errorCode(cause) === "ENOENT" ? bytesGone(cause) : cause;
  }
}

/** At most `until - from` bytes, in memory. */
export async function readBytes(
  root: string,
  key: FileKey,
  { from, until }: Range,
): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of await readRange(root, key, { from, until })) parts.push(part);
  return Buffer.concat(parts);
}

export async function sha256Of(root: string, key: FileKey, until: number): Promise<string> {
  const hash = createHash("sha256");
  for await (const part of await readRange(root, key, { from: 0, until })) hash.update(part);
  return hash.digest("hex");
}

export function bytesGone(cause?: unknown): Failure {
  return new Failure(
    "not_found",
    "The bytes of this file are not on the disk any more; the operator's log says since when.",
    { cause },
  );
}
