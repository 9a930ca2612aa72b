/**
 * Restores a backup into an empty directory. The archive is read to its end and compared with its
 * manifest before the first byte is written; then everything is written beside the target, the
 * database is started there and every page and table of it is read; only then does the target
 * appear.
 */
import {
  chmod,
  lchown,
  link,
  mkdir,
  open,
  readdir,
  rename,
  rm,
  rmdir,
  symlink,
} from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import pg from "pg";
import { z } from "zod";

import type { Entry } from "#archive/tar.ts";
import { requireFreeSpace } from "#config/data-directory.ts";
import { databaseAccount } from "#db/embedded-binaries.ts";
import { startEmbedded, type EmbeddedLog } from "#db/embedded.ts";
import { checkPages } from "#db/page-checksum.ts";
import { Failure } from "#kernel/failure.ts";

import { accountIds } from "./accounts.ts";
import { readArchive, type Manifest } from "./archive.ts";
import { ignoreMissing } from "./files.ts";

export interface RestoreOptions {
  readonly archive: string;
  /** Must be empty or not exist. */
  readonly dataDirectory: string;
  readonly log: EmbeddedLog;
  readonly signal: AbortSignal;
  readonly onProgress: (bytes: number, path: string) => void;
}

export interface Restored {
  readonly manifest: Manifest;
  /** Rows of each table, as the restored database counted them. */
  readonly rows: ReadonlyMap<string, number>;
  readonly pages: number;
  /** Owners that this machine does not know; their files belong to whoever restored. */
  readonly unknownOwners: readonly string[];
}

const sparseBlockBytes = 64 * 1024;
/** Room beside the content for the first start of the database. */
const headroomBytes = 256 * 1024 * 1024;

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
    const unknownOwners = await unpack(partial, options);
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

async function unpack(partial: string, options: RestoreOptions): Promise<readonly string[]> {
  // Its files need their owner before the archive's first one is written.
  await databaseAccount();
  const unknown = new Set<string>();
  const directories: Entry[] = [];
  const links = new Set<string>();
  let bytes = 0;
  await readArchive(options.archive, options.signal, async (entry, content) => {
    const path = safePath(partial, entry.path, links);
    switch (entry.kind) {
      case "directory":
        await mkdir(path, { recursive: true, mode: 0o700 });
        directories.push(entry);
        break;
      case "link":
        await symlink(entry.target ?? "", path);
        links.add(path);
        break;
      case "same":
        await link(safePath(partial, entry.target ?? "", links), path);
        break;
      case "file":
        await writeSparse(path, entry, content);
        break;
    }
    if (!(await giveOwner(path, entry))) unknown.add(entry.user);
    bytes += entry.size;
    options.onProgress(bytes, entry.path);
  });
  for (const entry of directories) await chmod(join(partial, entry.path), entry.mode);
  return [...unknown].toSorted();
}

/** An archive is not to be trusted with paths that lead elsewhere, by dots or through a link. */
function safePath(root: string, path: string, links: ReadonlySet<string>): string {
  const parts = path.split("/");
  let isSafe = parts.every((part) => part !== "" && part !== "." && part !== "..");
  for (let at = join(root, path); isSafe && at !== root; at = dirname(at)) {
    isSafe = !links.has(at);
  }
  if (isSafe) return join(root, path);
  throw new Failure("invalid_request", `The archive holds a path that leads elsewhere: ${path}`);
}

/** Blocks of zeros become holes, as they were in the disks of virtual machines. */
async function writeSparse(
  path: string,
  entry: Entry,
  content: AsyncIterable<Buffer>,
): Promise<void> {
  const file = await open(path, "wx", entry.mode);
  try {
    let position = 0;
    for await (const chunk of content) {
      for (let offset = 0; offset < chunk.length; offset += sparseBlockBytes) {
        const part = chunk.subarray(offset, offset + sparseBlockBytes);
        if (!isZero(part)) await file.write(part, 0, part.length, position);
        position += part.length;
      }
    }
    await file.truncate(entry.size);
    await file.chmod(entry.mode);
    await file.sync();
  } finally {
    await file.close();
  }
}

const zeros = Buffer.alloc(sparseBlockBytes);

function isZero(part: Buffer): boolean {
  return part.equals(zeros.subarray(0, part.length));
}

async function giveOwner(path: string, entry: Entry): Promise<boolean> {
  if (process.getuid?.() !== 0 || entry.kind === "same") return true;
  // Numbers without a name (those under which QEMU runs) mean the same everywhere.
  const ids = entry.user === "" ? entry : await accountIds(entry.user, entry.group);
  if (ids === undefined) return false;
  await lchown(path, ids.uid, ids.gid);
  return true;
}

const tableRow = z.object({ name: z.string() });
const countRow = z.object({ count: z.coerce.number() });

/** The first start makes the copy consistent; what cannot be read now would never be. */
async function checkDatabase(
  directory: string,
  options: RestoreOptions,
): Promise<{ rows: ReadonlyMap<string, number>; pages: number }> {
  const embedded = await startEmbedded({ directory, log: options.log, signal: options.signal });
  try {
    const client = new pg.Client({
      connectionString: embedded.adminUrl.replace(/[^/]*$/, "millrace"),
    });
    await client.connect();
    try {
      const rows = await countRows(client);
      await client.query("checkpoint");
      const { pages, damaged } = await checkPages(embedded.cluster, options.signal);
      if (damaged.length === 0) return { rows, pages };
      throw new Failure(
        "invalid_request",
        `The backup holds a damaged database (${damaged.map((page) => page.file).join(", ")}): the ` +
          `database was damaged before the backup was made. Use an older backup.`,
      );
    } finally {
      await client.end();
    }
  } finally {
    await embedded.stop();
  }
}

async function countRows(client: pg.Client): Promise<Map<string, number>> {
  const { rows } = await client.query(
    `select format('%I.%I', schemaname, tablename) as name from pg_tables
      where schemaname not in ('pg_catalog', 'information_schema') order by 1`,
  );
  const counts = new Map<string, number>();
  for (const { name } of z.array(tableRow).parse(rows)) {
    const counted = await client.query(`select count(*) from ${name}`);
    counts.set(name, countRow.parse(counted.rows[0]).count);
  }
  return counts;
}

async function drain(_entry: Entry, content: AsyncIterable<Buffer>): Promise<void> {
  for await (const chunk of content) void chunk;
}
