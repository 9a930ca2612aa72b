/** What was kept is forgotten with each change that an admission could see, and with no other. */
import { expect, test } from "vitest";

import { addPool, changePool, moveHost, removePool } from "#catalog/pools.ts";
import type { Tx } from "#db/pool.ts";
import { sql } from "#db/sql.ts";
import { testDatabase } from "#test/database.ts";
import { addHosts, addOwner, ask, finish } from "#test/waiting.ts";

import { hostStates } from "./hosts-read.ts";
import { keptHosts } from "./kept-hosts.ts";
import { placeLoop } from "./loop.ts";

const { db } = await testDatabase();
const now = Date.UTC(2026, 4, 4);
const owner = await addOwner(db);
await addHosts(db, [{ name: "h0", gpus: 1 }], now);
const [host] = await hostStates(db, 0);
if (host === undefined) throw new Error("no host");
const hostId = host.id;

/** In the order in which they are made, each upon the one before. */
const changes: readonly (readonly [string, (tx: Tx) => Promise<unknown>])[] = [
  [
    "a host comes",
    (tx) =>
      tx.execute(sql`
    insert into host (id, cluster_id, site, native_id, name, state, cpus, memory_bytes, disk_bytes,
      huge_pages, labels)
    select gen_random_uuid(), cluster_id, site, 'h1', 'h1', 'up', 8, 1, 1, '{}', '{}' from host`),
  ],
  ["a host goes", (tx) => tx.execute(sql`delete from host where native_id = 'h1'`)],
  ["a host is larger", (tx) => tx.execute(sql`update host set cpus = cpus + 1`)],
  ["a host is down", (tx) => tx.execute(sql`update host set state = 'down'`)],
  ["a host is cordoned", (tx) => tx.execute(sql`update host set schedulable = false`)],
  ["a host has a label", (tx) => tx.execute(sql`update host set labels = '{"rack":"a"}'`)],
  [
    "a host tells its NUMA nodes",
    (tx) => tx.execute(sql`update host set numa = '[{"cpus":8,"memoryBytes":1}]'`),
  ],
  ["a GPU is sick", (tx) => tx.execute(sql`update gpu_device set sick_by_operator = true`)],
  ["a GPU is cut in another way", (tx) => tx.execute(sql`update gpu_device set slices_max = 2`)],
  [
    "a GPU comes",
    (tx) =>
      tx.execute(sql`
    insert into gpu_device (host_id, id, model, memory_bytes, isolation, slices_max, mode)
    values (${hostId}, 'g9', 'A100', 1, 'hard', 1, 'whole')`),
  ],
  ["a GPU goes", (tx) => tx.execute(sql`delete from gpu_device where id = 'g9'`)],
  ["a pool comes", (tx) => addPool(tx, { name: "p" })],
  ["a host moves into a pool", (tx) => moveHost(tx, hostId, "p")],
  ["a pool has another reserve", (tx) => changePool(tx, "p", { reservePercent: 30 })],
  ["a pool is dedicated", (tx) => changePool(tx, "p", { tenants: [owner.tenantId] })],
  ["a pool serves everybody again", (tx) => changePool(tx, "p", { tenants: null })],
  ["a host leaves a pool", (tx) => moveHost(tx, hostId, null)],
  ["a pool goes", (tx) => removePool(tx, "p")],
];

test.each(changes)("hosts are read anew after %s", async (_what, change) => {
  const before = await keptHosts(db);
  expect(await keptHosts(db)).toBe(before);
  await db.transaction(change);
  const after = await keptHosts(db);
  expect(after).not.toBe(before);
  expect(after).toEqual(await hostStates(db, 0));
});

test("a change that is taken back changes nothing, and one that is not committed yet is not seen", async () => {
  const before = await keptHosts(db);
  await expect(
    db.transaction(async (tx) => {
      await tx.execute(sql`update host set cpus = cpus + 1`);
      expect(await keptHosts(db)).toBe(before);
      throw new Error("taken back");
    }),
  ).rejects.toThrow("taken back");
  expect(await keptHosts(db)).toBe(before);
});

test("that a host was seen again, and what is held of it, is no reason to read it anew", async () => {
  await db.execute(sql`update host set state = 'up', schedulable = true`);
  await db.execute(sql`update gpu_device set sick_by_operator = false`);
  const before = await keptHosts(db);
  await db.execute(sql`update host set seen_at = now()`);
  const id = await ask(db, owner, { gpus: 1, at: now });
  await placeLoop({ db, now: () => now }).pass(new AbortController().signal);
  expect((await hostStates(db, 0))[0]?.milliCpusUsed).toBeGreaterThan(0);
  await finish(db, id, now);
  expect(await keptHosts(db)).toBe(before);
});
