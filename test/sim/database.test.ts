/**
 * The database goes away while work is under way: all its connections at once, many times, and the
 * whole server. The loops come back by themselves and nothing is lost. A rejection that nobody
 * handles would fail this file.
 */
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as wait } from "node:timers/promises";

import { expect, test, vi } from "vitest";
import { z } from "zod";

import { startEmbedded, type Embedded } from "#db/embedded.ts";
import { migrate } from "#db/migrate.ts";
import { openDb, type Db } from "#db/pool.ts";
import { sql } from "#db/sql.ts";
import { ledgerCredit } from "#flow/admit/credit.ts";
import { askRelease } from "#flow/admit/lease.ts";
import { Failure } from "#kernel/failure.ts";
import { createObserver } from "#observe/observer.ts";
import { testDatabase } from "#test/database.ts";

import { lease, rent, shape } from "./cloud.ts";
import { brokenNow, differsFromPlatform, leftovers, unsettled, wrongUsage } from "./invariants.ts";
import { makeWorld, startWorker, type Worker, type World } from "./world.ts";

const observer = createObserver({ level: "silent" });
const leaseCount = 8;
const timeoutMs = 25_000;

test(
  "all connections break, again and again: leases come, run and go",
  { timeout: 60_000 },
  async () => {
    const { db, url } = await testDatabase();
    const world = await makeWorld({ db, url });
    const worker = startWorker(world);
    const stormy = { over: false };
    const storm = (async (): Promise<void> => {
      while (!stormy.over) {
        await breakAll(db).catch(expected);
        await wait(60);
      }
    })();
    const leases = await rentAll(world);
    await wait(500);
    stormy.over = true;
    await storm;
    await comesToRest(world, worker);
    await releaseAllOf(world, leases);
    expect(await wrongAfterAll(world, worker)).toEqual([]);
    await worker.stop();
  },
);

test(
  "the server stops and starts again: the loops go on where they were",
  { timeout: 90_000 },
  async () => {
    const directory = await mkdtemp(join(tmpdir(), "millrace-restart-"));
    await chmod(directory, 0o711);
    let server = await start(directory);
    await migrate(server.url, resolve(import.meta.dirname, "../../db/migrations"));
    const { url } = server;
    const db = openDb({ url, connectionsMax: 6, observer, applicationName: "test" });
    try {
      const world = await makeWorld({ db, url });
      const worker = startWorker(world);
      const leases = await rentAll(world);
      await server.stop();
      await expect(rentAll(world)).rejects.toMatchObject({ code: "unavailable" });
      // Machines change while nobody can write it down.
      for (const { spec } of world.platform.machines().slice(0, 2)) world.platform.crash(spec.id);
      server = await start(directory);
      expect(server.url).toBe(url);
      await comesToRest(world, worker);
      await releaseAllOf(world, leases);
      expect(await wrongAfterAll(world, worker)).toEqual([]);
      await worker.stop();
    } finally {
      await db.close();
      await server.stop();
      await rm(directory, { recursive: true, force: true });
    }
  },
);

function start(directory: string): Promise<Embedded> {
  const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
  const signal = AbortSignal.timeout(timeoutMs);
  return startEmbedded({ directory, log, signal, durability: "none" });
}

/** All but the one that asks. */
async function breakAll(db: Db): Promise<void> {
  await db.rows(
    sql`select pg_terminate_backend(pid) as ended from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid()
        and backend_type = 'client backend'`,
    z.object({ ended: z.boolean() }),
  );
}

/** The connection broke: said as it should be, and tried again. */
function expected(error: unknown): void {
  if (!(error instanceof Failure) || error.code !== "unavailable") throw error;
}

interface Rented {
  readonly tenantId: string;
  readonly leaseId: string;
}

async function rentAll({ db, tenants }: World): Promise<Rented[]> {
  const rented: Rented[] = [];
  for (let count = 0; count < leaseCount; count += 1) {
    const tenant = tenants[count % tenants.length];
    if (tenant === undefined) continue;
    const work = lease(tenant, { name: `vm-${count}-${Date.now()}`, shape: shape() });
    const leaseId = await untilAnswered(() => rent(db, work, ledgerCredit));
    rented.push({ tenantId: tenant.tenantId, leaseId });
  }
  return rented;
}

/** As a client does: three times, then it says so. */
async function untilAnswered<T>(ask: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await ask();
    } catch (error) {
      expected(error);
      if (attempt === 20) throw error;
      await wait(20);
    }
  }
}

async function releaseAllOf({ db }: World, rented: readonly Rented[]): Promise<void> {
  for (const { tenantId, leaseId } of rented) {
    await db.tenant(tenantId, (tx) => askRelease(tx, { tenantId, leaseId, at: Date.now() }));
  }
}

async function comesToRest({ db, platform }: World, worker: Worker): Promise<void> {
  await reaches(worker, async () => [
    ...(await unsettled(db)),
    ...(await differsFromPlatform(db, platform)),
    ...(await brokenNow(db)),
  ]);
}

async function wrongAfterAll({ db, platform }: World, worker: Worker): Promise<string[]> {
  await reaches(worker, () => leftovers(db, platform));
  await reaches(worker, () => unsettled(db));
  return [...(await wrongUsage(db)), ...(await brokenNow(db))];
}

function reaches(worker: Worker, findings: () => Promise<readonly string[]>): Promise<void> {
  return vi.waitFor(
    async () => {
      worker.nudge();
      expect(await findings()).toEqual([]);
    },
    { timeout: timeoutMs, interval: 100 },
  );
}
