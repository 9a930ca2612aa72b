/** Whole GPUs added to a machine that runs, and taken away again, on the simulated platform. */
import { expect, test, vi } from "vitest";
import { z } from "zod";

import { sql } from "#db/sql.ts";
import { askStart, askStop } from "#flow/admit/lease.ts";
import { usedBy } from "#flow/admit/quota.ts";
import { fen } from "#kernel/money.ts";
import { gibibyte, type Shape } from "#kernel/shape.ts";
import { parseGpus } from "#providers/simulated/hosts.ts";
import { openSimulated, type SimulatedProvider } from "#providers/simulated/provider.ts";
import { testDatabase } from "#test/database.ts";
import {
  addTenant,
  endlessCredit,
  lease,
  rent,
  shape,
  startStages,
  stateOf,
  type TestTenant,
} from "#test/sim/cloud.ts";

import { askResize } from "./resize.ts";

const { db, observer } = await testDatabase();
const host = {
  cpus: 64,
  memoryBytes: 256 * gibibyte,
  diskBytes: 999 * gibibyte,
  gpus: parseGpus("A100=3"),
};
const able = openSimulated({
  site: "able",
  hosts: [{ ...host, id: "h", labels: { only: "able" } }],
});
const unable = openSimulated({
  site: "unable",
  hosts: [{ ...host, id: "u", labels: { only: "unable" } }],
  capabilities: { resizeGpus: { can: false, because: "its GPUs are soldered on" } },
});
for (const provider of [able, unable]) startStages({ db, observer, provider });

function a100(count: number): Partial<Shape> {
  return { gpu: { model: "A100", count, slice: 1, nvlink: false }, hostLabels: { only: "able" } };
}

async function running(tenant: TestTenant, change: Partial<Shape>, name = "vm"): Promise<string> {
  const id = await rent(db, lease(tenant, { name, shape: shape(change) }));
  await vi.waitFor(async () => expect(await stateOf(db, id)).toMatchObject({ state: "running" }), {
    timeout: 30_000,
    interval: 20,
  });
  return id;
}

function resize(tenant: TestTenant, leaseId: string, change: Partial<Shape>): Promise<unknown> {
  const wish = { shape: shape(change), price: { hourly: fen(60n), shown: {} } };
  return db.tenant(tenant.tenantId, (tx) =>
    askResize(tx, { tenantId: tenant.tenantId, leaseId, at: Date.now(), ...wish }),
  );
}

const held = z.object({ claims: z.int(), devices: z.int(), shape: z.int(), running: z.int() });

async function holds(leaseId: string): Promise<z.output<typeof held>> {
  return db.one(
    sql`select (select count(*)::int from gpu_claim c where c.instance_id = p.instance_id) as claims,
        jsonb_array_length(p.device_ids) as devices, (i.shape->'gpu'->>'count')::int as shape,
        (select count(*)::int from operation o where o.request_id = p.request_id
          and o.state = 'running') as running
      from placement p join instance i on i.id = p.instance_id where p.request_id = ${leaseId}`,
    held,
  );
}

async function machineGpus(provider: SimulatedProvider, leaseId: string): Promise<number> {
  await Promise.resolve();
  const found = provider.platform.machines().find(({ spec }) => spec.owner.resourceId === leaseId);
  return found?.spec.gpus.length ?? 0;
}

async function comesTo(leaseId: string, count: number): Promise<void> {
  const expected = { claims: count, devices: count, shape: count, running: 0 };
  await vi.waitFor(async () => expect(await holds(leaseId)).toEqual(expected), {
    timeout: 30_000,
    interval: 20,
  });
  expect(await machineGpus(able, leaseId)).toBe(count);
}

test("GPUs come and go where a lease runs, and are claimed before and after", async () => {
  const tenant = await addTenant(db, "grows");
  const id = await running(tenant, a100(1));
  await resize(tenant, id, a100(3));
  expect(await usedBy(db, tenant.tenantId)).toMatchObject({ gpus: { A100: 3 } });
  await comesTo(id, 3);
  await resize(tenant, id, a100(1));
  await comesTo(id, 1);
  const other = await addTenant(db, "takes");
  const second = await running(other, a100(2));
  await comesTo(second, 2);
  await expect(resize(tenant, id, a100(2))).rejects.toMatchObject({ code: "capacity" });
  await comesTo(id, 1);
  // A machine starts again with the devices that it has now.
  await resize(other, second, a100(1));
  await comesTo(second, 1);
  const key = { tenantId: other.tenantId, leaseId: second };
  await db.tenant(other.tenantId, (tx) => askStop(tx, { ...key, at: Date.now(), graceSeconds: 0 }));
  await vi.waitFor(
    async () => expect(await stateOf(db, second)).toMatchObject({ state: "stopped" }),
    { timeout: 30_000 },
  );
  await db.tenant(other.tenantId, (tx) => askStart(tx, endlessCredit, { ...key, at: Date.now() }));
  await comesTo(second, 1);
});

test("what the platform cannot do is refused at once, with its reason", async () => {
  const tenant = await addTenant(db, "soldered");
  const on = { hostLabels: { only: "unable" } };
  const id = await running(tenant, { ...a100(1), ...on });
  await expect(resize(tenant, id, { ...a100(2), ...on })).rejects.toMatchObject({
    code: "unsupported",
    details: { because: "its GPUs are soldered on" },
  });
  const t4 = { gpu: { model: "T4", count: 1, slice: 1, nvlink: false }, ...on };
  await expect(resize(tenant, id, t4)).rejects.toMatchObject({ code: "rule_violation" });
  // It stays where it is: in its pool, and on the nodes of its host that it has.
  const elsewhere = resize(tenant, id, { ...a100(1), ...on, pool: "high-end" });
  await expect(elsewhere).rejects.toMatchObject({
    code: "rule_violation",
    details: { pool: null, asked: "high-end" },
  });
  const bound = resize(tenant, id, { ...a100(1), ...on, numa: true });
  await expect(bound).rejects.toThrow(/one NUMA node/);
});
