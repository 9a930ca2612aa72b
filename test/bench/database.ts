/**
 * A PostgreSQL of its own for a benchmark, durable as in production, and the CPU that work costs here
 * and there.
 */
import { chmod, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { performance } from "node:perf_hooks";

import pg from "pg";

import { startEmbedded, type Embedded } from "#db/embedded.ts";
import { migrate } from "#db/migrate.ts";
import { openDb, type Db } from "#db/pool.ts";
import { createObserver, type Observer } from "#observe/observer.ts";

import { familyOf } from "./processes.ts";

const migrationsDirectory = resolve(import.meta.dirname, "../../db/migrations");
const startTimeoutMs = 60_000;
const connectionsMax = 4;

export interface Spent {
  readonly clientSeconds: number;
  readonly databaseSeconds: number;
  readonly wallSeconds: number;
}

export interface BenchDatabase {
  readonly db: Db;
  readonly url: string;
  readonly observer: Observer;
  /** Of the server's first process. */
  readonly postmaster: number;
  readonly spent: <T>(
    work: () => Promise<T>,
  ) => Promise<{ readonly result: T; readonly spent: Spent }>;
  readonly remove: () => Promise<void>;
}

/** `statements`: with `pg_stat_statements`, which tells what each statement cost, and costs a little. */
export async function benchDatabase(watch?: "statements"): Promise<BenchDatabase> {
  const directory = await mkdtemp(join(tmpdir(), "millrace-bench-"));
  // The database runs as a user of its own, who must be able to pass.
  await chmod(directory, 0o711);
  let embedded = await start(directory);
  if (watch === "statements") {
    await asAdmin(embedded, "alter system set shared_preload_libraries = 'pg_stat_statements'");
    await embedded.stop();
    embedded = await start(directory);
    await asAdmin(embedded, "create extension pg_stat_statements");
    await asAdmin(embedded, "grant pg_read_all_stats to millrace");
    await asAdmin(embedded, "grant execute on function pg_stat_statements_reset to millrace");
  }
  await migrate(embedded.url, migrationsDirectory);
  const observer = createObserver({ level: "silent" });
  const db = openDb({
    url: embedded.url,
    connectionsMax,
    observer,
    applicationName: "bench",
  });
  const postmaster = Number(
    (await readFile(join(embedded.cluster, "postmaster.pid"), "utf8")).split("\n")[0],
  );
  return {
    db,
    url: embedded.url,
    observer,
    postmaster,
    spent: async (work) => {
      const before = cpuSeconds(postmaster);
      const startedAt = performance.now();
      const result = await work();
      const wallSeconds = (performance.now() - startedAt) / 1000;
      const after = cpuSeconds(postmaster);
      return {
        result,
        spent: {
          clientSeconds: after.client - before.client,
          databaseSeconds: after.database - before.database,
          wallSeconds,
        },
      };
    },
    remove: async () => {
      await db.close();
      await embedded.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

function start(directory: string): Promise<Embedded> {
  return startEmbedded({
    directory,
    log: { info: () => undefined, warn: () => undefined, error: () => undefined },
    signal: AbortSignal.timeout(startTimeoutMs),
  });
}

async function asAdmin({ adminUrl, url }: Embedded, statement: string): Promise<void> {
  const [database = ""] = /\/[^/]*$/.exec(url) ?? [];
  const client = new pg.Client({ connectionString: adminUrl.replace(/\/[^/]*$/, database) });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

function cpuSeconds(postmaster: number): { readonly client: number; readonly database: number } {
  const { user, system } = process.cpuUsage();
  let database = 0;
  for (const { pid, cpuSeconds: own, endedCpuSeconds } of familyOf(postmaster)) {
    database += own + (pid === postmaster ? endedCpuSeconds : 0);
  }
  return { client: (user + system) / 1e6, database };
}

export function spentText({ clientSeconds, databaseSeconds, wallSeconds }: Spent): string {
  return `${clientSeconds.toFixed(1)} s here, ${databaseSeconds.toFixed(1)} s PostgreSQL, ${wallSeconds.toFixed(1)} s wall`;
}
