/** Whole passes over a real database: who starts, who waits and why. */
import { v7 as uuid } from "uuid";
import { beforeEach, expect, test } from "vitest";
import { z } from "zod";

import { sql } from "#db/sql.ts";
import { setLimit, setQueueCap } from "#flow/queue/limit-store.ts";
import { waitingEntries } from "#flow/queue/store.ts";
import { testDatabase } from "#test/database.ts";
import {
  addHosts,
  addOwner,
  ask,
  finish,
  placesOf,
  setHost,
  start,
  stop,
  waitsFor,
  type AskOf,
} from "#test/waiting.ts";

import { commitStarts } from "./commit.ts";
import { placeLoop } from "./loop.ts";
import { countUse, readUsed } from "./running.ts";

const { db } = await testDatabase();
const hourMs = 3_600_000;
const t0 = Date.UTC(2026, 4, 4);
let now = t0;

beforeEach(async () => {
  now = t0;
  for (const table of [sql`gpu_claim`, sql`placement`, sql`queue_entry`, sql`queue_limit`]) {
    // oxlint-disable-next-line no-await-in-loop -- one refers to the other
    await db.execute(sql`delete from ${table}`);
  }
  await db.execute(sql`delete from share`);
  await db.execute(sql`delete from request`);
  await db.execute(sql`delete from gpu_device`);
  await db.execute(sql`delete from host`);
  await setQueueCap(db, { gpuModel: "*", percent: 100 });
});

/** A placer of its own each time, as after a restart. */
async function pass(): Promise<void> {
  const loop = placeLoop({ db, now: () => now });
  const { signal } = new AbortController();
  for (let n = 0; n < 5; n += 1) {
    // oxlint-disable-next-line no-await-in-loop -- again as long as it says so
    if ((await loop.pass(signal)) === "rest") return;
  }
}

async function hosts(...gpus: number[]): Promise<void> {
  await addHosts(
    db,
    gpus.map((count, n) => ({ name: `h${n}`, gpus: count })),
    now,
  );
}

function at(minutes: number): Pick<AskOf, "at"> {
  return { at: t0 - hourMs + minutes * 60_000 };
}

const entriesMax = { oldest: 1000, first: 0 };

test("S-05, S-12: diamond goes before gold and packages, and those before ordinary work", async () => {
  await hosts(1);
  const owner = await addOwner(db);
  const ordinary = await ask(db, owner, { gpus: 1, ...at(0) });
  const gold = await ask(db, owner, { gpus: 1, priority: 20, ...at(10) });
  const diamond = await ask(db, owner, { gpus: 1, priority: 10, ...at(20) });
  for (const next of [diamond, gold, ordinary]) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await pass();
    // oxlint-disable-next-line no-await-in-loop -- likewise
    expect(await placesOf(db, [next])).toEqual(["h0"]);
    // oxlint-disable-next-line no-await-in-loop -- likewise
    await finish(db, next, now);
  }
});

test("S-04: GPUs are shared over time: what fits starts, in order, and the rest says why it waits", async () => {
  await hosts(2);
  const owner = await addOwner(db);
  const ids = [];
  for (let n = 0; n < 4; n += 1) ids.push(await ask(db, owner, { gpus: 1, ...at(n) }));
  await pass();
  expect(await placesOf(db, ids)).toEqual(["h0", "h0", null, null]);
  expect(await waitsFor(db, ids[2] ?? "")).toBe("reserved");
  await finish(db, ids[0] ?? "", now);
  await pass();
  expect(await placesOf(db, ids)).toEqual([null, "h0", "h0", null]);
});

test("S-06: work goes to free resources that match what it asks for, by priority", async () => {
  await hosts(0, 2);
  const owner = await addOwner(db);
  const whole = await ask(db, owner, { gpus: 1, ...at(0) });
  const slice = await ask(db, owner, { gpus: 1, slice: 4, ...at(1) });
  const late = await ask(db, owner, { gpus: 1, priority: 20, ...at(2) });
  const cpu = await ask(db, owner, { vcpus: 64, ...at(3) });
  await pass();
  // The gold one had the second GPU before the slice was looked at.
  expect(await placesOf(db, [whole, slice, late, cpu])).toEqual(["h1", null, "h1", "h0"]);
  await finish(db, late, now);
  await pass();
  expect(await placesOf(db, [slice])).toEqual(["h1"]);
});

test("a lease goes before jobs, because a person waits for it", async () => {
  await hosts(1);
  const owner = await addOwner(db);
  const job = await ask(db, owner, { gpus: 1, priority: 10, ...at(0) });
  const lease = await ask(db, owner, { kind: "lease", gpus: 1, ...at(30) });
  await pass();
  expect(await placesOf(db, [job, lease])).toEqual([null, "h0"]);
});

test("S-07: a job that fits before what room is kept for starts, by its limit or by what its owner expects", async () => {
  await hosts(2);
  const owner = await addOwner(db);
  const first = await ask(db, owner, { gpus: 1, limitSeconds: 4 * 3600, ...at(0) });
  await pass();
  const both = await ask(db, owner, { gpus: 2, limitSeconds: 60, ...at(1) });
  await ask(db, owner, { gpus: 2, limitSeconds: 60, ...at(1.5) });
  const long = await ask(db, owner, { gpus: 1, limitSeconds: 8 * 3600, ...at(2) });
  await pass();
  expect(await placesOf(db, [first, both, long])).toEqual(["h0", null, null]);
  expect(await waitsFor(db, both)).toBe("reserved");
  expect(await waitsFor(db, long)).toBe("would_delay");
  const short = await ask(db, owner, {
    gpus: 1,
    limitSeconds: 8 * 3600,
    expectedSeconds: 3600,
    ...at(3),
  });
  await pass();
  expect(await placesOf(db, [short])).toEqual(["h0"]);
});

test("S-13: nobody holds more than the share that one customer may have of a model", async () => {
  await hosts(4);
  await setQueueCap(db, { gpuModel: "*", percent: 50 });
  const [greedy, other] = [await addOwner(db), await addOwner(db)];
  const ids = [];
  for (let n = 0; n < 4; n += 1) ids.push(await ask(db, greedy, { gpus: 1, ...at(n) }));
  const his = await ask(db, other, { gpus: 1, ...at(10) });
  await pass();
  expect((await placesOf(db, ids)).filter((place) => place !== null)).toHaveLength(2);
  expect(await placesOf(db, [his])).toEqual(["h0"]);
  expect(await waitsFor(db, ids[3] ?? "")).toBe("quota_held");
  // The operator says more of this customer.
  await setLimit(db, {
    tenantId: greedy.tenantId,
    projectId: null,
    gpuModel: "A100",
    milliMax: 3000,
    monthHoursMax: null,
    monthFenMax: null,
    id: uuid(),
    at: now,
  });
  await pass();
  expect((await placesOf(db, ids)).filter((place) => place !== null)).toHaveLength(3);
});

test.each([
  ["GPUs of a project", { gpuModel: "A100", milliMax: 1000 }, "quota_held"],
  ["GPU-hours of a month", { monthHoursMax: 3 }, "budget_hours"],
  ["money of a month", { monthFenMax: 3000n }, "budget_money"],
] as const)("S-13: a limit on %s holds work back, and says so", async (_, limit, code) => {
  await hosts(8);
  const owner = await addOwner(db);
  const none = { gpuModel: null, milliMax: null, monthHoursMax: null, monthFenMax: null };
  await setLimit(db, { ...owner, ...none, ...limit, id: uuid(), at: now });
  const job = { gpus: 1, limitSeconds: 2 * 3600, hourly: "10.00" };
  const [one, two] = [
    await ask(db, owner, { ...job, ...at(0) }),
    await ask(db, owner, { ...job, ...at(1) }),
  ];
  await pass();
  expect(await placesOf(db, [one, two])).toEqual(["h0", null]);
  expect(await waitsFor(db, two)).toBe(code);
});

test("S-13: what ran counts against the month's hours, and a jump of the clock adds ten minutes at most", async () => {
  await hosts(1);
  const owner = await addOwner(db);
  const id = await ask(db, owner, { gpus: 1, ...at(0) });
  await pass();
  const hours = async (): Promise<number> => {
    const [used] = await readUsed(db, now);
    return (used?.monthUnitMs ?? 0) / 1000 / hourMs;
  };
  now += 6 * 60_000;
  await countUse(db, now);
  expect(await hours()).toBeCloseTo(0.1, 5);
  await countUse(db, now);
  expect(await hours()).toBeCloseTo(0.1, 5);
  now += 100 * hourMs;
  await countUse(db, now);
  expect(await hours()).toBeCloseTo(0.1 + 1 / 6, 5);
  await finish(db, id, now);
});

test("who used more lately waits behind who used less", async () => {
  await hosts(1);
  const [heavy, light] = [await addOwner(db), await addOwner(db)];
  const running = await ask(db, heavy, { gpus: 1, ...at(0) });
  await pass();
  now += 10 * 60_000;
  await countUse(db, now);
  await finish(db, running, now);
  const his = await ask(db, heavy, { gpus: 1, ...at(20) });
  const hers = await ask(db, light, { gpus: 1, ...at(40) });
  await pass();
  expect(await placesOf(db, [his, hers])).toEqual([null, "h0"]);
});

test("a clock that jumps does not reorder the queue", async () => {
  await hosts(1);
  const owner = await addOwner(db);
  const ids = [];
  for (let n = 0; n < 3; n += 1) ids.push(await ask(db, owner, { gpus: 1, ...at(n) }));
  for (const [next, jumpMs] of [
    [ids[0], 400 * hourMs],
    [ids[1], -700 * hourMs],
    [ids[2], 0],
  ] as const) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await pass();
    // oxlint-disable-next-line no-await-in-loop -- likewise
    expect(await placesOf(db, [next ?? ""])).toEqual(["h0"]);
    now += jumpMs;
    // oxlint-disable-next-line no-await-in-loop -- likewise
    await finish(db, next ?? "", Math.max(now, t0));
  }
});

test("a stopped lease starts where its disk is, before others that want that host", async () => {
  await hosts(1, 1);
  const owner = await addOwner(db);
  const lease = await ask(db, owner, { kind: "lease", gpus: 1, ...at(0) });
  await pass();
  const [home] = await placesOf(db, [lease]);
  await stop(db, lease, now);
  const other = await ask(db, owner, { kind: "lease", gpus: 1, ...at(1) });
  const third = await ask(db, owner, { kind: "lease", gpus: 1, ...at(2) });
  await start(db, lease, now);
  await pass();
  const places = await placesOf(db, [lease, other, third]);
  expect(places[0]).toBe(home);
  expect(places[1]).not.toBeNull();
  expect(places[1]).not.toBe(home);
  expect(places[2]).toBeNull();
});

test("S-15: who keeps apart from a group is on no host of it, whoever comes first, in one pass as in several", async () => {
  await hosts(0, 0, 0);
  const owner = await addOwner(db);
  const ids = [];
  // Replicas that keep apart from each other: each on a host of its own, and the fourth waits.
  for (let n = 0; n < 4; n += 1) {
    ids.push(await ask(db, owner, { group: "web", apartGroups: ["web"], ...at(n) }));
  }
  await pass();
  const places = (await placesOf(db, ids)).map((place) => place ?? "nowhere");
  expect(places.toSorted((a, b) => a.localeCompare(b))).toEqual(["h0", "h1", "h2", "nowhere"]);
  const left = ids[places.indexOf("nowhere")] ?? "";
  expect(await waitsFor(db, left)).toBe("no_host_fits");
  for (const id of ids) await finish(db, id, now);
  // The loner was there first and says it of the group; who comes into the group says nothing.
  const loner = await ask(db, owner, { apartGroups: ["noisy"], ...at(5) });
  await pass();
  const noisy = [];
  for (let n = 0; n < 6; n += 1) noisy.push(await ask(db, owner, { group: "noisy", ...at(n + 6) }));
  await pass();
  const [home] = await placesOf(db, [loner]);
  const around = await placesOf(db, noisy);
  expect(around).not.toContain(null);
  expect(around).not.toContain(home);
  // Of another customer nobody keeps away.
  const other = await addOwner(db);
  const stranger = await ask(db, other, { group: "noisy", vcpus: 60, ...at(20) });
  await finish(db, noisy[0] ?? "", now);
  await pass();
  expect(await placesOf(db, [stranger])).not.toEqual([null]);
});

test("S-15: who is near to a group is with one of it; near to his own, he begins it and the others follow", async () => {
  await hosts(0, 0, 0);
  const owner = await addOwner(db);
  const near = [];
  for (let n = 0; n < 5; n += 1) {
    near.push(await ask(db, owner, { group: "ring", nearGroups: ["ring"], ...at(n) }));
  }
  await pass();
  await pass();
  const places = await placesOf(db, near);
  expect(new Set(places).size).toBe(1);
  expect(places).not.toContain(null);
  const follower = await ask(db, owner, { nearGroups: ["later"], ...at(7) });
  await pass();
  expect(await waitsFor(db, follower)).toBe("near_not_placed");
  const leader = await ask(db, owner, { group: "later", ...at(8) });
  await pass();
  await pass();
  const [one, two] = await placesOf(db, [leader, follower]);
  expect(one).not.toBeNull();
  expect(two).toBe(one);
});

test("S-15: two placers that plan neighbors at once do not put together what is to be apart", async () => {
  await hosts(0, 0);
  const owner = await addOwner(db);
  const one = await ask(db, owner, { group: "a", apartGroups: ["a"], ...at(0) });
  const two = await ask(db, owner, { group: "a", apartGroups: ["a"], ...at(1) });
  const entries = await waitingEntries(db, entriesMax);
  const { id: hostId } = await db.one(
    sql`select id from host where native_id = 'h0'`,
    z.object({ id: z.string() }),
  );
  const startOf = (id: string) =>
    entries.flatMap((entry) => (entry.requestId === id ? [{ entry, hostId }] : []));
  const committed = await Promise.all([one, two].map((id) => commitStarts(db, [startOf(id)], now)));
  expect(committed.flatMap(({ starts }) => starts)).toHaveLength(1);
  expect(committed.flatMap(({ stale }) => stale)).toHaveLength(1);
});

test("S-16: a gang that waits says how many of its members would fit", async () => {
  await hosts(2, 2);
  const owner = await addOwner(db);
  const taker = await ask(db, owner, { kind: "lease", gpus: 1, ...at(0) });
  await pass();
  const gang = { id: uuid(), size: 4 };
  const ids: string[] = [];
  for (let n = 0; n < 4; n += 1) ids.push(await ask(db, owner, { gpus: 1, gang, ...at(n + 1) }));
  await pass();
  const [entry] = await db.rows(
    sql`select refusal from queue_entry where request_id = ${ids[2]}`,
    z.object({ refusal: z.object({ message: z.string(), details: z.looseObject({}) }) }),
  );
  expect(entry?.refusal.details).toMatchObject({ members: 4, fitting: 3 });
  expect(entry?.refusal.message).toMatch(/4 members .*3 of them would fit now/);
  const decision = await db.one(
    sql`select inputs from decision order by id desc limit 1`,
    z.object({ inputs: z.object({ work: z.array(z.looseObject({ id: z.string() })) }) }),
  );
  expect(decision.inputs.work.find(({ id }) => id === ids[2])).toMatchObject({ gang });
  await finish(db, taker, now);
});

test("S-16: a gang starts whole or not at all, and not before all of it is in the queue", async () => {
  await hosts(2, 2);
  const owner = await addOwner(db);
  const gang = { id: uuid(), size: 4 };
  const ids = [];
  for (let n = 0; n < 3; n += 1) ids.push(await ask(db, owner, { gpus: 1, gang, ...at(n) }));
  await pass();
  expect(await placesOf(db, ids)).toEqual([null, null, null]);
  expect(await waitsFor(db, ids[0] ?? "")).toBe("gang_incomplete");
  const taker = await ask(db, owner, { kind: "lease", gpus: 1, ...at(4) });
  ids.push(await ask(db, owner, { gpus: 1, gang, ...at(3) }));
  await pass();
  expect(await placesOf(db, ids)).toEqual([null, null, null, null]);
  await finish(db, taker, now);
  await pass();
  const places = (await placesOf(db, ids)).map((place) => place ?? "nowhere");
  expect(places.toSorted((a, b) => a.localeCompare(b))).toEqual(["h0", "h0", "h1", "h1"]);
});

test("a gang of which one member is not wanted any more is not committed, and holds nothing", async () => {
  await hosts(4);
  const owner = await addOwner(db);
  const gang = { id: uuid(), size: 2 };
  const one = await ask(db, owner, { gpus: 1, gang, ...at(0) });
  const two = await ask(db, owner, { gpus: 1, gang, ...at(1) });
  const alone = await ask(db, owner, { gpus: 1, ...at(2) });
  const entries = await waitingEntries(db, entriesMax);
  const { id: hostId } = await db.one(sql`select id from host`, z.object({ id: z.string() }));
  const startOf = (id: string) =>
    entries.flatMap((entry) => (entry.requestId === id ? [{ entry, hostId }] : []));
  await finish(db, two, now);
  const planned = [[...startOf(one), ...startOf(two)], startOf(alone)];
  const { starts, stale } = await commitStarts(db, planned, now);
  expect(starts.map(({ entry }) => entry.requestId)).toEqual([alone]);
  expect(stale).toHaveLength(1);
  expect(await placesOf(db, [one, two, alone])).toEqual([null, null, "h0"]);
});

test("a host that disappears in the middle of a commit: the plan is rejected, the request stays queued", async () => {
  await hosts(1);
  const owner = await addOwner(db);
  const id = await ask(db, owner, { gpus: 1, ...at(0) });
  const [entry] = await waitingEntries(db, entriesMax);
  const { id: hostId } = await db.one(sql`select id from host`, z.object({ id: z.string() }));
  if (entry === undefined) throw new Error("nothing waits");
  let committing: ReturnType<typeof commitStarts> | undefined;
  await db.transaction(async (tx) => {
    await tx.execute(sql`update host set state = 'down'`);
    committing = commitStarts(db, [[{ entry, hostId }]], now);
    await blocked();
  });
  const committed = await committing;
  expect(committed?.starts).toEqual([]);
  expect(committed?.stale).toHaveLength(1);
  expect(await placesOf(db, [id])).toEqual([null]);
  expect(await waitingEntries(db, entriesMax)).toHaveLength(1);
  await setHost(db, "h0", "up");
  await pass();
  expect(await placesOf(db, [id])).toEqual(["h0"]);
});

/** Until somebody waits for a lock. */
async function blocked(): Promise<void> {
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- until it is so
    const { n } = await db.one(
      sql`select count(*)::int as n from pg_locks where not granted`,
      z.object({ n: z.int() }),
    );
    if (n > 0) return;
  }
}

test("what the policy lets start and no host takes keeps nobody else from starting", async () => {
  await addHosts(db, [{ name: "h0", cpus: 8, gpus: 4 }], now);
  const owner = await addOwner(db);
  const hungry = [];
  for (let n = 0; n < 3; n += 1) hungry.push(await ask(db, owner, { gpus: 1, vcpus: 9, ...at(n) }));
  const modest = await ask(db, owner, { gpus: 1, ...at(10) });
  await pass();
  expect(await placesOf(db, [...hungry, modest])).toEqual([null, null, null, "h0"]);
  expect(await waitsFor(db, hungry[0] ?? "")).toBe("no_host_fits");
});

test("a pass over what did not change writes nothing, and decisions are written once", async () => {
  await hosts(1);
  const owner = await addOwner(db);
  await ask(db, owner, { gpus: 1, ...at(0) });
  const second = await ask(db, owner, { gpus: 1, ...at(1) });
  await pass();
  const written = () =>
    db.one(
      sql`select (select count(*)::int from decision) as decisions,
        (select xmin::text from queue_entry where request_id = ${second}) as version`,
      z.object({ decisions: z.int(), version: z.string() }),
    );
  const before = await written();
  expect(before.decisions).toBeGreaterThan(0);
  await pass();
  await pass();
  expect(await written()).toEqual(before);
});

test("decisions are kept for 90 days", async () => {
  const count = () =>
    db.one(sql`select count(*)::int as n from decision`, z.object({ n: z.int() }));
  await db.execute(sql`delete from decision`);
  for (const days of [89, 91]) {
    // oxlint-disable-next-line no-await-in-loop -- two rows
    await db.execute(sql`
      insert into decision (at, policy, started, refused, inputs, answers)
      values (${new Date(t0 - days * 24 * hourMs)}, 'due+balance', 0, 0, '{}', '{}')`);
  }
  await pass();
  expect(await count()).toEqual({ n: 1 });
});
