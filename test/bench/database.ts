/**
 * A PostgreSQL of its own for a benchmark, durable as in production, and the CPU that work costs here
 * and there.
 */
import { chmod, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { performance } from "node:perf_hooks";

import { startEmbedded } from "#db/embedded.ts";
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
  readonly spent: <T>(
    work: () => Promise<T>,
  ) => Promise<{ readonly result: T; readonly spent: Spent }>;
  readonly remove: () => Promise<void>;
}

export async function benchDatabase(): Promise<BenchDatabase> {
  const directory = await mkdtemp(join(tmpdir(), "millrace-bench-"));
  // The database runs as a user of its own, who must be able to pass.
  await chmod(directory, 0o711);
  const embedded = await startEmbedded({
    directory,
    log: { info: () => undefined, warn: () => undefined, error: () => undefined },
    signal: AbortSignal.timeout(startTimeoutMs),
  });
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
