/**
 * The control plane dies at one of its writes while a lease is copied: before its snapshot, between that
 * and the machine made of it, before the snapshot is removed. Whoever comes after it finds one copy,
 * billed once, and no snapshot. One run takes every 32nd write, the seed says which; `SIM_RUNS=32`
 * takes all.
 */
import { setTimeout as wait } from "node:timers/promises";

import { expect, test } from "vitest";
import { z } from "zod";

import { sql } from "#db/sql.ts";
import { ledgerCredit } from "#flow/admit/credit.ts";
import { askRelease } from "#flow/admit/lease.ts";
import { admitWork } from "#flow/admit/work.ts";
import { atSite, cloneable, recordClone } from "#flow/provision/clone-asks.ts";
import { askSnapshotToClone } from "#flow/provision/snapshot-asks.ts";
import { present } from "#kernel/assert.ts";
import { createObserver } from "#observe/observer.ts";
import { testDatabase } from "#test/database.ts";

import { lease, rent, stateOf } from "./cloud.ts";
import { mortalProcess, type Process } from "./crash.ts";
import { brokenNow, differsFromPlatform, leftovers, unsettled, wrongUsage } from "./invariants.ts";
import { seeds } from "./random.ts";
import { makeWorld, settled, startWorker, type World } from "./world.ts";

const stride = 32;
/** More would be a process that writes without end; a machine under load takes more passes, some 450 were seen. */
const writesMax = 3_000;
const timeout = 600_000;
/** The placer looks again at what did not change after 30 s of real time at the latest. */
const healMs = 150_000;

const observer = createObserver({ level: "silent" });
const row = z.object({ state: z.string() });

/** As the API does it. */
async function clone(world: World, leaseId: string, name: string): Promise<string> {
  const tenant = present(world.tenants[0], "a tenant");
  const key = { tenantId: tenant.tenantId, leaseId, at: world.now() };
  return world.db.tenant(tenant.tenantId, async (tx) => {
    const { from, site } = await cloneable(tx, key);
    const { id: fromSnapshot } = await askSnapshotToClone(tx, { ...key, name });
    const shape = atSite(from.shape, site);
    const order = lease(tenant, { name, shape, fromSnapshot, at: key.at });
    const { requestId } = await admitWork(tx, ledgerCredit, order);
    await recordClone(tx, { from, leaseId: requestId, name, at: key.at });
    return requestId;
  });
}

/** Everything runs that shall run, and no snapshot is left, in our rows or at the platform. */
async function wrong(world: World): Promise<string[]> {
  const { db, platform } = world;
  const snapshots = await db.rows(sql`select state from snapshot where state <> 'gone'`, row);
  const requests = await db.rows(
    sql`select coalesce(i.state, 'no machine') as state from request r
        left join instance i on i.request_id = r.id and i.state <> 'gone'
      where r.ended_at is null and i.state is distinct from 'running'`,
    row,
  );
  return [
    ...snapshots.map(({ state }) => `a snapshot is ${state}`),
    ...requests.map(({ state }) => `a lease is ${state}`),
    ...platform
      .machines()
      .flatMap(({ snapshots: kept }) => kept.map(({ name }) => `${name} is left`)),
    ...(await unsettled(db)),
    ...(await differsFromPlatform(db, platform)),
    ...(await brokenNow(db)),
  ];
}

async function heal(world: World): Promise<void> {
  const worker = startWorker(world);
  await settled(world, [worker], () => wrong(world), healMs);
  await worker.stop();
}

async function work(world: World, deathAt: number): Promise<Process> {
  const process = mortalProcess({ url: world.url, observer }, deathAt);
  const worker = startWorker(world, { process });
  while (!process.isDead() && (await wrong(world)).length > 0) {
    worker.nudge();
    await wait(5);
  }
  await worker.stop();
  return process;
}

test.each(seeds(1))(
  "killed at any write of copying a lease: one copy, one set of intervals, no snapshot, seed %i",
  { timeout },
  async (seed) => {
    const { db, url } = await testDatabase();
    const world = await makeWorld({ db, url });
    const tenant = present(world.tenants[0], "a tenant");
    const source = await rent(db, lease(tenant, { name: "source" }), ledgerCredit);
    await heal(world);
    for (let deathAt = seed % stride; ; deathAt += stride) {
      expect(deathAt).toBeLessThan(writesMax);
      const copy = await clone(world, source, `copy-${deathAt}`);
      const process = await work(world, deathAt);
      await heal(world);
      const at = process.diedAt();
      expect({ at, ...(await stateOf(db, copy)) }).toMatchObject({ at, state: "running" });
      expect({ at, machines: world.platform.machines().length }).toEqual({ at, machines: 2 });
      const held = await db.rows(
        sql`select count(*)::text as state from usage_interval
          where request_id = ${copy} and ended_at is null group by sku`,
        row,
      );
      expect({ at, held: held.map(({ state }) => state) }).toEqual({ at, held: ["1", "1", "1"] });
      const key = { tenantId: tenant.tenantId, leaseId: copy, at: world.now() };
      await db.tenant(tenant.tenantId, (tx) => askRelease(tx, key));
      await heal(world);
      if (!process.isDead()) break;
    }
    const key = { tenantId: tenant.tenantId, leaseId: source, at: world.now() };
    await db.tenant(tenant.tenantId, (tx) => askRelease(tx, key));
    await heal(world);
    expect(await leftovers(db, world.platform)).toEqual([]);
    expect(await wrongUsage(db)).toEqual([]);
  },
);

test("a lease that we release ourselves while it is copied takes its copy with it, which is told why", async () => {
  const { db, url } = await testDatabase();
  const world = await makeWorld({ db, url });
  const tenant = present(world.tenants[0], "a tenant");
  const source = await rent(db, lease(tenant, { name: "source" }), ledgerCredit);
  await heal(world);
  const copy = await clone(world, source, "copy");
  const key = { tenantId: tenant.tenantId, leaseId: source, at: world.now() };
  await db.tenant(tenant.tenantId, (tx) => askRelease(tx, key));
  await heal(world);
  const { end_reason: reason } = await db.one(
    sql`select end_reason from request where id = ${copy}`,
    z.object({ end_reason: z.object({ code: z.string(), message: z.string() }) }),
  );
  expect(reason).toMatchObject({
    code: "clone_failed",
    message: expect.stringContaining("source was released before that was done"),
  });
  expect(await leftovers(db, world.platform)).toEqual([]);
  expect(await wrongUsage(db)).toEqual([]);
});
