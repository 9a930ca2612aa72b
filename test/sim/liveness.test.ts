/** Nobody waits for somebody else's trouble: nudges that are lost, calls that hang, work that fails. */
import { expect, test, vi } from "vitest";
import { z } from "zod";

import { sql } from "#db/sql.ts";
import { ledgerCredit } from "#flow/admit/credit.ts";
import { askRelease, askStart } from "#flow/admit/lease.ts";
import { orphanGraceMs } from "#flow/provision/orphans.ts";
import { testDatabase } from "#test/database.ts";

import { lease, rent, shape, stateOf } from "./cloud.ts";
import { unsettled } from "./invariants.ts";
import { makeWorld, startWorker, type World } from "./world.ts";

async function cloud(paid?: string): Promise<World> {
  const { db, url } = await testDatabase();
  return makeWorld({ db, url, ...(paid === undefined ? {} : { paid }) });
}

function becomes(world: World, id: string, state: string, timeoutMs = 30_000): Promise<void> {
  return vi.waitFor(async () => expect(await stateOf(world.db, id)).toMatchObject({ state }), {
    timeout: timeoutMs,
    interval: 20,
  });
}

function firstTenant(world: World): World["tenants"][number] {
  const [tenant] = world.tenants;
  if (tenant === undefined) throw new Error("a world has tenants");
  return tenant;
}

test("a call that hangs holds up no other lease", async () => {
  const world = await cloud();
  const tenant = firstTenant(world);
  world.platform.faults.slowNext("create", 60_000);
  const worker = startWorker(world);
  const hung = await rent(world.db, lease(tenant, { name: "hung" }));
  await becomes(world, hung, "creating");
  const others = await Promise.all(
    ["a", "b", "c"].map((name) => rent(world.db, lease(tenant, { name }))),
  );
  for (const id of others) await becomes(world, id, "running");
  // And it gets there itself once its deadline has passed.
  await becomes(world, hung, "running");
  // A machine runs a moment before it is seen to be ready.
  await vi.waitFor(
    async () => {
      const ready = await world.db.rows(
        sql`select request_id as id from instance where ready_at is not null order by ready_at`,
        z.object({ id: z.string() }),
      );
      expect(ready).toHaveLength(4);
      expect(ready.at(-1)).toEqual({ id: hung });
    },
    { timeout: 30_000, interval: 20 },
  );
  await worker.stop();
});

test("without any nudge the periods alone bring a lease up", { timeout: 40_000 }, async () => {
  const world = await cloud();
  const worker = startWorker(world, { deaf: true });
  const id = await rent(world.db, lease(firstTenant(world)));
  await becomes(world, id, "running");
  expect(await stateOf(world.db, id)).toMatchObject({ ended: false });
  await worker.stop();
});

test("events that are lost cost a period, not the lease", { timeout: 30_000 }, async () => {
  const world = await cloud();
  const worker = startWorker(world);
  const id = await rent(world.db, lease(firstTenant(world)));
  world.platform.faults.loseEvents(1_000);
  await becomes(world, id, "running", 20_000);
  expect(await stateOf(world.db, id)).toMatchObject({ ended: false });
  await worker.stop();
});

test("a site that cannot say what it is still stops what must stop", async () => {
  const world = await cloud();
  const tenant = firstTenant(world);
  const worker = startWorker(world);
  const id = await rent(world.db, lease(tenant));
  await becomes(world, id, "running");
  for (let look = 0; look < 1_000; look += 1) {
    world.platform.faults.failNext("info", { code: "unavailable", effect: "none" });
  }
  const key = { tenantId: tenant.tenantId, leaseId: id, at: world.now() };
  await world.db.tenant(tenant.tenantId, (tx) => askRelease(tx, key));
  await becomes(world, id, "gone");
  expect(await stateOf(world.db, id)).toMatchObject({ ended: true });
  await worker.stop();
});

test("one tenant's work that fits nowhere keeps nothing behind it waiting", async () => {
  const world = await cloud();
  const [greedy, modest] = world.tenants;
  if (greedy === undefined || modest === undefined) throw new Error("a world has tenants");
  const giant = shape({ vcpus: 64, cpu: { sockets: 1, cores: 64, threads: 1 } });
  for (let count = 0; count < 205; count += 1) {
    await rent(world.db, lease(greedy, { name: `giant-${count}`, shape: giant, priority: 10 }));
  }
  const worker = startWorker(world);
  const id = await rent(world.db, lease(modest));
  await becomes(world, id, "running");
  const waiting = await world.db.one(
    sql`select count(*)::int as n from queue_entry where state = 'waiting'`,
    z.object({ n: z.int() }),
  );
  expect(waiting.n).toBe(205);
  await worker.stop();
});

test("a platform that refuses each call is asked less and less, and says it once", async () => {
  const world = await cloud();
  const tenant = firstTenant(world);
  const worker = startWorker(world);
  const id = await rent(world.db, lease(tenant));
  await becomes(world, id, "running");
  for (let count = 0; count < 500; count += 1) {
    world.platform.faults.failNext("delete", { code: "unavailable", effect: "accepted" });
  }
  await world.db.tenant(tenant.tenantId, (tx) =>
    askRelease(tx, { tenantId: tenant.tenantId, leaseId: id, at: world.now() }),
  );
  const inRow = z.object({ in_row: z.int(), keys: z.int() });
  const pace = sql`select (pace->>'inRow')::int as in_row, (pace->>'keys')::int as keys
    from instance where request_id = ${id}`;
  await vi.waitFor(
    async () => expect(await world.db.one(pace, inRow)).toMatchObject({ in_row: 3 }),
    {
      timeout: 30_000,
    },
  );
  const said = await world.db.rows(
    sql`select kind from request_event where request_id = ${id} and kind = 'platform-error'`,
    z.object({ kind: z.string() }),
  );
  expect(said).toHaveLength(1);
  // Once the platform is well again, a new key gets through where the old one would fail for ever.
  while (world.platform.faults.takeFailure("delete") !== undefined);
  await becomes(world, id, "gone");
  await worker.stop();
});

test("a machine that no row wants is written down, then removed after the grace period", async () => {
  const world = await cloud();
  const tenant = firstTenant(world);
  const worker = startWorker(world);
  const id = await rent(world.db, lease(tenant));
  await becomes(world, id, "running");
  // As after a restore of a backup that is older than the lease.
  await world.db.execute(sql`update instance set state = 'gone' where request_id = ${id}`);
  const orphan = sql`select removed_at is not null as removed from orphan`;
  const orphans = (): Promise<{ removed: boolean }[]> =>
    world.db.rows(orphan, z.object({ removed: z.boolean() }));
  await vi.waitFor(
    async () => {
      worker.nudge();
      expect(await orphans()).toEqual([{ removed: false }]);
    },
    { timeout: 30_000, interval: 50 },
  );
  expect(world.platform.machines()).toHaveLength(1);
  world.clock.move(orphanGraceMs);
  await vi.waitFor(
    async () => {
      worker.nudge();
      expect(world.platform.machines()).toEqual([]);
      expect(await orphans()).toEqual([{ removed: true }]);
    },
    { timeout: 30_000, interval: 50 },
  );
  await worker.stop();
});

test("when nothing is left on the balance, leases stop and their metering with them", async () => {
  const world = await cloud("5.00");
  const tenant = firstTenant(world);
  const worker = startWorker(world);
  const id = await rent(world.db, lease(tenant, { shape: shape({ vcpus: 4 }) }), ledgerCredit);
  await becomes(world, id, "running");
  await vi.waitFor(
    async () => {
      world.clock.move(600_000);
      worker.nudge();
      expect(await stateOf(world.db, id)).toMatchObject({ state: "stopped" });
    },
    { timeout: 30_000, interval: 100 },
  );
  expect(world.platform.machines().map(({ power }) => power)).toEqual(["stopped"]);
  await vi.waitFor(async () => expect(await unsettled(world.db)).toEqual([]), { timeout: 30_000 });
  const open = await world.db.rows(
    sql`select sku from usage_interval where request_id = ${id} and ended_at is null`,
    z.object({ sku: z.string() }),
  );
  expect(open).toEqual([{ sku: "storage" }]);
  // It is stopped before the last of its use is rated, and its disk goes on costing.
  await vi.waitFor(
    async () => {
      world.clock.move(600_000);
      worker.nudge();
      const at = world.now();
      const available = await world.db.tenant(tenant.tenantId, async (tx) => {
        const ask = { tenantId: tenant.tenantId, kind: "lease", at } as const;
        return (await ledgerCredit.open(tx, ask)).available();
      });
      expect(available <= 0n).toBe(true);
    },
    { timeout: 30_000, interval: 100 },
  );
  // It stays so: a start is refused until there is money.
  const start = world.db.tenant(tenant.tenantId, (tx) =>
    askStart(tx, ledgerCredit, { tenantId: tenant.tenantId, leaseId: id, at: world.now() }),
  );
  await expect(start).rejects.toMatchObject({ code: "insufficient_credit" });
  await worker.stop();
});
