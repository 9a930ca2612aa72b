/**
 * The process that looks for idle leases dies at one of its writes, then at a later one, and so on
 * until it gets through: from the warning to the release there is one notice of each, one snapshot,
 * one release, whoever goes on. One run takes every fourth write, the seed says which; `SIM_RUNS=4`
 * takes all.
 */
import { expect, test } from "vitest";
import { z } from "zod";

import { sql } from "#db/sql.ts";

import { mortalProcess } from "./crash.ts";
import { idleLife, type Tenancy } from "./idle-life.ts";
import { orderCloud } from "./order-cloud.ts";
import { seeds } from "./random.ts";

const stride = 4;
/** More would be a process that writes without end. */
const writesMax = 400;

const cloud = await orderCloud("2026-05-04T10:00:00");
const { db, observer, provider } = cloud;
const { leftAlone, minutes, show, snapshots, told, until } = idleLife(cloud);
const root = cloud.operator(await cloud.customer("1.00"));
await root.call("setIdlePolicy", {
  params: { scope: "default" },
  body: { windowHours: 1, warningHours: 1, keepDays: 3 },
});

async function count(of: Tenancy, kind: string): Promise<number> {
  const row = z.object({ count: z.int() });
  const found = await db.one(
    sql`select count(*)::int as count from idle_event
      where request_id = ${of.leaseId} and kind = ${kind}`,
    row,
  );
  return found.count;
}

/** Time goes by while it lives; what its death breaks is what its death breaks. */
async function liveThrough(deathAt: number): Promise<ReturnType<typeof mortalProcess>> {
  const process = mortalProcess({ url: db.url, observer }, deathAt);
  for (let looks = 0; looks < 20 && !process.isDead(); looks += 1) {
    try {
      await minutes(4, process.db);
    } catch (error) {
      if (!process.isDead()) throw error;
    }
  }
  await process.db.close();
  return process;
}

test.each(seeds(1))(
  "M-VM-04: killed at any write between the warning and the release: one snapshot, one release, seed %i",
  { timeout: 300_000 },
  async (seed) => {
    for (let deathAt = seed % stride; ; deathAt += stride) {
      expect(deathAt).toBeLessThan(writesMax);
      const of = await leftAlone();
      // To the brink of the warning.
      await minutes(60);
      const process = await liveThrough(deathAt);
      const at = process.diedAt();
      // Whoever comes after it. Longer than the warning, whichever step it begins with.
      await minutes(65);
      await until(async () => {
        expect({ at, state: (await show(of)).state }).toEqual({ at, state: "released" });
      });
      expect({ at, kinds: await told(of) }).toEqual({
        at,
        kinds: ["idle_warned", "idle_released"],
      });
      const events = {
        warned: await count(of, "warned"),
        released: await count(of, "released"),
        taken_back: await count(of, "active"),
      };
      expect({ at, ...events }).toEqual({ at, warned: 1, released: 1, taken_back: 0 });
      const kept = await snapshots(of);
      expect({ at, kept: kept.map(({ state }) => state) }).toEqual({ at, kept: ["ready"] });
      expect(provider.platform.machine(of.instanceId)).toBeUndefined();
      if (!process.isDead()) break;
    }
  },
);
