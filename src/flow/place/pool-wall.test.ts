/** What the schema refuses whoever commits: the rules of pools, sick devices, the reserve. */
import { expect, test, vi } from "vitest";
import { z } from "zod";

import { changePool, moveHost } from "#catalog/pools.ts";
import { brokenConstraint } from "#db/pool.ts";
import { sql } from "#db/sql.ts";
import { testDatabase } from "#test/database.ts";
import { claimOf, holdingRows, type Held } from "#test/holding-rows.ts";
import { gpus } from "#test/place-states.ts";

import { hostStates } from "./hosts-read.ts";
import { ordinaryRoom, unitsOfDevice } from "./reserve.ts";

const { db } = await testDatabase();
const { newTenant, newHost, newPool, hold } = await holdingRows(db);
const gib = 2 ** 30;

/** Which constraint, and in which words; `undefined` if it went through. */
async function refusal(work: Promise<unknown>): Promise<string | undefined> {
  try {
    await work;
    return undefined;
  } catch (error) {
    return `${brokenConstraint(error)}: ${error instanceof Error ? error.message : ""}`;
  }
}

test("R-POOL-01: a dedicated pool serves its tenants and nobody else", async () => {
  const [mine, other] = [await newTenant(), await newTenant()];
  const pool = await newPool({ tenants: [mine] });
  const hostId = await newHost(pool);
  expect(await refusal(hold({ tenantId: mine, hostId }))).toBeUndefined();
  expect(await refusal(hold({ tenantId: other, hostId }))).toMatch(
    /^host_capacity: .*dedicated to other tenants/,
  );
  // Neither a change of the pool nor a move of the host takes what runs there by surprise.
  const change = db.transaction((tx) => changePool(tx, pool, { tenants: [other] }));
  await expect(change).rejects.toMatchObject({ code: "wrong_state" });
  const away = db.transaction((tx) => moveHost(tx, hostId, null));
  await expect(away).resolves.toBeUndefined();
});

test("R-POOL-01: what names a pool runs there and nowhere else, in the class of the pool", async () => {
  const pool = await newPool({ serviceClass: "standard" });
  const [inside, outside] = [await newHost(pool), await newHost(null)];
  expect(await refusal(hold({ hostId: inside, shape: { pool } }))).toBeUndefined();
  expect(await refusal(hold({ hostId: outside, shape: { pool } }))).toMatch(/for the pool/);
  expect(await refusal(hold({ hostId: inside, shape: { pool: "another" } }))).toMatch(/for the po/);
  const core = { serviceClass: "core" } as const;
  expect(await refusal(hold({ hostId: inside, shape: core }))).toMatch(/class core/);
  expect(await refusal(hold({ hostId: outside, shape: core }))).toBeUndefined();
  const away = db.transaction((tx) => moveHost(tx, inside, null));
  await expect(away).rejects.toThrow(/1 of which it is for the pool/);
});

test("R-POOL-02: an exclusive pool sells whole devices only", async () => {
  const hostId = await newHost(await newPool({ preset: "high-end" }), [{}, {}, {}]);
  const core = { serviceClass: "core" } as const;
  const half = { ...core, gpu: gpus("A100", { slice: 2 }) };
  expect(await refusal(hold({ hostId, shape: half }))).toMatch(/1\/2 are beyond 1\/1/);
  const held = await hold({ hostId, shape: core });
  expect(await refusal(db.execute(claimOf(held, hostId, "g0", 2)))).toMatch(/^gpu_capacity: /);
  const whole = { hostId, shape: { ...core, gpu: gpus("A100") }, devices: ["g0"] };
  expect(await refusal(hold(whole))).toBeUndefined();
});

test("R-POOL-03: a shared pool cuts its devices up to its own ratio, and no further than they can", async () => {
  const pool = await newPool({ preset: "general", slicesMax: 4 });
  const device = { model: "T4", slicesMax: 8 };
  const hostId = await newHost(pool, [device, { ...device, slicesMax: 2 }]);
  const slice = (n: number, id: string): Promise<string | undefined> =>
    refusal(hold({ hostId, shape: { gpu: gpus("T4", { slice: n }) }, devices: [id] }));
  expect(await slice(8, "g0")).toMatch(/beyond 1\/4/);
  for (let n = 0; n < 4; n += 1) expect(await slice(4, "g0")).toBeUndefined();
  expect(await slice(4, "g0")).toMatch(/^gpu_capacity: .*oversold/);
  expect(await slice(4, "g1")).toMatch(/^gpu_capacity: .*oversold/);
  // 1:4 to 1:8 is a word of the operator; back again only when nothing is cut so far.
  await db.transaction((tx) => changePool(tx, pool, { slicesMax: 8 }));
  const narrower = db.transaction((tx) => changePool(tx, pool, { slicesMax: 2 }));
  await expect(narrower).rejects.toThrow(/4 of which slices of 1\/4 are beyond 1\/2/);
});

test("R-POOL-04: an edge pool takes only what names it", async () => {
  const pool = await newPool({ preset: "edge" });
  const hostId = await newHost(pool, [{ model: "Jetson", slicesMax: 1 }]);
  expect(await refusal(hold({ hostId }))).toMatch(/edge pool/);
  const named = { hostId, shape: { pool, gpu: gpus("Jetson") }, devices: ["g0"] };
  expect(await refusal(hold(named))).toBeUndefined();
});

test("R-POOL-05: the reserve of a pool is for work after a fault", async () => {
  const pool = await newPool({ preset: "high-end" });
  const core = { serviceClass: "core", pool } as const;
  const one = await newHost(pool, [{}, {}, {}]);
  const two = await newHost(pool, [{}, {}]);
  const whole = (hostId: string, device: string, afterFault = false): Promise<string | undefined> =>
    refusal(hold({ hostId, shape: { ...core, gpu: gpus("A100") }, devices: [device], afterFault }));
  for (const id of ["g0", "g1", "g2"]) expect(await whole(one, id)).toBeUndefined();
  expect(await whole(two, "g0")).toBeUndefined();
  // 4 of 5 are taken: the fifth is the reserve.
  expect(await whole(two, "g1")).toMatch(
    /^gpu_capacity: the reserve of 20 %.*5(?:\.00)? of 5 A100/,
  );
  expect(await whole(two, "g1", true)).toBeUndefined();
  // CPUs have their reserve too: of 200, 160 are open and 5 taken. Nobody takes it by growing either.
  const cpus = (hostId: string, vcpus: number, afterFault = false): Promise<Held> =>
    hold({ hostId, shape: { ...core, vcpus }, afterFault });
  await cpus(one, 90);
  const held = await cpus(two, 60);
  expect(await refusal(cpus(two, 6))).toMatch(/^host_capacity: the reserve/);
  const grow = (milliCpus: number): Promise<unknown> =>
    db.execute(sql`
      update placement set milli_cpus = ${milliCpus} where instance_id = ${held.instanceId}`);
  expect(await refusal(grow(66_000))).toMatch(/^host_capacity: the reserve/);
  expect(await refusal(grow(65_000))).toBeUndefined();
  expect(await refusal(cpus(two, 1))).toMatch(/^host_capacity: the reserve/);
  expect(await refusal(cpus(two, 6, true))).toBeUndefined();
});

test("R-POOL-05: of two that are after the last before the reserve at once, one gets it", async () => {
  const pool = await newPool({ preset: "high-end" });
  const shape = { serviceClass: "core", gpu: gpus("A100") } as const;
  // Ten devices on ten hosts: the hosts' own locks keep nobody apart. Eight may be taken.
  const hosts = [];
  for (let n = 0; n < 10; n += 1) hosts.push(await newHost(pool, [{}]));
  const [first = "", second = "", ...others] = hosts;
  for (const hostId of others.slice(0, 7)) await hold({ hostId, shape, devices: ["g0"] });
  // Both have written before either commits, unless one is made to wait.
  let arrived = 0;
  const wait = async (): Promise<void> => {
    arrived += 1;
    await vi.waitUntil(async () => arrived === 2 || (await anybodyWaits()), { timeout: 60_000 });
  };
  const results = await Promise.all(
    [first, second].map((hostId) => refusal(hold({ hostId, shape, devices: ["g0"] }, wait))),
  );
  expect(results.filter((each) => each === undefined)).toHaveLength(1);
  expect(results.find((each) => each !== undefined)).toMatch(/^gpu_capacity: the reserve/);
});

/** For a lock that another transaction has. */
async function anybodyWaits(): Promise<boolean> {
  const { n } = await db.one(
    sql`select count(*)::int as n from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock'`,
    z.object({ n: z.int() }),
  );
  return n > 0;
}

test("R-POOL-05: the rule of the placer and that of the schema are one", async () => {
  const name = await newPool({ serviceClass: "core", reservePercent: 30, slicesMax: 7 });
  const hostId = await newHost(name, [{}, {}, {}, { healthy: false }], { cpus: 11 });
  const core = { serviceClass: "core" } as const;
  const room = async (): Promise<{ cpu: number; gpu: number }> => {
    const hosts = await hostStates(db, 0);
    const pool = hosts.find((host) => host.id === hostId)?.pool;
    const found = ordinaryRoom(hosts).get(pool?.id ?? "");
    return { cpu: found?.milliCpus ?? 0, gpu: found?.gpuUnits.get("A100") ?? 0 };
  };
  const shape = { ...core, vcpus: 0, gpu: gpus("A100", { slice: 7 }) };
  let placed = 0;
  let fits = true;
  while (fits) {
    fits = (await room()).gpu >= unitsOfDevice / 7;
    const devices = [`g${Math.floor(placed / 7)}`];
    expect((await refusal(hold({ hostId, shape, devices }))) === undefined).toBe(fits);
    if (fits) placed += 1;
  }
  // 70 % of three devices that are well are 2.1: fourteen sevenths.
  expect(placed).toBe(14);
  expect((await room()).cpu).toBe(7700);
  expect(await refusal(hold({ hostId, shape: { ...core, vcpus: 8 } }))).toMatch(/the reserve/);
  expect(await refusal(hold({ hostId, shape: { ...core, vcpus: 7 } }))).toBeUndefined();
});

test("R-GPU-05: a device that is not cut takes no slices, whatever it could do", async () => {
  const hostId = await newHost(null, [{ mode: "whole" }]);
  const shape = { gpu: gpus("A100", { slice: 2 }) };
  expect(await refusal(hold({ hostId, shape, devices: ["g0"] }))).toMatch(/is not cut/);
  expect(await refusal(hold({ hostId, shape: { gpu: gpus("A100") }, devices: ["g0"] }))).toBe(
    undefined,
  );
});

test("R-GPU-09: a sick device keeps what it has and takes nothing new", async () => {
  const hostId = await newHost(null, [{ mode: "mig" }, {}]);
  const shape = { gpu: gpus("A100", { slice: 2 }) };
  await hold({ hostId, shape, devices: ["g0"] });
  await db.execute(sql`
    update gpu_device set sick_by_operator = true where host_id = ${hostId} and id = 'g0'`);
  expect(await refusal(hold({ hostId, shape, devices: ["g0"] }))).toMatch(/^gpu_capacity: .*sick/);
  expect(await refusal(hold({ hostId, shape, devices: ["g1"] }))).toBeUndefined();
});

test("class core is never oversold, also where standard work is", async () => {
  const hostId = await newHost(null);
  const core = { serviceClass: "core", vcpus: 3 } as const;
  expect(await refusal(hold({ hostId, shape: core, milliCpus: 2000 }))).toMatch(/never oversold/);
  expect(await refusal(hold({ hostId, shape: core }))).toBeUndefined();
  const cheap = { vcpus: 3, overcommitPercent: 150 };
  expect(await refusal(hold({ hostId, shape: cheap }))).toBeUndefined();
});

test("a NUMA node takes what is bound to it up to what it has", async () => {
  const numa = [
    { cpus: 4, memoryBytes: gib },
    { cpus: 4, memoryBytes: gib },
  ];
  const hostId = await newHost(null, [], { numa });
  const bound = (vcpus: number, numaNode: number): Promise<string | undefined> =>
    refusal(hold({ hostId, shape: { vcpus, numa: true }, numaNode }));
  expect(await bound(3, 0)).toBeUndefined();
  expect(await bound(2, 0)).toMatch(/^host_capacity: NUMA node 0/);
  expect(await bound(1, 0)).toBeUndefined();
  expect(await bound(4, 1)).toBeUndefined();
  expect(await bound(1, 2)).toMatch(/^host_capacity: NUMA node 2/);
  const [state] = (await hostStates(db, 0)).filter((host) => host.id === hostId);
  expect(state?.numaNodes.map((node) => node.milliCpusUsed)).toEqual([4000, 4000]);
});
