/**
 * The control plane dies at one of its first writes while a lease is made, then at a later one, and so
 * on until it gets through; the same while a lease is released. Whoever comes after it finds one
 * machine or none, one set of intervals, and balanced books. One run takes every fourth write, the seed
 * says which; `SIM_RUNS=4` takes all. (kill.test.ts does it to real processes, by chance.)
 */
import { setTimeout as wait } from "node:timers/promises";

import { expect, test } from "vitest";
import { z } from "zod";

import { sql } from "#db/sql.ts";
import { ledgerCredit } from "#flow/admit/credit.ts";
import { askRelease } from "#flow/admit/lease.ts";
import { createObserver } from "#observe/observer.ts";
import { testDatabase } from "#test/database.ts";

import { lease, rent, stateOf } from "./cloud.ts";
import { mortalProcess, type Process } from "./crash.ts";
import { brokenNow, differsFromPlatform, leftovers, unsettled, wrongUsage } from "./invariants.ts";
import { seeds } from "./random.ts";
import { makeWorld, settled, startWorker, type World } from "./world.ts";

const stride = 4;
/** More would be a process that writes without end. */
const writesMax = 400;
const timeout = 300_000;

const observer = createObserver({ level: "silent" });

async function cloud(): Promise<{ readonly world: World; readonly tenantId: string }> {
  const { db, url } = await testDatabase();
  const world = await makeWorld({ db, url });
  return { world, tenantId: world.tenants[0]?.tenantId ?? "" };
}

function hire(world: World, name: string): Promise<string> {
  const [tenant] = world.tenants;
  if (tenant === undefined) throw new Error("a world has tenants");
  return rent(world.db, lease(tenant, { name }), ledgerCredit);
}

async function wrong(world: World, leaseId: string): Promise<string[]> {
  const { state, ended } = await stateOf(world.db, leaseId);
  return [
    ...(state === "running" || ended ? [] : [`${leaseId} is ${state}`]),
    ...(await unsettled(world.db)),
    ...(await differsFromPlatform(world.db, world.platform)),
    ...(await brokenNow(world.db)),
  ];
}

/** Another worker makes it right, whatever the last one left. */
async function heal(world: World, leaseId: string): Promise<void> {
  const worker = startWorker(world);
  await settled(world, [worker], () => wrong(world, leaseId));
  await worker.stop();
}

/** Lets a process work until `done`, or until it dies at its `deathAt`-th write. */
async function work(world: World, deathAt: number, done: () => Promise<boolean>): Promise<Process> {
  const process = mortalProcess({ url: world.url, observer }, deathAt);
  const worker = startWorker(world, { process });
  while (!process.isDead() && !(await done())) {
    worker.nudge();
    await wait(5);
  }
  await worker.stop();
  return process;
}

const countRow = z.object({ count: z.int() });

/** Each row that says that something of it is held now, by SKU at most one. */
async function openIntervals(world: World, leaseId: string): Promise<number[]> {
  const rows = await world.db.rows(
    sql`select count(*)::int as count from usage_interval
      where request_id = ${leaseId} and ended_at is null group by sku`,
    countRow,
  );
  return rows.map(({ count }) => count);
}

test.each(seeds(1))(
  "killed at any write of making a lease: one machine, one set of intervals, seed %i",
  { timeout },
  async (seed) => {
    const { world, tenantId } = await cloud();
    for (let deathAt = seed % stride; ; deathAt += stride) {
      expect(deathAt).toBeLessThan(writesMax);
      const leaseId = await hire(world, `vm-${deathAt}`);
      const process = await work(
        world,
        deathAt,
        async () => (await wrong(world, leaseId)).length === 0,
      );
      await heal(world, leaseId);
      const at = process.diedAt();
      expect({ at, ...(await stateOf(world.db, leaseId)) }).toMatchObject({ at, state: "running" });
      expect({ at, machines: world.platform.machines().length }).toEqual({ at, machines: 1 });
      expect({ at, held: await openIntervals(world, leaseId) }).toEqual({ at, held: [1, 1, 1] });
      const key = { tenantId, leaseId, at: world.now() };
      await world.db.tenant(tenantId, (tx) => askRelease(tx, key));
      await heal(world, leaseId);
      expect({ at, left: await leftovers(world.db, world.platform) }).toEqual({ at, left: [] });
      if (!process.isDead()) break;
    }
    expect(await wrongUsage(world.db)).toEqual([]);
    expect(await brokenNow(world.db)).toEqual([]);
  },
);

test.each(seeds(1))(
  "killed at any write of releasing a lease: no machine, and nothing is held, seed %i",
  { timeout },
  async (seed) => {
    const { world, tenantId } = await cloud();
    for (let deathAt = seed % stride; ; deathAt += stride) {
      expect(deathAt).toBeLessThan(writesMax);
      const leaseId = await hire(world, `vm-${deathAt}`);
      await heal(world, leaseId);
      expect(world.platform.machines()).toHaveLength(1);
      const key = { tenantId, leaseId, at: world.now() };
      await world.db.tenant(tenantId, (tx) => askRelease(tx, key));
      const done = async (): Promise<boolean> =>
        (await leftovers(world.db, world.platform)).length === 0;
      const process = await work(world, deathAt, done);
      await heal(world, leaseId);
      const at = process.diedAt();
      expect({ at, machines: world.platform.machines() }).toEqual({ at, machines: [] });
      expect({ at, left: await leftovers(world.db, world.platform) }).toEqual({ at, left: [] });
      expect({ at, held: await openIntervals(world, leaseId) }).toEqual({ at, held: [] });
      if (!process.isDead()) break;
    }
    expect(await wrongUsage(world.db)).toEqual([]);
    expect(await brokenNow(world.db)).toEqual([]);
  },
);
