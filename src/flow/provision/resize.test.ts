/** Asks to resize and the quota: what was promised counts before the machine has it. */
import { v7 as uuid } from "uuid";
import { expect, test, vi } from "vitest";
import { z } from "zod";

import { json } from "#db/json.ts";
import { sql } from "#db/sql.ts";
import { usedBy } from "#flow/admit/quota.ts";
import { Failure } from "#kernel/failure.ts";
import { fen } from "#kernel/money.ts";
import { gibibyte, type Shape } from "#kernel/shape.ts";
import { openSimulated } from "#providers/simulated/provider.ts";
import { testDatabase } from "#test/database.ts";
import {
  addTenant,
  lease,
  rent,
  shape,
  startStages,
  stateOf,
  type TestTenant,
} from "#test/sim/cloud.ts";

import { askResize } from "./resize.ts";

const host = { id: "h", cpus: 32, memoryBytes: 64 * gibibyte, diskBytes: 999 * gibibyte, gpus: [] };
const { db, observer } = await testDatabase();
const provider = openSimulated({ site: "resizing", hosts: [host] });
let stages = startStages({ db, observer, provider });

async function limitedTenant(vcpus: number): Promise<TestTenant> {
  const tenant = await addTenant(db, `t-${uuid().slice(-8)}`);
  await db.execute(sql`
    update quota_limit set limits = limits || ${json({ vcpus })}
    where tenant_id = ${tenant.tenantId}`);
  return tenant;
}

async function runningLeases(tenant: TestTenant, count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let index = 0; index < count; index += 1) {
    ids.push(await rent(db, lease(tenant, { name: `vm-${index}` })));
  }
  await vi.waitFor(
    async () => {
      for (const id of ids) expect(await stateOf(db, id)).toMatchObject({ state: "running" });
    },
    { timeout: 30_000, interval: 20 },
  );
  return ids;
}

function resize(tenant: TestTenant, leaseId: string, change: Partial<Shape>): Promise<unknown> {
  return db.tenant(tenant.tenantId, (tx) =>
    askResize(tx, {
      tenantId: tenant.tenantId,
      leaseId,
      at: Date.now(),
      shape: shape(change),
      price: { hourly: fen(60n), shown: {} },
    }),
  );
}

const underWay = sql`select id from operation where state = 'running'`;
const four = { vcpus: 4, cpu: { sockets: 1, cores: 4, threads: 1 } };

test("two resizes at once cannot share what is left of a quota", async () => {
  const tenant = await limitedTenant(5);
  const leases = await runningLeases(tenant, 2);
  // Both stay under way while the other is asked for.
  await stages.stop();
  const answers = await Promise.allSettled(leases.map((id) => resize(tenant, id, four)));
  const refused = answers.filter((each) => each.status === "rejected");
  expect(refused).toHaveLength(1);
  expect(refused[0]?.reason).toBeInstanceOf(Failure);
  expect(refused[0]?.reason).toMatchObject({
    code: "quota_exceeded",
    details: { quota: [{ resource: "vcpus", limit: 5, used: 5, asked: 3 }] },
  });
  expect(await usedBy(db, tenant.tenantId)).toMatchObject({ vcpus: 5, leases: 2 });

  stages = startStages({ db, observer, provider });
  await vi.waitFor(
    async () => expect(await db.rows(underWay, z.object({ id: z.string() }))).toEqual([]),
    { timeout: 30_000, interval: 20 },
  );
  expect(await usedBy(db, tenant.tenantId)).toMatchObject({ vcpus: 5, leases: 2 });
});

test("a lease that is made smaller counts in full until it is smaller", async () => {
  const tenant = await limitedTenant(8);
  const [id = ""] = await runningLeases(tenant, 1);
  await resize(tenant, id, { ...four, memoryMiB: 1024, diskGiB: 3 });
  await vi.waitFor(
    async () => expect(await db.rows(underWay, z.object({ id: z.string() }))).toEqual([]),
    { timeout: 30_000, interval: 20 },
  );
  await stages.stop();
  await resize(tenant, id, { diskGiB: 4 });
  expect(await usedBy(db, tenant.tenantId)).toMatchObject({
    vcpus: 4,
    memoryMiB: 1024,
    diskGiB: 4,
  });
});
