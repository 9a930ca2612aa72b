/** What the past says, read from rows as the stages write them. */
import { beforeEach, expect, test } from "vitest";

import { sql } from "#db/sql.ts";
import { outlookOf } from "#flow/queue/outlook.ts";
import { usualPace } from "#flow/queue/pace.ts";
import { testDatabase } from "#test/database.ts";
import { addHosts, addOwner, ask, finish, stop, type Owner } from "#test/waiting.ts";

import { readLately } from "./lately.ts";
import { placeLoop } from "./loop.ts";

const { db } = await testDatabase();
const hourMs = 3_600_000;
const t0 = Date.UTC(2026, 4, 4);
let now = t0;

beforeEach(async () => {
  now = t0;
  for (const table of [sql`gpu_claim`, sql`placement`, sql`queue_entry`, sql`share`]) {
    // oxlint-disable-next-line no-await-in-loop -- one refers to the other
    await db.execute(sql`delete from ${table}`);
  }
  for (const table of [sql`request`, sql`gpu_device`, sql`host`]) {
    // oxlint-disable-next-line no-await-in-loop -- likewise
    await db.execute(sql`delete from ${table}`);
  }
});

async function pass(): Promise<void> {
  await db.execute(sql`update site set inventory_at = ${new Date(now)}`);
  const loop = placeLoop({ db, now: () => now });
  for (let n = 0; n < 5; n += 1) {
    // oxlint-disable-next-line no-await-in-loop -- again as long as it says so
    if ((await loop.pass(new AbortController().signal)) === "rest") return;
  }
}

/** Jobs with a limit of an hour that ran for so many minutes. */
async function ran(owner: Owner, jobs: number, minutes: number): Promise<void> {
  for (let n = 0; n < jobs; n += 1) {
    // oxlint-disable-next-line no-await-in-loop -- on one GPU, one after the other
    const id = await ask(db, owner, { gpus: 1, at: now });
    // oxlint-disable-next-line no-await-in-loop -- likewise
    await pass();
    now += minutes * 60_000;
    // oxlint-disable-next-line no-await-in-loop -- likewise
    await finish(db, id, now);
  }
}

test("S-01: when a job starts is foretold from how long such jobs ran, of its owner before others", async () => {
  await addHosts(db, [{ name: "h0", gpus: 1 }], now);
  const owner = await addOwner(db);
  await ran(owner, 20, 54);
  const { paceOf } = await readLately(db);
  const own = { tenantId: owner.tenantId, pool: "A100", units: 1000 };
  // Twenty count as much as what was usual before; others' say it first, then his own.
  const others = (usualPace.usual + 0.9) / 2;
  expect(paceOf({ ...own, tenantId: "another" }).usual).toBeCloseTo(others);
  expect(paceOf(own).usual).toBeCloseTo((others + 0.9) / 2);
  expect(paceOf({ ...own, units: 500 })).toEqual(usualPace);

  await ask(db, owner, { gpus: 1, at: now });
  const waits = await ask(db, owner, { gpus: 1, at: now + 1 });
  await pass();
  const outlook = await outlookOf(db, waits);
  expect(((outlook?.likely ?? 0) - now) / hourMs).toBeCloseTo(paceOf(own).usual, 1);
  expect(((outlook?.latest ?? 0) - now) / hourMs).toBeCloseTo(1, 1);
});

test("what was lost or made room, and leases, say nothing of how long jobs run", async () => {
  await addHosts(db, [{ name: "h0", gpus: 1 }], now);
  const owner = await addOwner(db);
  const lost = await ask(db, owner, { gpus: 1, at: now });
  await pass();
  now += 60_000;
  await finish(db, lost, now);
  await db.execute(sql`update request set turn = turn + 1 where id = ${lost}`);
  const lease = await ask(db, owner, { kind: "lease", gpus: 1, at: now });
  await pass();
  now += 60_000;
  await finish(db, lease, now);
  const { paceOf } = await readLately(db);
  expect(paceOf({ tenantId: owner.tenantId, pool: "A100", units: 1000 })).toEqual(usualPace);
});

test("what is asked for is what ended, what is held, stopped or not, and what waits", async () => {
  await addHosts(db, [{ name: "h0", gpus: 1, cpus: 8 }], now);
  const owner = await addOwner(db);
  expect((await readLately(db)).asked).toEqual([]);
  await ran(owner, 2, 10);
  const lease = await ask(db, owner, { kind: "lease", vcpus: 3, at: now });
  await pass();
  await stop(db, lease, now);
  await ask(db, owner, { gpus: 1, at: now });
  await ask(db, owner, { gpus: 1, slice: 4, at: now + 1 });
  await pass();
  const { asked } = await readLately(db);
  expect(asked.map(({ shape: { gpu, vcpus }, count }) => [gpu?.slice ?? 0, vcpus, count])).toEqual([
    [1, 1, 3],
    [4, 1, 1],
    [0, 3, 1],
  ]);
});
