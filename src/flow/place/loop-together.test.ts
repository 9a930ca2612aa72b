/** Whole passes over a real database: work that is near to or apart from other work, and gangs. */
import { v7 as uuid } from "uuid";
import { expect, test } from "vitest";
import { z } from "zod";

import { sql } from "#db/sql.ts";
import { waitingEntries } from "#flow/queue/store.ts";
import { testDatabase } from "#test/database.ts";
import { at, placing } from "#test/placing.ts";
import { addOwner, ask, finish, placesOf, waitsFor } from "#test/waiting.ts";

import { commitStarts } from "./commit.ts";

const { db } = await testDatabase();
const { clock, hosts, pass } = placing(db);
const entriesMax = { oldest: 1000, first: 0 };

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
  for (const id of ids) await finish(db, id, clock.now);
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
  await finish(db, noisy[0] ?? "", clock.now);
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
  const committed = await Promise.all(
    [one, two].map((id) => commitStarts(db, [startOf(id)], clock.now)),
  );
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
  await finish(db, taker, clock.now);
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
  await finish(db, taker, clock.now);
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
  await finish(db, two, clock.now);
  const planned = [[...startOf(one), ...startOf(two)], startOf(alone)];
  const { starts, stale } = await commitStarts(db, planned, clock.now);
  expect(starts.map(({ entry }) => entry.requestId)).toEqual([alone]);
  expect(stale).toHaveLength(1);
  expect(await placesOf(db, [one, two, alone])).toEqual([null, null, "h0"]);
});
