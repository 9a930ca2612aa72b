/**
 * Machines that no row wants. What a row tells to be gone goes; what no row ever named is a
 * customer's for all that anybody knows, as after the restore of an older backup, and stays.
 */
import { expect, test, vi } from "vitest";
import { z } from "zod";

import { openDb, type Db } from "#db/pool.ts";
import { sql } from "#db/sql.ts";
import { askRelease, askStart, askStop } from "#flow/admit/lease.ts";
import { adoptOrphan, askOrphanRemoval } from "#flow/provision/orphan-asks.ts";
import { listOrphans } from "#flow/provision/orphan-rows.ts";
import { orphanGraceMs } from "#flow/provision/orphans.ts";
import { createObserver } from "#observe/observer.ts";
import { emptyDatabase } from "#test/database.ts";

import { endlessCredit, lease, rent, stateOf, type TestTenant } from "./cloud.ts";
import { brokenNow, differsFromPlatform, leftovers, unsettled } from "./invariants.ts";
import { makeWorld, startWorker, type Worker, type World } from "./world.ts";

const waiting = { timeout: 30_000, interval: 30 };

interface Restored {
  readonly world: World;
  readonly worker: Worker;
  readonly tenant: TestTenant;
  /** Was rented after the backup; its machine is all that is left of it. */
  readonly machineId: string;
  readonly leaseId: string;
  readonly close: () => Promise<void>;
}

function open(url: string): Db {
  const observer = createObserver({ level: "silent" });
  return openDb({ url, connectionsMax: 6, observer, applicationName: "sim" });
}

/** A backup is made, a lease is rented, and the backup is put back; the platform is as it was. */
async function restoredCloud(): Promise<Restored> {
  const url = await emptyDatabase({ template: "millrace_template" });
  const first = open(url);
  const world = await makeWorld({ db: first, url });
  await first.close();
  const backup = await emptyDatabase({ template: url.replace(/.*\//, "") });
  const [tenant] = world.tenants;
  if (tenant === undefined) throw new Error("a world has tenants");

  const later = open(url);
  const before = startWorker({ ...world, db: later });
  const leaseId = await rent(later, lease(tenant));
  await vi.waitFor(
    async () => expect(await stateOf(later, leaseId)).toMatchObject({ state: "running" }),
    waiting,
  );
  const machineId = (await stateOf(later, leaseId)).instance_id ?? "";
  await before.stop();
  await later.close();

  const db = open(backup);
  const restored = { ...world, db, url: backup };
  const worker = startWorker(restored);
  const close = async (): Promise<void> => {
    await worker.stop();
    await db.close();
  };
  return { world: restored, worker, tenant, machineId, leaseId, close };
}

function keptAlerts(db: Db): Promise<{ data: unknown }[]> {
  return db.rows(
    sql`select data from alert where kind = 'orphan_kept' and resolved_at is null`,
    z.object({ data: z.unknown() }),
  );
}

/** Many looks, over much more than the grace period. */
async function afterTheGrace({ world, worker, machineId }: Restored): Promise<void> {
  await vi.waitFor(async () => {
    worker.nudge();
    expect(await listOrphans(world.db, { after: undefined, limit: 9 })).toMatchObject([
      { machineId, known: false, decision: null },
    ]);
  }, waiting);
  world.clock.move(2 * orphanGraceMs);
  await vi.waitFor(async () => {
    worker.nudge();
    expect(await keptAlerts(world.db)).toHaveLength(1);
  }, waiting);
  for (let looks = 0; looks < 3; looks += 1) {
    const { seenAt = 0 } = (await listOrphans(world.db, { after: undefined, limit: 9 }))[0] ?? {};
    world.clock.move(orphanGraceMs);
    await vi.waitFor(async () => {
      worker.nudge();
      const [orphan] = await listOrphans(world.db, { after: undefined, limit: 9 });
      expect(orphan?.seenAt).toBeGreaterThan(seenAt);
    }, waiting);
  }
}

test("after a restore, a machine that is younger than the backup is kept and said", async () => {
  const restored = await restoredCloud();
  const { world, machineId } = restored;
  await afterTheGrace(restored);
  expect(world.platform.machines()).toMatchObject([{ spec: { id: machineId }, power: "running" }]);
  expect(await keptAlerts(world.db)).toMatchObject([
    { data: { machine: machineId, site: world.platform.site } },
  ]);
  await restored.close();
});

test("the operator lets it be removed, once or twice said", async () => {
  const restored = await restoredCloud();
  const { world, worker, machineId } = restored;
  await afterTheGrace(restored);
  for (let times = 0; times < 2; times += 1) {
    await world.db.transaction((tx) =>
      askOrphanRemoval(tx, { machineId, by: "operator/root", at: world.now() }),
    );
  }
  await vi.waitFor(async () => {
    worker.nudge();
    expect(world.platform.machines()).toEqual([]);
    expect(await listOrphans(world.db, { after: undefined, limit: 9 })).toEqual([]);
    expect(await keptAlerts(world.db)).toEqual([]);
  }, waiting);
  await restored.close();
});

test("the operator adopts it: a lease like any other, with its old id, metered from now on", async () => {
  const restored = await restoredCloud();
  const { world, worker, machineId, tenant, leaseId } = restored;
  const { db } = world;
  await afterTheGrace(restored);
  const askedAt = world.now();
  const adopted = await db.transaction((tx) =>
    adoptOrphan(tx, {
      machineId,
      name: "again",
      image: "unknown",
      tenantId: undefined,
      projectId: undefined,
      createdBy: machineId,
      priceOf: () => ({}),
      at: askedAt,
    }),
  );
  expect(adopted).toEqual({ ...tenant, leaseId });
  const becomes = (state: string): Promise<void> =>
    vi.waitFor(async () => {
      worker.nudge();
      expect(await stateOf(db, leaseId)).toMatchObject({ state, instance_id: machineId });
    }, waiting);
  await becomes("running");
  await vi.waitFor(async () => {
    worker.nudge();
    expect(await unsettled(db)).toEqual([]);
    expect(await keptAlerts(db)).toEqual([]);
  }, waiting);
  expect(await differsFromPlatform(db, world.platform)).toEqual([]);
  expect(await brokenNow(db)).toEqual([]);
  const usage = await db.rows(
    sql`select sku, started_at from usage_interval where request_id = ${leaseId} order by sku`,
    z.object({ sku: z.string(), started_at: z.date() }),
  );
  expect(usage.map(({ sku }) => sku)).toEqual(["cpu.core", "mem.gib", "storage"]);
  for (const { started_at: at } of usage) {
    expect(at.getTime()).toBeGreaterThanOrEqual(askedAt - 1_000);
  }

  const key = (): { tenantId: string; leaseId: string; at: number } => ({
    tenantId: tenant.tenantId,
    leaseId,
    at: world.now(),
  });
  await db.tenant(tenant.tenantId, (tx) => askStop(tx, { ...key(), graceSeconds: 0 }));
  await becomes("stopped");
  await db.tenant(tenant.tenantId, (tx) => askStart(tx, endlessCredit, key()));
  await becomes("running");
  await db.tenant(tenant.tenantId, (tx) => askRelease(tx, key()));
  await becomes("gone");
  await vi.waitFor(async () => {
    worker.nudge();
    expect(await leftovers(db, world.platform)).toEqual([]);
  }, waiting);
  await restored.close();
});

test("of a tenant that is not here either, it is adopted by one that is named", async () => {
  const restored = await restoredCloud();
  const { world, machineId, tenant } = restored;
  const { db } = world;
  await afterTheGrace(restored);
  await db.execute(sql`
    update orphan set detail = jsonb_set(detail, '{owner,tenantId}', '"0190c2b4-0000-7000-8000-00000000dead"')`);
  const ask = {
    machineId,
    name: "again",
    image: "unknown",
    projectId: undefined,
    createdBy: machineId,
    priceOf: () => ({}),
    at: world.now(),
  };
  const adopt = (tenantId: string | undefined): Promise<unknown> =>
    db.transaction((tx) => adoptOrphan(tx, { ...ask, tenantId }));
  await expect(adopt(undefined)).rejects.toMatchObject({ code: "not_found" });
  expect(await adopt(tenant.tenantId)).toMatchObject(tenant);
  await restored.close();
});
