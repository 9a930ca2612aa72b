/**
 * A copy of the database cluster while the server runs, PostgreSQL's own way: between
 * `pg_backup_start` and `pg_backup_stop` the files are copied as they are, and then the write-ahead
 * log of that time, from which the restored server makes them consistent when it first starts. A
 * replication slot keeps that log from being recycled meanwhile.
 */
import { readdir } from "node:fs/promises";
import { basename, join } from "node:path";
import pg from "pg";
import { z } from "zod";

import type { EntryWithContent } from "#archive/tar.ts";
import { present } from "#kernel/assert.ts";

import { oneChunk } from "./archive.ts";
import { entryFor, walk } from "./files.ts";

/** Directories whose content belongs to one run of the server. */
const emptied = [
  "pg_dynshmem",
  "pg_notify",
  "pg_replslot",
  "pg_serial",
  "pg_snapshots",
  "pg_stat_tmp",
  "pg_subtrans",
  "pg_wal",
];
const leftOut = [/^postmaster\.(?:pid|opts)$/, /^pg_internal\.init$/, /^pgsql_tmp/];
const logSegment = /^[0-9A-F]{24}$/;

/** The entries of the cluster at `path` below `root`. */
export async function* clusterEntries(
  root: string,
  path: string,
  adminUrl: string,
): AsyncGenerator<EntryWithContent> {
  const client = new pg.Client({ connectionString: adminUrl, application_name: "millrace backup" });
  await client.connect();
  try {
    await client.query(
      "select pg_create_physical_replication_slot($1, immediately_reserve => true, temporary => true)",
      [`millrace_backup_${process.pid}`],
    );
    const first = await logFileOf(
      client,
      "select pg_walfile_name(pg_backup_start('millrace', fast => true)) as name",
    );
    const control = join(path, "global/pg_control");
    yield* walk({
      root,
      from: path,
      met: new Map(),
      include: (each) => each !== control && isKept(each.slice(path.length + 1)),
    });
    // Last, so that it is not older than any file that was copied.
    yield present(await entryFor(root, control), control);

    const { rows } = await client.query(
      "select labelfile as label, pg_walfile_name(lsn) as name from pg_backup_stop(wait_for_archive => false)",
    );
    const { label, name: last } = stopped.parse(rows[0]);
    yield labelEntry(path, label, await entryFor(root, control));
    const segments = (await readdir(join(root, path, "pg_wal"))).filter(
      // The first eight digits are the timeline, which these share.
      (name) => logSegment.test(name) && name >= first && name <= last,
    );
    for (const name of segments.toSorted()) {
      const segment = join(path, "pg_wal", name);
      yield present(await entryFor(root, segment), segment);
    }
  } finally {
    await client.end();
  }
}

const stopped = z.object({ label: z.string(), name: z.string() });
const walFile = z.object({ name: z.string() });

async function logFileOf(client: pg.Client, statement: string): Promise<string> {
  const { rows } = await client.query(statement);
  return walFile.parse(rows[0]).name;
}

function isKept(path: string): boolean {
  if (emptied.some((directory) => path.startsWith(`${directory}/`))) return false;
  return !leftOut.some((pattern) => pattern.test(basename(path)));
}

/** The file that tells the restored server where its recovery begins. */
function labelEntry(
  path: string,
  label: string,
  like: EntryWithContent | undefined,
): EntryWithContent {
  const content = Buffer.from(label);
  const { entry } = present(like, "pg_control");
  return {
    entry: { ...entry, path: join(path, "backup_label"), size: content.length },
    content: oneChunk(content),
  };
}
