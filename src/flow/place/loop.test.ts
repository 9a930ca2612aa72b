/** Whole passes over a real database: who starts, who waits and why. */
import { expect, test } from "vitest";
import { z } from "zod";

import { sql } from "#db/sql.ts";
import { waitingEntries } from "#flow/queue/store.ts";
import { testDatabase } from "#test/database.ts";
import { at, hourMs, placing, t0 } from "#test/placing.ts";
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
} from "#test/waiting.ts";

import { commitStarts } from "./commit.ts";
import { countUse } from "./running.ts";

const { db } = await testDatabase();
const { clock, hosts, pass } = placing(db);
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
    await finish(db, next, clock.now);
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
  await finish(db, ids[0] ?? "", clock.now);
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
  await finish(db, late, clock.now);
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

test("who used more lately waits behind who used less", async () => {
  await hosts(1);
  const [heavy, light] = [await addOwner(db), await addOwner(db)];
  const running = await ask(db, heavy, { gpus: 1, ...at(0) });
  await pass();
  clock.now += 10 * 60_000;
  await countUse(db, clock.now);
  await finish(db, running, clock.now);
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
    clock.now += jumpMs;
    // oxlint-disable-next-line no-await-in-loop -- likewise
    await finish(db, next ?? "", Math.max(clock.now, t0));
  }
});

test("a stopped lease starts where its disk is, before others that want that host", async () => {
  await hosts(1, 1);
  const owner = await addOwner(db);
  const lease = await ask(db, owner, { kind: "lease", gpus: 1, ...at(0) });
  await pass();
  const [home] = await placesOf(db, [lease]);
  await stop(db, lease, clock.now);
  const other = await ask(db, owner, { kind: "lease", gpus: 1, ...at(1) });
  const third = await ask(db, owner, { kind: "lease", gpus: 1, ...at(2) });
  await start(db, lease, clock.now);
  await pass();
  const places = await placesOf(db, [lease, other, third]);
  expect(places[0]).toBe(home);
  expect(places[1]).not.toBeNull();
  expect(places[1]).not.toBe(home);
  expect(places[2]).toBeNull();
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
    committing = commitStarts(db, [[{ entry, hostId }]], clock.now);
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
  await addHosts(db, [{ name: "h0", cpus: 8, gpus: 4 }], clock.now);
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
