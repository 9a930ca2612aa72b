/** A step is applied whole and once, and only to what it was decided on. */
import { expect, test, vi } from "vitest";
import { z } from "zod";

import { sql } from "#db/sql.ts";
import { askRelease, askReboot } from "#flow/admit/lease.ts";
import { present } from "#kernel/assert.ts";
import { openSimulated } from "#providers/simulated/provider.ts";
import { addTenant, lease, rent, startStages, stateOf } from "#test/sim/cloud.ts";
import { testDatabase } from "#test/database.ts";

import { findInstance, type InstanceRow } from "./instance-rows.ts";
import { applyStep } from "./store.ts";
import type { Step } from "./view.ts";

const gib = 2 ** 30;
const { db, observer } = await testDatabase();
const provider = openSimulated({
  site: "simulated",
  hosts: [{ id: "h", cpus: 8, memoryBytes: 8 * gib, diskBytes: 9 * gib, gpus: [], labels: {} }],
  latencies: { createMs: 1, bootMs: 1 },
});
const tenant = await addTenant(db, "acme");

/** A lease that runs, with nobody working on it any more. */
async function runningLease(name: string): Promise<{ leaseId: string; row: InstanceRow }> {
  const stages = startStages({ db, observer, provider });
  const leaseId = await rent(db, lease(tenant, { name }));
  await vi.waitFor(
    async () => expect(await stateOf(db, leaseId)).toMatchObject({ state: "running" }),
    {
      timeout: 30_000,
      interval: 10,
    },
  );
  await stages.stop();
  return { leaseId, row: await read(leaseId) };
}

async function read(leaseId: string): Promise<InstanceRow> {
  const { instance_id: id } = await stateOf(db, leaseId);
  const row = await findInstance(db, "simulated", present(id, "an instance"));
  return present(row, "its row");
}

/** As if the guest had switched itself off. */
function guestOff(row: InstanceRow): Step {
  return {
    state: "stopped",
    patch: { readyAt: null },
    transitions: [{ kind: "stopped", at: row.metering.lastAt + 5, shape: row.shape, evidence: {} }],
    placement: "disk",
    request: { set: "wanted-stopped", reason: null },
    endedOperations: [],
    events: [{ kind: "stopped", message: "off", at: 0 }],
  };
}

function apply(row: InstanceRow): Promise<boolean> {
  return db.transaction((tx) => applyStep(tx, row, guestOff(row), Date.now()));
}

const countRow = z.object({ transitions: z.int(), wanted: z.string(), placed: z.string() });

function after(leaseId: string): Promise<z.output<typeof countRow>> {
  return db.one(
    sql`select r.wanted, p.state as placed, (select count(*)::int from transition t
        where t.instance_id = p.instance_id and t.kind = 'stopped') as transitions
      from request r join placement p on p.request_id = r.id where r.id = ${leaseId}`,
    countRow,
  );
}

test("of two steps decided on one look, one is applied, whole", async () => {
  const { leaseId, row } = await runningLease("twice");
  const applied = await Promise.all([apply(row), apply(row), apply(row)]);
  expect(applied.filter((each) => each)).toHaveLength(1);
  expect(await after(leaseId)).toEqual({ transitions: 1, wanted: "stopped", placed: "disk" });
  expect(await read(leaseId)).toMatchObject({ state: "stopped", version: row.version + 1 });
});

test("a release that was asked for since the look is not undone", async () => {
  const { leaseId, row } = await runningLease("released");
  const key = { tenantId: tenant.tenantId, leaseId, at: Date.now() };
  await db.tenant(tenant.tenantId, (tx) => askRelease(tx, key));
  expect(await apply(row)).toBe(false);
  expect(await after(leaseId)).toEqual({ transitions: 0, wanted: "released", placed: "full" });
});

test("two releases at once are one: both are answered with the same operation, and neither is given up", async () => {
  const { leaseId } = await runningLease("released-twice");
  const key = { tenantId: tenant.tenantId, leaseId, at: Date.now() };
  const release = () => db.tenant(tenant.tenantId, (tx) => askRelease(tx, key));
  const [one, other] = await Promise.all([release(), release()]);
  expect(other.operation.id).toBe(one.operation.id);
  expect([one.operation.state, other.operation.state]).toEqual(["running", "running"]);
  expect(one.joined).not.toBe(other.joined);
});

test("work that was asked for since the look is looked at first", async () => {
  const { leaseId, row } = await runningLease("rebooted");
  const key = { tenantId: tenant.tenantId, leaseId, at: Date.now() };
  await db.tenant(tenant.tenantId, (tx) => askReboot(tx, key));
  expect(await apply(row)).toBe(false);
  expect(await apply(await read(leaseId))).toBe(true);
});
