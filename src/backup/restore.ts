/**
 * Restores a backup into an empty directory. The archive is read to its end and compared with its
 * manifest before the first byte is written; then everything is written beside the target, the
 * database is started there and every page and table of it is read; only then does the target
 * appear.
 */
import { mkdir, readdir, rename, rm, rmdir } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";

import { requireFreeSpace } from "#config/data-directory.ts";
import type { EmbeddedLog } from "#db/embedded.ts";
import { Failure } from "#kernel/failure.ts";

import { readArchive, type Manifest } from "./archive.ts";
import { checkDatabase, type CheckedDatabase } from "./checked-database.ts";
import { ignoreMissing } from "./files.ts";
import { drain, unpack } from "./unpack.ts";

export interface RestoreOptions {
  readonly archive: string;
  /** Must be empty or not exist. */
  readonly dataDirectory: string;
  readonly log: EmbeddedLog;
  readonly signal: AbortSignal;
  readonly onProgress: (bytes: number, path: string) => void;
}

export interface Restored extends CheckedDatabase {
  readonly manifest: Manifest;
  /** Owners that this machine does not know; their files belong to whoever restored. */
  readonly unknownOwners: readonly string[];
}

/** Room beside the content for the first start of the database. */
export const headroomBytes = 256 * 1024 * 1024;

export async function restore(options: RestoreOptions): Promise<Restored> {
  const target = resolve(options.dataDirectory);
  await requireEmpty(target);
  const manifest = await readArchive(options.archive, options.signal, drain);
  await mkdir(dirname(target), { recursive: true });
  const bytes = manifest.entries.reduce((sum, entry) => sum + entry.size, 0);
  await requireFreeSpace(dirname(target), bytes + headroomBytes);
  const partial = join(dirname(target), `.${basename(target)}.restoring`);
  await rm(partial, { recursive: true, force: true });
  try {
    await mkdir(partial, { mode: process.getuid?.() === 0 ? 0o711 : 0o700 });
    const unknownOwners = await unpack(partial, { ...options, include: () => true });
    const checked =
      manifest.database === "embedded"
        ? await checkDatabase(join(partial, "postgres"), options)
        : { rows: new Map<string, number>(), pages: 0 };
    await rmdir(target).catch(ignoreMissing);
    await rename(partial, target);
    return { manifest, unknownOwners, ...checked };
  } catch (cause) {
    await rm(partial, { recursive: true, force: true });
    if (!(cause instanceof Error && "code" in cause && cause.code === "ENOSPC")) throw cause;
    throw new Failure("capacity", `The disk of ${dirname(target)} is full. Nothing was restored.`, {
      cause,
    });
  }
}

async function requireEmpty(target: string): Promise<void> {
  const names = await readdir(target).catch(ignoreMissing);
  if (names === undefined || names.length === 0) return;
  throw new Failure(
    "conflict",
    `${target} is not empty. Restore into a new directory, and move the old one away if the new ` +
      `one is to take its place.`,
  );
}
