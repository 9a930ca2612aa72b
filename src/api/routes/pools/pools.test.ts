/** Pools over the API: made, filled with hosts, looked at, changed, taken down. */
import { expect, test } from "vitest";
import { z } from "zod";

import { createFlavor } from "#api/routes/catalog/offers.ts";
import { listHostsHandler, updateHost, updateHostGpu } from "#api/routes/catalog/places.ts";
import { host as hostSchema } from "#contract/schemas/catalog.ts";
import { pool as poolSchema, type Pool } from "#contract/schemas/pools.ts";
import { sql } from "#db/sql.ts";
import { testApi } from "#test/api-server.ts";
import { holdingRows, type Held } from "#test/holding-rows.ts";
import { gpus } from "#test/place-states.ts";

import { poolHandlers } from "./pools.ts";

const listHosts = listHostsHandler;
const api = await testApi({
  handlers: { ...poolHandlers, listHosts, updateHost, updateHostGpu, createFlavor },
});
const { db, clock, operator } = api;
const { newTenant, newHost, hold } = await holdingRows(db);
const dayMs = 86_400_000;
await db.execute(sql`update site set inventory_at = ${new Date(clock.now)}`);

async function ask(method: string, path: string, body?: unknown) {
  const { secret } = operator;
  const answer = await api.ask(method, path, body === undefined ? { secret } : { secret, body });
  return { status: answer.status, body: answer.body };
}

async function pool(name: string): Promise<Pool> {
  const { status, body } = await ask("GET", `/v1/pools/${name}`);
  expect(status).toBe(200);
  return poolSchema.parse(body);
}

const create = (body: unknown): ReturnType<typeof ask> => ask("POST", "/v1/pools", body);
const inPool = (hostId: string, name: string | null): ReturnType<typeof ask> =>
  ask("PATCH", `/v1/hosts/${hostId}`, { pool: name });

async function hostOf(id: string): Promise<z.output<typeof hostSchema> | undefined> {
  const { body } = await ask("GET", "/v1/hosts?limit=200");
  return z
    .object({ items: z.array(hostSchema) })
    .parse(body)
    .items.find((each) => each.id === id);
}

test("R-POOL-02, R-POOL-03, R-POOL-04: the three pools are presets, with words of one's own over them", async () => {
  const made = [
    await create({ name: "high-end", preset: "high-end" }),
    await create({ name: "general", preset: "general", slicesMax: 4 }),
    await create({ name: "edge", preset: "edge" }),
  ];
  expect(made.map(({ status }) => status)).toEqual([201, 201, 201]);
  expect(made.map(({ body }) => body)).toMatchObject([
    { policy: "exclusive", serviceClass: "core", slicesMax: 1, reservePercent: 20 },
    { policy: "shared", serviceClass: "any", slicesMax: 4, reservePercent: 0 },
    { policy: "edge", slicesMax: 1, spread: true, tenants: null },
  ]);
  const wrong = await create({
    name: "wrong",
    preset: "high-end",
    slicesMax: 4,
    reservePercent: 5,
  });
  expect(wrong).toMatchObject({ status: 422, body: { code: "rule_violation" } });
  expect(JSON.stringify(wrong.body)).toMatch(/R-POOL-02.*R-POOL-05/);
  expect(await create({ name: "general" })).toMatchObject({ status: 409 });
  expect(await create({ name: "x", slicesMax: 17 })).toMatchObject({ status: 400 });
  const strangers = await create({ name: "x", tenants: ["019ad2a4-0000-7000-8000-000000000000"] });
  expect(strangers).toMatchObject({ status: 404 });
  expect(await ask("GET", "/v1/pools/x")).toMatchObject({ status: 404 });
});

test("R-POOL-01: a host goes into a pool and out, unless what runs there is not for it", async () => {
  const tenantId = await newTenant();
  await create({ name: "theirs", tenants: [tenantId] });
  const hostId = await newHost(null);
  expect(await inPool(hostId, "theirs")).toMatchObject({ status: 200, body: { pool: "theirs" } });
  await hold({ tenantId, hostId, shape: { pool: "theirs" } });
  const out = await inPool(hostId, null);
  expect(out).toMatchObject({ status: 409, body: { code: "wrong_state" } });
  expect((await hostOf(hostId))?.pool).toBe("theirs");
  const others = await newHost(null);
  await hold({ hostId: others });
  expect(await inPool(others, "theirs")).toMatchObject({ status: 409 });
  const nowhere = await inPool(others, "no-such");
  expect(nowhere).toMatchObject({ status: 404 });
  expect(JSON.stringify(nowhere.body)).toContain("theirs");
  expect(await ask("PATCH", "/v1/pools/theirs", { tenants: null })).toMatchObject({ status: 200 });
  expect(await ask("DELETE", "/v1/pools/theirs")).toMatchObject({ status: 409 });
});

function flavor(slice: number, of: string): unknown {
  return {
    name: `slice.${slice}`,
    vcpus: 1,
    cpu: { sockets: 1, cores: 1, threads: 1 },
    memoryMiB: 1024,
    diskGiB: 1,
    gpu: { model: "T4", count: 1, slice },
    pool: of,
  };
}

test("a flavor that is sold from a pool must be able to run there, also after a change of the pool", async () => {
  await create({ name: "sold", preset: "general" });
  const tenth = await ask("POST", "/v1/flavors", flavor(10, "sold"));
  expect(tenth).toMatchObject({ status: 422, body: { code: "rule_violation" } });
  expect(await ask("POST", "/v1/flavors", flavor(8, "no-such"))).toMatchObject({ status: 404 });
  expect(await ask("POST", "/v1/flavors", flavor(8, "sold"))).toMatchObject({ status: 201 });
  const narrower = await ask("PATCH", "/v1/pools/sold", { slicesMax: 4 });
  expect(narrower).toMatchObject({ status: 422 });
  expect(JSON.stringify(narrower.body)).toContain("slice.8");
  expect(await ask("DELETE", "/v1/pools/sold")).toMatchObject({ status: 409 });
  await create({ name: "empty" });
  expect(await ask("DELETE", "/v1/pools/empty")).toMatchObject({ status: 204 });
});

/** As the meter writes it. */
async function metered(
  { tenantId, instanceId }: Held,
  of: {
    readonly sku: string;
    readonly slice: number;
    readonly from: number;
    readonly until?: number;
  },
): Promise<void> {
  const until = of.until === undefined ? null : new Date(of.until);
  await db.execute(sql`
    insert into usage_interval (tenant_id, id, instance_id, request_id, project_id, sku, units, slice,
      started_at, ended_at, source_seq)
    select tenant_id, gen_random_uuid(), instance_id, request_id, tenant_id, ${of.sku}, 1, ${of.slice},
      ${new Date(of.from)}, ${until}, 1 from placement
    where tenant_id = ${tenantId} and instance_id = ${instanceId}`);
}

test("R-POOL-05, R-POOL-06: what is held of a pool now and over 30 days, and its reserve", async () => {
  await create({ name: "measured", reservePercent: 25, slicesMax: 4 });
  const t4 = { model: "T4", slicesMax: 8 };
  const hostId = await newHost("measured", [t4, t4, t4, t4]);
  await newHost("measured", [t4], { state: "down" });
  // Both hosts came 60 and 10 days ago.
  await db.execute(sql`
    update host set created_at = ${new Date(clock.now - 60 * dayMs)}
    where pool_id = (select id from pool where name = 'measured') and state = 'up'`);
  await db.execute(sql`
    update host set created_at = ${new Date(clock.now - 10 * dayMs)}
    where pool_id = (select id from pool where name = 'measured') and state = 'down'`);
  const whole = await hold({ hostId, shape: { gpu: gpus("T4") }, devices: ["g0"] });
  const quarter = { gpu: gpus("T4", { slice: 4 }) };
  const held = await hold({ hostId, shape: quarter, devices: ["g1"] });
  // 15 days of a whole one in the window (it began before), 20 days of a quarter, and it goes on.
  const from = clock.now - 40 * dayMs;
  await metered(whole, { sku: "gpu.T4", slice: 1, from, until: clock.now - 15 * dayMs });
  await metered(held, { sku: "gpu.T4", slice: 4, from: clock.now - 20 * dayMs });
  await metered(held, { sku: "cpu.core", slice: 1, from: clock.now - 20 * dayMs });
  const seen = await pool("measured");
  expect(seen).toMatchObject({
    hosts: 2,
    unit: "gpu",
    capacity: 4,
    allocated: 1.25,
    reserve: { size: 1, free: 1 },
    gpus: [{ model: "T4", devices: 5, sick: 0, allocated: 1.25 }],
  });
  expect(seen.utilization.now).toBe(1.25 / 4);
  expect(seen.utilization.days30).toBeCloseTo((15 + 20 / 4) / (4 * 30 + 10), 6);
  expect(seen.utilization.target).toEqual({ from: 0.8, until: 0.9 });
  expect(seen.findings.map(({ code }) => code)).toEqual(["R-POOL-06"]);
  const { body } = await ask("GET", "/v1/pools?limit=200");
  const { items } = z.object({ items: z.array(poolSchema) }).parse(body);
  expect(items.find(({ name }) => name === "measured")).toEqual(seen);
});

test("a pool without GPUs counts its CPUs", async () => {
  await create({ name: "cpus", serviceClass: "core", reservePercent: 20 });
  const hostId = await newHost("cpus");
  await hold({ hostId, shape: { serviceClass: "core", vcpus: 80 } });
  await hold({ hostId, shape: { serviceClass: "core", vcpus: 5 }, afterFault: true });
  expect(await pool("cpus")).toMatchObject({
    unit: "cpu",
    capacity: 100,
    allocated: 85,
    reserve: { size: 20, free: 15 },
    findings: [{ code: "R-POOL-05", message: "5 of the 20 CPUs in reserve are in use" }],
  });
});

test("R-GPU-09: a GPU is sick while its platform or the operator says so", async () => {
  const hostId = await newHost(null, [{ nvlinkGroup: "a", numaNode: 1 }, {}]);
  const say = (device: string, body: unknown): ReturnType<typeof ask> =>
    ask("PATCH", `/v1/hosts/${hostId}/gpus/${device}`, body);
  const health = async (): Promise<unknown> =>
    (await hostOf(hostId))?.gpus.map(({ healthy, sickBy, note }) => [healthy, sickBy, note])[0];
  expect(await say("g9", { healthy: false })).toMatchObject({ status: 404 });
  expect(await say("g0", { healthy: false, note: "ECC" })).toMatchObject({ status: 200 });
  expect(await health()).toEqual([false, ["operator"], "ECC"]);
  await db.execute(sql`
    update gpu_device set sick_by_platform = true where host_id = ${hostId} and id = 'g0'`);
  expect(await health()).toEqual([false, ["platform", "operator"], "ECC"]);
  await say("g0", { healthy: true });
  expect(await health()).toEqual([false, ["platform"], null]);
  expect((await hostOf(hostId))?.gpus[0]).toMatchObject({ nvlinkGroup: "a", numaNode: 1 });
});
