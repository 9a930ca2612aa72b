/** Walks a directory and turns what is in it into archive entries. */
import { open, readdir, readlink, lstat } from "node:fs/promises";
import { join } from "node:path";

import type { EntryWithContent } from "#archive/tar.ts";

import { accountNames } from "./accounts.ts";
import { oneChunk } from "./archive.ts";

const chunkBytes = 1024 * 1024;

export interface WalkOptions {
  /** What the paths in the archive are relative to. */
  readonly root: string;
  readonly from: string;
  /** Of a path relative to the root: `false` leaves it and everything below it out. */
  readonly include: (path: string) => boolean;
  /** Files with several names that were met before, by device and inode; shared between walks. */
  readonly met: Map<string, string>;
}

/**
 * Directories before what is in them, names in order. Sockets, pipes and devices are left out, and
 * so is a file that is gone when its turn comes.
 */
export async function* walk(options: WalkOptions): AsyncGenerator<EntryWithContent> {
  const absolute = join(options.root, options.from);
  const entry = await entryFor(options.root, options.from, options.met).catch(ignoreMissing);
  if (entry === undefined) return;
  yield entry;
  if (entry.entry.kind !== "directory") return;
  const names = (await readdir(absolute).catch(ignoreMissing)) ?? [];
  for (const name of names.toSorted()) {
    const from = join(options.from, name);
    if (options.include(from)) yield* walk({ ...options, from });
  }
}

export async function entryFor(
  root: string,
  path: string,
  met: Map<string, string> = new Map(),
): Promise<EntryWithContent | undefined> {
  const absolute = join(root, path);
  const found = await lstat(absolute);
  const { user, group } = await accountNames(found.uid, found.gid);
  const base = {
    path,
    mode: found.mode & 0o7777,
    uid: found.uid,
    gid: found.gid,
    user,
    group,
    modifiedAt: found.mtimeMs,
  };
  const nothing = oneChunk(Buffer.alloc(0));
  if (found.isDirectory())
    return { entry: { ...base, kind: "directory", size: 0 }, content: nothing };
  if (found.isSymbolicLink()) {
    const target = await readlink(absolute);
    return { entry: { ...base, kind: "link", size: 0, target }, content: nothing };
  }
  if (!found.isFile()) return undefined;
  if (found.nlink > 1) {
    const identity = `${found.dev} ${found.ino}`;
    const first = met.get(identity);
    if (first !== undefined) {
      return { entry: { ...base, kind: "same", size: 0, target: first }, content: nothing };
    }
    met.set(identity, path);
  }
  const { size } = found;
  return { entry: { ...base, kind: "file", size }, content: contentOf(absolute, size) };
}

/**
 * The first `size` bytes. A file that grows or shrinks while it is read (the database repairs that
 * from its log) is cut or filled with zeros to the size in its header.
 */
async function* contentOf(path: string, size: number): AsyncGenerator<Buffer> {
  let left = size;
  const file = await open(path).catch(ignoreMissing);
  if (file !== undefined) {
    try {
      while (left > 0) {
        const chunk = Buffer.allocUnsafe(Math.min(chunkBytes, left));
        const { bytesRead } = await file.read(chunk, 0);
        if (bytesRead === 0) break;
        left -= bytesRead;
        yield chunk.subarray(0, bytesRead);
      }
    } finally {
      await file.close();
    }
  }
  while (left > 0) {
    const zeros = Buffer.alloc(Math.min(chunkBytes, left));
    left -= zeros.length;
    yield zeros;
  }
}

export function ignoreMissing(error: unknown): undefined {
  if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
  throw error;
}
