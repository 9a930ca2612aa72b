import { expect, test } from "vitest";
import { z } from "zod";

import { json } from "#db/json.ts";
import { sql } from "#db/sql.ts";
import { placeLoop } from "#flow/place/loop.ts";
import type { Shape } from "#kernel/shape.ts";
import type { MachineSpec } from "#providers/provider.ts";
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

/** What the platform is told of a machine of that shape. */
async function toldOf(
  shape: Partial<Shape>,
  capabilities: Readonly<Record<string, unknown>>,
): Promise<MachineSpec> {
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
  return spec;
}

/** Where its CPUs run. */
async function pinningOf(
  shape: Pick<Shape, "numa" | "serviceClass">,
  capabilities: Readonly<Record<string, unknown>>,
): Promise<unknown> {
  return (await toldOf(shape, capabilities)).pinning;
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

test("R-PROF-02, R-PROF-08: what a flavor wants is told to the platform, but for labels that only we know", async () => {
  const pages = { "2Mi": 65_536, "1Gi": 0 };
  const labels = { workload: "database" };
  await db.execute(sql`update host set huge_pages = ${json(pages)}, labels = ${json(labels)}`);
  const able = { numaPinning: no, exclusiveCpus: no };
  const shape: Partial<Shape> = {
    hostLabels: { workload: "database", "millrace/site": "waiting" },
    tolerations: ["database"],
    antiAffinity: true,
    hugePages: "2Mi",
    cpuModel: "host-passthrough",
    furtherDisks: [{ name: "data", sizeGiB: 1 }],
  };
  expect((await toldOf(shape, able)).wants).toEqual({
    hostLabels: { workload: "database" },
    tolerations: ["database"],
    apart: true,
    hugePages: "2Mi",
    cpuModel: "host-passthrough",
    disks: [{ name: "data", bytes: gib }],
  });
  expect((await toldOf({}, able)).wants).toBeUndefined();
});
