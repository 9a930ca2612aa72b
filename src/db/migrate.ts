/**
 * Applies `db/migrations/NNNN.do.name.sql` in order, once, forward only, under an advisory lock so
 * that several processes may start at the same time. The hundreds of a number name the stage that
 * owns the tables (see db/migrations/README.md).
 */
import { join } from "node:path";

import pg from "pg";
import Postgrator from "postgrator";

import { Failure } from "#kernel/failure.ts";

const migrationLock = 7_274_001;

export interface Migrated {
  readonly applied: readonly string[];
  readonly version: number;
}

export async function migrate(url: string, migrationsDirectory: string): Promise<Migrated> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query("select pg_advisory_lock($1)", [migrationLock]);
    const postgrator = new Postgrator({
      migrationPattern: join(migrationsDirectory, "*.sql"),
      driver: "pg",
      schemaTable: "schema_migration",
      execQuery: (query) => client.query(query),
    });
    const applied = await postgrator.migrate();
    return {
      applied: applied.map((migration) => migration.filename),
      version: await postgrator.getDatabaseVersion(),
    };
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
