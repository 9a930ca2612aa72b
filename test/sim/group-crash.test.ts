/**
 * The process that tends a group dies at one of its writes, then at a later one, and so on until it gets
 * through: the group grows and shrinks, and whoever goes on, there is one lease for each number, no
 * lease without a number, and no wish to have one that is gone. One run takes every third write, the
 * seed says which; `SIM_RUNS=3` takes all.
 */
import { expect, test } from "vitest";
import { z } from "zod";

import type { Db } from "#db/pool.ts";
import { sql } from "#db/sql.ts";
import { groupLoop } from "#groups/loop.ts";

import { mortalProcess } from "./crash.ts";
import { orderCloud, type Customer } from "./order-cloud.ts";
import { seeds } from "./random.ts";

const stride = 3;
/** More would be a process that writes without end. */
const writesMax = 400;

const cloud = await orderCloud("2026-05-04T10:00:00");
const { db, observer, now } = cloud;
const { signal } = new AbortController();

async function tend(by: Db = db): Promise<void> {
  await groupLoop({ db: by, now }).pass(signal);
}

/** Tends as long as it lives; what its death breaks is what its death breaks. */
async function tendMortal(deathAt: number): Promise<{ readonly diedAt: string | undefined }> {
  const process = mortalProcess({ url: db.url, observer }, deathAt);
  try {
    await tend(process.db);
  } catch (error) {
    if (!process.isDead()) throw error;
  }
  await process.db.close();
  return { diedAt: process.isDead() ? process.diedAt() : undefined };
}

/** Whoever comes after tends on until it has its members. */
async function settled(of: Customer, groupId: string, count: number): Promise<void> {
  await cloud.until(async () => {
    await tend();
    const group = await of.api.call("getGroup", { params: { groupId } });
    const { running, members } = group;
    expect({ running, members: members.length }).toEqual({ running: count, members: count });
  });
}

async function leasesWithoutNumber(of: Customer): Promise<number> {
  const { count } = await db.one(
    sql`select count(*)::int as count from request r where r.tenant_id = ${of.tenantId}
      and not exists (select from lease_group_member m where m.tenant_id = r.tenant_id
        and m.request_id = r.id)`,
    z.object({ count: z.int() }),
  );
  return count;
}

test.each(seeds(1))(
  "S-02: killed at any write while it grows and shrinks: one lease for each number, seed %i",
  { timeout: 300_000 },
  async (seed) => {
    for (let deathAt = 1 + (seed % stride); ; deathAt += stride) {
      expect(deathAt).toBeLessThan(writesMax);
      const of = await cloud.customer("1000.00");
      const body = { name: "g", flavor: "nano", min: 1, max: 5, wanted: 3 };
      const { id: groupId } = await of.api.call("createGroup", { body });
      const grown = await tendMortal(deathAt);
      await settled(of, groupId, 3);
      const params = { groupId };
      await of.api.call("updateGroup", { params, body: { wanted: 1 } });
      const shrunk = await tendMortal(deathAt);
      await settled(of, groupId, 1);
      const at = { deathAt, grown: grown.diedAt, shrunk: shrunk.diedAt };
      const { items } = await of.api.call("listLeases", { query: { limit: 50 } });
      const names = items.map(({ name }) => name).toSorted();
      expect({ ...at, names }).toEqual({ ...at, names: ["g-0", "g-1", "g-2"] });
      expect({ ...at, loose: await leasesWithoutNumber(of) }).toEqual({ ...at, loose: 0 });
      await of.api.call("deleteGroup", { params });
      if (grown.diedAt === undefined && shrunk.diedAt === undefined) break;
    }
  },
);
