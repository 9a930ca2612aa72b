/** What drivers say of their hosts becomes rows, once, and leaves the operator's word alone. */
import { beforeAll, expect, test } from "vitest";
import { z } from "zod";

import { sql } from "#db/sql.ts";
import { testDatabase } from "#test/database.ts";

import { recordHosts, recordSite, type HostSaid } from "./sites.ts";

const { db } = await testDatabase();
const gib = 2 ** 30;
const at = Date.UTC(2026, 0, 1);

beforeAll(() =>
  recordSite(
    db,
    {
      site: "s",
      kind: "simulated",
      version: "1",
      execution: "simulated",
      executionReason: "",
      capabilities: {},
    },
    at,
  ),
);

type Gpu = HostSaid["gpus"][number];

function gpu(id: string, change: Partial<Gpu> = {}): Gpu {
  const base = { model: "A100", memoryBytes: 80 * gib, isolation: "hard", slicesMax: 7 } as const;
  return { id, ...base, ...change };
}

function say(id: string, change: Partial<HostSaid>): Promise<number> {
  const item = {
    id,
    state: "up",
    cpus: 4,
    memoryBytes: gib,
    diskBytes: gib,
    hugePages: {},
    labels: {},
    gpus: [],
    ...change,
  } as const;
  return recordHosts(db, { site: "s", at, listing: { complete: false, items: [item] } });
}

const deviceRow = z.object({
  id: z.string(),
  mode: z.string(),
  numa_node: z.int().nullable(),
  nvlink_group: z.string().nullable(),
  healthy: z.boolean(),
});

function devices(host: string): Promise<z.output<typeof deviceRow>[]> {
  return db.rows(
    sql`select d.id, mode, numa_node, nvlink_group, healthy from gpu_device d
      join host h on h.id = d.host_id where h.native_id = ${host} and present order by d.id`,
    deviceRow,
  );
}

test("R-GPU-11, R-GPU-05: NVLink groups, NUMA nodes and modes of devices are kept as they were said", async () => {
  const numa = [{ cpus: 2, memoryBytes: gib / 2 }];
  const gpus = [
    gpu("a", { nvlinkGroup: "x", numaNode: 0 }),
    gpu("b", { mode: "whole" }),
    gpu("c", { model: "T4", slicesMax: 8 }),
    gpu("d", { isolation: "soft" }),
    gpu("e", { slicesMax: 1, healthy: false }),
  ];
  expect(await say("h1", { numa, gpus })).toBeGreaterThan(0);
  expect((await devices("h1")).map(Object.values)).toEqual([
    ["a", "mig", 0, "x", true],
    ["b", "whole", null, null, true],
    ["c", "vgpu", null, null, true],
    ["d", "shared", null, null, true],
    ["e", "whole", null, null, false],
  ]);
  const kept = await db.one(
    sql`select numa from host where native_id = 'h1'`,
    z.object({ numa: z.unknown() }),
  );
  expect(kept.numa).toEqual(numa);
  // Said again, nothing changes; said otherwise, that does.
  expect(await say("h1", { numa, gpus })).toBe(0);
  expect(await say("h1", { numa: [], gpus })).toBe(1);
  expect(await say("h1", { gpus: gpus.map((each) => ({ ...each, nvlinkGroup: "y" })) })).toBe(5);
});

async function isHealthy(host: string): Promise<boolean | undefined> {
  return (await devices(host))[0]?.healthy;
}

test("R-GPU-09: what the platform says of a device's health and what the operator says stand side by side", async () => {
  await say("h2", { gpus: [gpu("a")] });
  await db.execute(sql`
    update gpu_device set sick_by_operator = true, sick_note = 'ECC'
    where host_id = (select id from host where native_id = 'h2')`);
  expect(await say("h2", { gpus: [gpu("a")] })).toBe(0);
  expect(await isHealthy("h2")).toBe(false);
  expect(await say("h2", { gpus: [gpu("a", { healthy: false })] })).toBe(1);
  await db.execute(sql`
    update gpu_device set sick_by_operator = false
    where host_id = (select id from host where native_id = 'h2')`);
  expect(await isHealthy("h2")).toBe(false);
  expect(await say("h2", { gpus: [gpu("a", { healthy: true })] })).toBe(1);
  expect(await isHealthy("h2")).toBe(true);
});
