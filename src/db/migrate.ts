/**
 * Applies `db/migrations/NNNN.do.name.sql`, forward only, each once and in a transaction of its own,
 * under an advisory lock so that several processes may start at the same time. The hundreds of a
 * number name the stage that owns the tables (see db/migrations/README.md), so a new file often
 * has a lower number than files that were applied long ago: what counts is whether a file was applied,
 * not how far the numbers have come. Those that are missing are applied in the order of their numbers.
 */
import { hash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

import pg from "pg";
import { z } from "zod";

import { Failure } from "#kernel/failure.ts";

const migrationLock = 7_274_001;
const fileName = /^([0-9]{4})\.do\.([a-z0-9_]+)\.sql$/;

export interface Migrated {
  readonly applied: readonly string[];
}

interface Migration {
  readonly version: number;
  readonly name: string;
  readonly file: string;
  readonly text: string;
  readonly md5: string;
}

/**
 * Throws `unavailable` where a file fails (nothing of it stays), where one that was applied reads
 * otherwise now, and where the database has some that a newer program applied.
 */
export async function migrate(url: string, migrationsDirectory: string): Promise<Migrated> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query("select pg_advisory_lock($1)", [migrationLock]);
    const migrations = await readMigrations(migrationsDirectory);
    const applied = await appliedBefore(client);
    const missing = migrations.filter(({ version }) => !applied.has(version));
    refuseStrangers(migrations, applied);
    for (const migration of missing) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await apply(client, migration);
    }
    return { applied: missing.map(({ file }) => file) };
  } catch (cause) {
    throw new Failure(
      "unavailable",
      `The database could not be brought up to date: ${cause instanceof Error ? cause.message : String(cause)}`,
      { cause },
    );
  } finally {
    await client.end();
  }
}

async function readMigrations(directory: string): Promise<Migration[]> {
  const found: Migration[] = [];
  for (const file of (await readdir(directory)).toSorted()) {
    if (!file.endsWith(".sql")) continue;
    const [, version, name] = fileName.exec(file) ?? [];
    if (version === undefined || name === undefined) {
      throw new Error(`${file} is not named NNNN.do.name.sql`);
    }
    if (found.at(-1)?.version === Number(version)) throw new Error(`${version} is there twice`);
    // oxlint-disable-next-line no-await-in-loop -- small files
    const text = await readFile(join(directory, file), "utf8");
    found.push({ version: Number(version), name, file, text, md5: hash("md5", text) });
  }
  return found;
}

const appliedRow = z.object({
  version: z.coerce.number(),
  name: z.string().nullable(),
  md5: z.string().nullable(),
});
type Applied = z.output<typeof appliedRow>;

async function appliedBefore(client: pg.Client): Promise<Map<number, Applied>> {
  await client.query(`create table if not exists schema_migration (
    version bigint primary key, name text, md5 text, run_at timestamptz)`);
  const { rows } = await client.query("select version, name, md5 from schema_migration");
  // Some databases have a row 0, which stands for an empty schema.
  const parsed = z.array(appliedRow).parse(rows);
  return new Map(parsed.filter(({ version }) => version > 0).map((row) => [row.version, row]));
}

function refuseStrangers(
  migrations: readonly Migration[],
  applied: ReadonlyMap<number, Applied>,
): void {
  const known = new Map(migrations.map((migration) => [migration.version, migration]));
  for (const { version, name, md5 } of applied.values()) {
    const file = known.get(version);
    if (file === undefined) {
      throw new Error(
        `a newer version of the program has applied ${version} (${name ?? "?"}), which this one does not know. Start that version, or restore a backup from before it`,
      );
    }
    if (md5 !== null && md5 !== file.md5) {
      throw new Error(`${file.file} was applied with other words; a migration is never edited`);
    }
  }
}

async function apply(client: pg.Client, { version, name, file, text, md5 }: Migration) {
  try {
    await client.query("begin");
    await client.query(text);
    await client.query(
      "insert into schema_migration (version, name, md5, run_at) values ($1, $2, $3, now())",
      [version, name, md5],
    );
    await client.query("commit");
  } catch (cause) {
    await client.query("rollback").catch(() => {});
    throw new Error(`${file}: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    });
  }
}
