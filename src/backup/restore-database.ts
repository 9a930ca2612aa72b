/**
 * Sets only the database of a data directory back to a backup; machines' disks, files and keys stay
 * as they are. For a database that is lost or damaged beside machines that are well.
 *
 * What must stay true: until the two renames at the end nothing has changed, and the former database
 * stays beside the new one. Killed between the two it leaves none in place: the same command again
 * finishes it.
 */
import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { join, resolve } from "node:path";

import { openDataDirectory, requireFreeSpace } from "#config/data-directory.ts";
import { findPostmaster } from "#db/embedded-postmaster.ts";
import { Failure } from "#kernel/failure.ts";

import { readArchive, type Manifest } from "./archive.ts";
import { checkDatabase, type CheckedDatabase } from "./checked-database.ts";
import { ignoreMissing } from "./files.ts";
import { headroomBytes, type RestoreOptions } from "./restore.ts";
import { drain, unpack } from "./unpack.ts";

export interface RestoredDatabase extends CheckedDatabase {
  readonly manifest: Manifest;
  /** Where the database is that was there until now; `undefined` if none was. */
  readonly former: string | undefined;
}

const part = "postgres";

export async function restoreDatabase(
  options: RestoreOptions & { readonly now: () => number },
): Promise<RestoredDatabase> {
  const target = resolve(options.dataDirectory);
  await requireThere(target);
  const manifest = await readArchive(options.archive, options.signal, drain);
  if (manifest.database !== "embedded") {
    throw new Failure(
      "invalid_request",
      "The database is not in this backup, because it was not in the data directory: use pg_restore.",
    );
  }
  const held = await openDataDirectory(target);
  const partial = join(target, ".restoring");
  try {
    await requireNoServer(target);
    const inside = manifest.entries.filter(({ path }) => isOfDatabase(path));
    const bytes = inside.reduce((sum, { size }) => sum + size, 0);
    await requireFreeSpace(target, bytes + headroomBytes);
    await rm(partial, { recursive: true, force: true });
    await mkdir(partial, { mode: process.getuid?.() === 0 ? 0o711 : 0o700 });
    await unpack(partial, { ...options, include: isOfDatabase });
    const checked = await checkDatabase(join(partial, part), options);
    const former = await setAside(target, options.now());
    await rename(join(partial, part), join(target, part));
    return { manifest, former, ...checked };
  } catch (cause) {
    if (!(cause instanceof Error && "code" in cause && cause.code === "ENOSPC")) throw cause;
    throw new Failure("capacity", `The disk of ${target} is full. Nothing was restored.`, {
      cause,
    });
  } finally {
    await rm(partial, { recursive: true, force: true });
    await held.close();
  }
}

function isOfDatabase(path: string): boolean {
  return path === part || path.startsWith(`${part}/`);
}

async function requireThere(target: string): Promise<void> {
  const names = await readdir(target).catch(ignoreMissing);
  if (names?.includes("local") === true) return;
  throw new Failure(
    "not_found",
    `${target} is no data directory of Millrace. Without one, restore the whole backup.`,
  );
}

/** The program may have been killed, and its database server run on. */
async function requireNoServer(target: string): Promise<void> {
  const server = await findPostmaster(join(target, part, "cluster"));
  if (server === undefined) return;
  throw new Failure(
    "wrong_state",
    `The database server of ${target} still runs, as process ${server.pid}. End it (kill ${server.pid}), then restore.`,
  );
}

async function setAside(target: string, at: number): Promise<string | undefined> {
  const names = await readdir(join(target, part));
  if (!names.includes("cluster")) {
    await rm(join(target, part), { recursive: true });
    return undefined;
  }
  const stamp = new Date(at).toISOString().replaceAll(/[-:]|\..*/g, "");
  const former = join(target, `${part}.until-${stamp}`);
  await rename(join(target, part), former);
  return former;
}
