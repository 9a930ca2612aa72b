/** The metering log against a real PostgreSQL: order, crashes, two at once, checkpoints. */
import { v7 as newId } from "uuid";
import { expect, test } from "vitest";
import { z } from "zod";

import type { Db, Queryable, Tx } from "#db/pool.ts";
import { sql } from "#db/sql.ts";
import { dayStart, localDay } from "#kernel/calendar.ts";
import { billingZone } from "#kernel/zone.ts";
import { openCheckpoint } from "#tlog/checkpoint.ts";
import { noteKey, type Signer } from "#tlog/keys.ts";
import { nodeHasher, nodeSha256, nodeSigningKey, nodeVerify } from "#tlog/node-crypto.ts";
import { checkConsistency } from "#tlog/proof.ts";
import { consistencySpans } from "#tlog/spans.ts";
import { hashOfSpan, tilesOfSpans } from "#tlog/tile.ts";
import { testDatabase } from "#test/database.ts";
import { randomFrom, seeds } from "#test/sim/random.ts";

import { usageAccounts } from "./accounts.ts";
import { insertEvents, type EventDraft } from "./event-store.ts";
import { checkLog } from "./log-check.ts";
import { logLoop } from "./log-loop.ts";
import { checkpoints, logSize, storedTiles } from "./log-store.ts";
import { checkpointNeed, sequence, signIfNeeded } from "./sequencer.ts";

const { db } = await testDatabase();
const start = dayStart(billingZone, localDay("2026-05-04"));
const hour = 3_600_000;

const tenant = newId();
await db.execute(sql`
  insert into tenant (id, kind, name, display_name, time_zone, created_at)
  values (${tenant}, 'customer', 'acme', 'acme', 'Asia/Shanghai', now())`);
await db.transaction((tx) => usageAccounts(tx, [tenant]));

const { publicKey, sign } = nodeSigningKey(new Uint8Array(32).fill(7));
const key = noteKey(nodeSha256, { name: "test/log", kind: "log", publicKey });
const signer: Signer = { key, sign };

function drafts(count: number): EventDraft[] {
  return Array.from({ length: count }, () => {
    const id = newId();
    const use = {
      tenantId: tenant,
      projectId: id,
      requestId: id,
      instanceId: id,
      intervalId: id,
      work: "lease",
      plan: "on_demand",
      sku: "cpu.core",
      units: 1n,
      slice: 1,
      from: start,
      until: start + hour,
      billable: true,
      reason: null,
    } as const;
    const event = { kind: "recorded", source: "test", id, at: start, ...use } as const;
    return { event, use, day: localDay("2026-05-04"), counted: true };
  });
}

function add(to: Db, count: number): Promise<number> {
  return to.transaction((tx) => insertEvents(tx, drafts(count), start));
}

class Killed extends Error {
  override readonly name = "Killed";
}

/** Dies before the statement with this number, or between it and its answer. */
function dyingAt(statement: number, when: "before" | "after"): Db {
  let count = 0;
  const guarded = async <T>(run: () => Promise<T>): Promise<T> => {
    count += 1;
    if (count === statement && when === "before") throw new Killed();
    const result = await run();
    if (count === statement) throw new Killed();
    return result;
  };
  const mortal = (on: Queryable): Queryable => ({
    rows: (asked, row) => guarded(() => on.rows(asked, row)),
    one: (asked, row) => guarded(() => on.one(asked, row)),
    maybe: (asked, row) => guarded(() => on.maybe(asked, row)),
    execute: (asked) => guarded(() => on.execute(asked)),
  });
  const mortalTx = (tx: Tx): Tx => ({
    ...mortal(tx),
    nudge: (channel) => tx.nudge(channel),
  });
  return {
    ...db,
    transaction: (work, options) => db.transaction((tx) => work(mortalTx(tx)), options),
  };
}

test("R-LOG-1: every event becomes one leaf, in the order of acceptance, whatever batches", async () => {
  for (const count of [1, 255, 1, 300, 2]) await add(db, count);
  expect(await sequence(db, 100)).toBe(100);
  for (;;) if ((await sequence(db, 97)) === 0) break;
  expect(await logSize(db)).toBe(559);
  expect(await checkLog(db)).toEqual([]);
  const { inOrder } = await db.one(
    sql`select bool_and(leaf_index = place) as "inOrder" from (
      select leaf_index, row_number() over (order by received) - 1 as place from log_entry) t`,
    z.object({ inOrder: z.boolean() }),
  );
  expect(inOrder).toBe(true);
});

test("two sequencers at once, while events come: no gap and none twice", async () => {
  const before = await logSize(db);
  await Promise.all([
    ...Array.from({ length: 8 }, () => add(db, 40)),
    ...Array.from({ length: 12 }, () => sequence(db, 30)),
  ]);
  while ((await sequence(db)) !== 0);
  expect(await logSize(db)).toBe(before + 320);
  expect(await checkLog(db)).toEqual([]);
});

test("a crash at any statement leaves the log whole, and what was not in it waiting", async () => {
  for (const when of ["before", "after"] as const) {
    for (let statement = 1; ; statement += 1) {
      await add(db, 70);
      const taken = await sequence(dyingAt(statement, when)).catch((error: unknown) => {
        if (error instanceof Killed) return "killed";
        throw error;
      });
      expect(await checkLog(db)).toEqual([]);
      if (taken !== "killed") break;
    }
    for (let statement = 1; ; statement += 1) {
      const dying = dyingAt(statement, when);
      const now = start + statement * hour;
      const done = await signIfNeeded(dying, { signer, now }).catch((error: unknown) => {
        if (error instanceof Killed) return "killed";
        throw error;
      });
      expect(await checkLog(db)).toEqual([]);
      if (done !== "killed") break;
    }
  }
  while ((await sequence(db)) !== 0);
  expect(await checkLog(db)).toEqual([]);
});

test.each(seeds(2))("each checkpoint goes on from the one before it, seed %i", async (seed) => {
  const random = randomFrom(seed);
  const loop = logLoop({ db, openSigner: () => Promise.resolve(signer), now: () => now });
  let now = start;
  const { signal } = new AbortController();
  for (let round = 0; round < 6; round += 1) {
    await add(db, random.below(400) + 1);
    // Sometimes the clock jumps back.
    now += random.chance(0.2) ? -30 * hour : random.below(20 * hour);
    await loop.pass(signal);
  }
  const all = await checkpoints(db);
  const hasher = nodeHasher();
  for (const { note, size, root } of all) {
    const opened = openCheckpoint(note, { verify: nodeVerify, logKey: key });
    expect(opened).toMatchObject({ kind: "signed", checkpoint: { size, root } });
  }
  for (const [place, newer] of all.entries()) {
    const older = all[place - 1];
    if (older === undefined) continue;
    const spans = consistencySpans(older.size, newer.size);
    const tiles = await storedTiles(db, tilesOfSpans(spans, newer.size));
    const proof = spans.flatMap((span) => hashOfSpan(hasher, tiles, span) ?? []);
    expect(checkConsistency(hasher, { older, newer, proof })).toBe("proved");
  }
  expect(await checkLog(db)).toEqual([]);
});

function at(day: string, hours: number): number {
  return dayStart(billingZone, localDay(day)) + hours * hour;
}

function need(size: number, last: [number, number] | undefined, now: number): unknown {
  return checkpointNeed({
    size,
    last: last === undefined ? undefined : { size: last[0], signedAt: last[1] },
    now,
  });
}

test("a checkpoint is signed when the log has grown, and at the close of each day", () => {
  expect(need(0, undefined, at("2026-05-04", 1))).toBeUndefined();
  expect(need(1, undefined, at("2026-05-04", 1))).toEqual({ closesDay: undefined });
  expect(need(5, [5, at("2026-05-04", 1)], at("2026-05-04", 9))).toBeUndefined();
  expect(need(6, [5, at("2026-05-04", 1)], at("2026-05-04", 1) + 9_999)).toBeUndefined();
  expect(need(6, [5, at("2026-05-04", 1)], at("2026-05-04", 1) + 10_000)).toEqual({
    closesDay: undefined,
  });
  expect(need(5, [5, at("2026-05-04", 23)], at("2026-05-05", 0))).toEqual({
    closesDay: "2026-05-04",
  });
  // The clock was set back an hour.
  expect(need(6, [5, at("2026-05-04", 9)], at("2026-05-04", 8))).toEqual({ closesDay: undefined });
});

test("what the log holds is never changed", async () => {
  await expect(db.execute(sql`update log_entry set received = 1`)).rejects.toThrow("append-only");
  await expect(db.execute(sql`delete from log_tile`)).rejects.toThrow("append-only");
  await expect(
    db.execute(sql`update log_tile set hashes = set_byte(hashes, 0, 255 - get_byte(hashes, 0))`),
  ).rejects.toThrow("append-only");
  await expect(db.execute(sql`delete from log_checkpoint`)).rejects.toThrow("append-only");
});
