import { expect, test } from "vitest";
import { z } from "zod";

import { json } from "#db/json.ts";
import { sql } from "#db/sql.ts";
import { placeLoop } from "#flow/place/loop.ts";
import { testDatabase } from "#test/database.ts";
import { addHosts, addOwner, ask } from "#test/waiting.ts";

import { adoptPlacements } from "./adopt.ts";
import { machineSpecRow } from "./rows.ts";

const { db } = await testDatabase();
const gib = 2 ** 30;
const now = Date.UTC(2026, 4, 4);
const yes = { can: true };
const no = { can: false, because: "of that" };

await addHosts(db, [{ name: "h0" }], now);
const nodes = [1, 2].map(() => ({ cpus: 32, memoryBytes: 256 * gib }));
await db.execute(sql`update host set numa = ${json(nodes)}`);
const owner = await addOwner(db);

/** What the platform is told of where the machine's CPUs run. */
async function pinningOf(
  shape: { readonly numa: boolean; readonly serviceClass: "core" | "standard" },
  capabilities: Readonly<Record<string, unknown>>,
): Promise<unknown> {
  await db.execute(sql`update site set capabilities = ${json(capabilities)}`);
  const id = await ask(db, owner, { kind: "lease", vcpus: 2, at: now });
  await db.execute(sql`update request set shape = shape || ${json(shape)} where id = ${id}`);
  await placeLoop({ db, now: () => now }).pass(new AbortController().signal);
  await adoptPlacements(db, {
    site: "waiting",
    now,
    prepareWorkload: () => Promise.resolve(undefined),
    failed: (_id, error) => {
      throw error;
    },
  });
  const row = z.object({ spec: machineSpecRow });
  const { spec } = await db.one(sql`select spec from instance where request_id = ${id}`, row);
  return spec.pinning;
}

test("R-CPU-11: a machine keeps to the node that placement chose, and core has CPUs of its own, where the platform can", async () => {
  const able = { numaPinning: yes, exclusiveCpus: yes };
  const bound = await pinningOf({ numa: true, serviceClass: "core" }, able);
  expect(bound).toEqual({ numaNode: expect.toSatisfy((n) => n === 0 || n === 1), exclusive: true });
  expect(await pinningOf({ numa: false, serviceClass: "core" }, able)).toEqual({ exclusive: true });
  expect(await pinningOf({ numa: false, serviceClass: "standard" }, able)).toBeUndefined();
  const onlyNodes = { numaPinning: yes, exclusiveCpus: no };
  const noOwn = await pinningOf({ numa: true, serviceClass: "core" }, onlyNodes);
  expect(noOwn).toEqual({ numaNode: expect.any(Number) });
  // What a platform cannot do it would refuse; the machine runs without it.
  expect(
    await pinningOf({ numa: true, serviceClass: "core" }, { numaPinning: no }),
  ).toBeUndefined();
});
