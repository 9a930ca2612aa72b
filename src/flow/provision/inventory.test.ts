/** What a look at a site leaves in its row. */
import { expect, test } from "vitest";
import { z } from "zod";

import { sql } from "#db/sql.ts";
import { openSimulated } from "#providers/simulated/provider.ts";
import { testDatabase } from "#test/database.ts";

import { refreshInventory } from "./inventory.ts";

const { db, observer } = await testDatabase();
const context = {
  db,
  observer,
  now: () => Date.UTC(2026, 4, 4),
  provider: openSimulated({ site: "looked-at", hosts: [] }),
};

async function isReachable(): Promise<boolean> {
  const row = z.object({ reachable: z.boolean() });
  return (await db.one(sql`select reachable from site where name = 'looked-at'`, row)).reachable;
}

test("a look that fails says that the site does not answer; one that we gave up says nothing", async () => {
  const failing = {
    ...context,
    provider: Object.assign(openSimulated({ site: "looked-at", hosts: [] }), {
      info: () => Promise.reject(new Error("the watch was lost")),
    }),
  };
  const { signal } = new AbortController();
  await refreshInventory(context, signal);
  expect(await isReachable()).toBe(true);
  const over = AbortSignal.abort();
  await expect(refreshInventory(failing, over)).rejects.toThrow("the watch was lost");
  expect(await isReachable()).toBe(true);
  await expect(refreshInventory(failing, signal)).rejects.toThrow("the watch was lost");
  expect(await isReachable()).toBe(false);
});
