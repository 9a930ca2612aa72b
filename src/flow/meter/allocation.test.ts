/** What hosts hold beside what is metered: machines in use, that boot, and that something is wrong with. */
import { expect, test } from "vitest";
import { v7 as newId } from "uuid";

import { json } from "#db/json.ts";
import { sql } from "#db/sql.ts";
import { computeResources } from "#kernel/resources.ts";
import { testDatabase } from "#test/database.ts";
import { holdingRows, type Held } from "#test/holding-rows.ts";
import { aShape } from "#test/place-states.ts";

import { compareAllocation } from "./allocation.ts";

const { db } = await testDatabase();
const rows = await holdingRows(db);
const hostId = await rows.newHost(null, [{}, {}, {}, {}]);
const shape = {
  vcpus: 2,
  memoryMiB: 512,
  diskGiB: 1,
  gpu: { model: "A100", count: 1, slice: 3, nvlink: false },
};

/** A machine as the reconciler has it; `ready`: its customer can log in. */
async function machine(device: string, ready: boolean): Promise<Held> {
  const held = await rows.hold({ hostId, shape, devices: [device] });
  const metering = { seq: 0, lastAt: 0, ready, workloadStarted: false, workloadEnded: false };
  await db.execute(sql`
    insert into instance (tenant_id, id, request_id, project_id, kind, turn, site, host_id, spec,
      shape, state, state_since, metering, created_at)
    select tenant_id, instance_id, request_id, tenant_id, 'lease', turn, 's', host_id, '{}', shape,
      'running', now(), ${json(metering)}, now()
    from placement where instance_id = ${held.instanceId}`);
  return held;
}

async function meter({ tenantId, instanceId }: Held, skus: readonly string[]): Promise<void> {
  for (const { sku, units, slice } of computeResources(aShape(shape))) {
    if (!skus.includes(sku)) continue;
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await db.execute(sql`
      insert into usage_interval (tenant_id, id, instance_id, request_id, project_id, sku, units,
        slice, started_at, source_seq)
      values (${tenantId}, ${newId()}, ${instanceId}, ${instanceId}, ${tenantId}, ${sku}, ${units},
        ${slice}, now(), 1)`);
  }
}

const all = ["gpu.A100", "cpu.core", "mem.gib"];

test("a machine in use is metered for what it holds, one that boots is not, and both come out", async () => {
  const used = await machine("g0", true);
  await meter(used, all);
  await machine("g1", false);
  expect(await compareAllocation(db)).toEqual({
    machines: 2,
    starting: 1,
    changing: 0,
    sums: [
      { sku: "cpu.core", allocated: "4", starting: "2", metered: "2" },
      { sku: "gpu.A100", allocated: "0.666667", starting: "0.333333", metered: "0.333333" },
      { sku: "mem.gib", allocated: "1", starting: "0.5", metered: "0.5" },
    ],
    differences: [],
  });
});

test("what is held and not metered, and what is metered and not held, is named; what changes is not", async () => {
  const unmetered = await machine("g2", true);
  await meter(unmetered, ["cpu.core", "mem.gib"]);
  const gone = await machine("g3", true);
  await meter(gone, all);
  await db.execute(sql`delete from gpu_claim where instance_id = ${gone.instanceId}`);
  await db.execute(sql`update placement set state = 'none', ended_at = now()
    where instance_id = ${gone.instanceId}`);
  const wrong = async () =>
    (await compareAllocation(db)).differences.map(
      ({ tenantId, sku, allocated, metered }) => `${tenantId} ${sku} ${allocated} ${metered}`,
    );
  expect((await wrong()).toSorted()).toEqual(
    [
      `${unmetered.tenantId} gpu.A100 0.333333 0`,
      `${gone.tenantId} cpu.core 0 2`,
      `${gone.tenantId} gpu.A100 0 0.333333`,
      `${gone.tenantId} mem.gib 0 0.5`,
    ].toSorted(),
  );
  await db.execute(sql`update instance set pending_resize = true
    where id in (${unmetered.instanceId}, ${gone.instanceId})`);
  expect(await wrong()).toEqual([]);
  expect((await compareAllocation(db)).changing).toBe(2);
});
