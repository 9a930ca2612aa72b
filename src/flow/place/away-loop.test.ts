/** Passes over a database in which a site stops answering: who goes elsewhere, who waits and why. */
import { beforeEach, expect, test } from "vitest";
import { z } from "zod";

import { siteAwayAfterMs, siteUnreachable } from "#catalog/sites.ts";
import { sql } from "#db/sql.ts";
import { waitingEntries } from "#flow/queue/store.ts";
import { testDatabase } from "#test/database.ts";
import { placing, t0 } from "#test/placing.ts";
import {
  addHosts,
  addOwner,
  ask,
  placesOf,
  seeSite,
  start,
  stop,
  waitsFor,
} from "#test/waiting.ts";

import { commitStarts } from "./commit.ts";
import { hostStates } from "./hosts-read.ts";

const { db } = await testDatabase();
const { clock, placer, pass } = placing(db);

beforeEach(async () => {
  // Only "far" has GPUs.
  await addHosts(
    db,
    [
      { name: "n1", site: "near" },
      { name: "f1", site: "far", cpus: 128, gpus: 2 },
    ],
    clock.now,
  );
});

const far = "far";

/** A look at the site that failed. */
function missed(): Promise<void> {
  return siteUnreachable(db, { site: far, trouble: "the watch was lost" });
}

/** Every look at it fails, for long enough. */
async function goAway(): Promise<void> {
  await missed();
  clock.now += siteAwayAfterMs + 1;
  await seeSite(db, "near", clock.now);
}

async function awaySinces(): Promise<ReadonlyMap<string, number | null>> {
  const states = await hostStates(db, clock.now);
  return new Map(states.map(({ name, awaySince }) => [name, awaySince]));
}

async function messageOf(id: string): Promise<string> {
  const row = z.object({ message: z.string() });
  const { message } = await db.one(
    sql`select refusal->>'message' as message from queue_entry where request_id = ${id}
      order by turn desc limit 1`,
    row,
  );
  return message;
}

test("a blip moves nobody's order: a site is away after looks that failed for long enough, all of them", async () => {
  const owner = await addOwner(db);
  await missed();
  clock.now += siteAwayAfterMs;
  await missed();
  const job = await ask(db, owner, { gpus: 1, at: clock.now });
  await pass();
  expect(await placesOf(db, [job])).toEqual(["f1"]);
  // It answered in between: that counts anew.
  expect(await seeSite(db, far, clock.now)).toBe(false);
  await seeSite(db, "near", clock.now);
  const seenAt = clock.now;
  clock.now += siteAwayAfterMs;
  await missed();
  const here = new Map([
    ["n1", null],
    ["f1", null],
  ]);
  expect(await awaySinces()).toEqual(here);
  await seeSite(db, "near", clock.now);
  clock.now += 1;
  expect(await awaySinces()).toEqual(new Map([...here, ["f1", seenAt]]));
  // Back, once.
  expect(await seeSite(db, far, clock.now)).toBe(true);
  expect(await seeSite(db, far, clock.now)).toBe(false);
  expect(await awaySinces()).toEqual(here);
});

test("a site that no process looks at is away too, although no look failed", async () => {
  const owner = await addOwner(db);
  const loop = placer();
  await pass(loop);
  clock.now += siteAwayAfterMs + 1;
  await seeSite(db, "near", clock.now);
  const job = await ask(db, owner, { gpus: 1, at: clock.now });
  await loop.pass(new AbortController().signal);
  expect(await placesOf(db, [job])).toEqual([null]);
  expect(await waitsFor(db, job)).toBe("site_away");
  expect(await seeSite(db, far, clock.now)).toBe(true);
  await pass(loop);
  expect(await placesOf(db, [job])).toEqual(["f1"]);
});

test("what may run elsewhere goes elsewhere; what may run only there says so, and is placed when it is back", async () => {
  const owner = await addOwner(db);
  const there = await ask(db, owner, { gpus: 1, at: clock.now });
  await pass();
  await goAway();
  const loop = placer();
  const both = [
    await ask(db, owner, { kind: "lease", at: clock.now }),
    await ask(db, owner, { kind: "lease", gpus: 1, at: clock.now }),
  ];
  const wide = await ask(db, owner, { vcpus: 100, at: clock.now });
  await pass(loop);
  expect(await placesOf(db, [...both, wide])).toEqual(["n1", null, null]);
  expect(await waitsFor(db, wide)).toBe("site_away");
  expect(await messageOf(both[1] ?? "")).toBe(
    `The site far has not answered since ${new Date(t0).toISOString()}, and what this needs is only there. It is placed by itself once that answers; no running time is billed before it starts. To give it up: millrace lease delete ${both[1]}`,
  );
  // What runs there holds what it held.
  expect(await placesOf(db, [there])).toEqual(["f1"]);
  // The same placer looks again although nothing else changed.
  expect(await seeSite(db, far, clock.now)).toBe(true);
  await pass(loop);
  expect(await placesOf(db, [there, ...both, wide])).toEqual(["f1", "n1", "f1", "f1"]);
  // Two GPUs, two of them held: nothing was taken for free meanwhile.
  const third = await ask(db, owner, { gpus: 1, at: clock.now });
  await pass(loop);
  expect(await placesOf(db, [third])).toEqual([null]);
});

test("a gang waits for a site as a whole, and a stopped lease for the site of its disk", async () => {
  const owner = await addOwner(db);
  const lease = await ask(db, owner, { kind: "lease", gpus: 1, at: clock.now });
  await pass();
  await stop(db, lease, clock.now);
  await goAway();
  await start(db, lease, clock.now);
  const gang = { id: crypto.randomUUID(), size: 2 };
  const members = [
    await ask(db, owner, { gpus: 1, gang, at: clock.now }),
    await ask(db, owner, { gpus: 1, gang, at: clock.now }),
  ];
  await pass();
  expect(await placesOf(db, [lease, ...members])).toEqual([null, null, null]);
  expect(await messageOf(lease)).toMatch(/^Its disk is at the site far, which has not answered/);
  for (const id of members) {
    // oxlint-disable-next-line no-await-in-loop -- two
    expect(await waitsFor(db, id)).toBe("site_away");
  }
});

test("a site that goes away in the middle of a commit: the plan is rejected, the request stays queued", async () => {
  const owner = await addOwner(db);
  const job = await ask(db, owner, { gpus: 1, at: clock.now });
  const [entry] = await waitingEntries(db, { oldest: 10, first: 0 });
  const host = (await hostStates(db, clock.now)).find(({ name }) => name === "f1");
  if (entry === undefined || host === undefined) throw new Error("it waits, and there is a host");
  await goAway();
  const committed = await commitStarts(db, [[{ entry, hostId: host.id }]], clock.now);
  expect(committed).toMatchObject({ starts: [], stale: [[{ entry: { requestId: job } }]] });
  expect(await placesOf(db, [job])).toEqual([null]);
});
