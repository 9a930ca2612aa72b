/**
 * Removes what customers deleted, and compares the disk with the rows, slowly and for ever. Bytes that no row names (a process died
 * between the two) are removed once nobody can still be about to write their row; a row whose bytes
 * are gone is marked and said, never quietly dropped, and heals if the bytes come back.
 */
import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";

import { z } from "zod";

import type { Db } from "#db/pool.ts";
import { sql } from "#db/sql.ts";
import type { LoopDefinition } from "#loops/loop.ts";
import type { Observer } from "#observe/observer.ts";

import { errorCode, fileAt, folders, isOwnId, removeBytes } from "./disk.ts";
import { deletedFiles, filesAfter, forgetFile, setMissing, type StoredFile } from "./files.ts";

const sweepPeriodMs = 600_000;
/** Since the last write. An upload may take an hour, and its row comes after it. */
export const orphanGraceMs = 2 * 3_600_000;
const rowsPerStepMax = 500;

export interface StorageContext {
  readonly db: Db;
  readonly root: string;
  readonly observer: Observer;
  readonly now: () => number;
}

export function storageLoop(context: StorageContext): LoopDefinition {
  const { db, root, now } = context;
  let sweptAt = Number.NEGATIVE_INFINITY;
  return {
    name: "storage",
    periodMs: 60_000,
    channels: ["storage"],
    pass: async (signal) => {
      const deleted = await deletedFiles(db, rowsPerStepMax);
      for (const file of deleted) {
        await removeBytes(root, file);
        await forgetFile(db, file);
      }
      if (deleted.length === rowsPerStepMax) return "again";
      if (now() - sweptAt < sweepPeriodMs) return "rest";
      sweptAt = now();
      await sweepRows(context, signal);
      await sweepFolders(context, signal);
      return "rest";
    },
  };
}

async function sweepRows({ db, root, observer }: StorageContext, signal: AbortSignal) {
  let last: StoredFile | undefined;
  do {
    const rows: StoredFile[] = await filesAfter(db, last, rowsPerStepMax);
    for (const file of rows) {
      if (signal.aborted) return;
      if (file.state !== "ready" && file.state !== "missing") continue;
      const there = await isThere(fileAt(root, file));
      if (there === (file.state === "ready")) continue;
      const marked = await setMissing(db, file, there ? "back" : "gone");
      if (marked === 0) continue;
      const { tenantId, id, kind, sizeBytes } = file;
      const fields = { tenantId, fileId: id, kind, sizeBytes };
      if (there) observer.log.warn(fields, "bytes of a stored file are back");
      else observer.log.error(fields, "bytes of a stored file are gone");
    }
    last = rows.length === rowsPerStepMax ? rows.at(-1) : undefined;
  } while (last !== undefined);
}

async function sweepFolders(context: StorageContext, signal: AbortSignal): Promise<void> {
  const { root } = context;
  await removeOld(context, join(root, folders.incoming), await names(join(root, folders.incoming)));
  for (const tenantId of await names(join(root, folders.tenants))) {
    if (signal.aborted || !isOwnId(tenantId)) continue;
    const folder = join(root, folders.tenants, tenantId);
    const found = await names(folder);
    for (let at = 0; at < found.length; at += rowsPerStepMax) {
      const step = found.slice(at, at + rowsPerStepMax);
      const known = await context.db.rows(
        sql`select id::text as id from stored_file
          where tenant_id = ${tenantId} and id = any(${step.filter(isOwnId)}::uuid[])`,
        z.object({ id: z.string() }),
      );
      const wanted = new Set(known.map(({ id }) => id));
      const rest = step.filter((name) => !wanted.has(name));
      await removeOld(context, folder, rest);
    }
  }
}

async function removeOld(
  { observer, now }: StorageContext,
  folder: string,
  found: readonly string[],
): Promise<void> {
  for (const name of found) {
    const path = join(folder, name);
    const about = await stat(path).catch(() => undefined);
    if (about === undefined || now() - about.mtimeMs < orphanGraceMs) continue;
    observer.log.warn({ path, sizeBytes: about.size }, "removing a stored file that no row names");
    await rm(path, { recursive: true, force: true });
  }
}

async function isThere(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (errorCode(error) === "ENOENT") return false;
    throw error;
  }
}

/** What a folder holds; nothing if it is not there. */
export async function names(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (errorCode(error) === "ENOENT") return [];
    throw error;
  }
}
