/** What a machine takes of its host beside what it was sold: planned, held, grown, shown, refused. */
import { expect, test } from "vitest";
import { z } from "zod";

import { size } from "#db/row.ts";
import { sql } from "#db/sql.ts";
import { enqueue, waitingEntries, type WaitingEntry } from "#flow/queue/store.ts";
import { takenBy, type MachineCosts } from "#kernel/machine-cost.ts";
import type { Shape } from "#kernel/shape.ts";
import { testDatabase } from "#test/database.ts";
import { holdingRows } from "#test/holding-rows.ts";
import { aDevice, aHost, aPool, aShape, gpus } from "#test/place-states.ts";

import { commitStarts } from "./commit.ts";
import { couldEverFit } from "./decide.ts";
import { howManyFit } from "./free.ts";
import { findHost } from "./hosts.ts";
import { hostStates } from "./hosts-read.ts";
import { Planner } from "./planner.ts";
import { growPlacement, heldPlacement } from "./store.ts";

const { db } = await testDatabase();
const rows = await holdingRows(db);
const mib = 2 ** 20;
const gib = 2 ** 30;

/** As of a cluster: 250 MiB for each, 8 for each vCPU, 1 GiB with GPUs; core's memory is in pages. */
const plain = {
  memoryBytes: 250 * mib,
  memoryBytesPerVcpu: 8 * mib,
  gpuMemoryBytes: gib,
  milliCpus: 5,
  milliCpusPerVcpu: 1000,
};
const costs: MachineCosts = { standard: plain, core: { ...plain, hugePages: "2Mi" } };

function ask(shape: Partial<Shape> = {}) {
  return { tenantId: "ann", shape: aShape({ vcpus: 2, memoryMiB: 1024, ...shape }) };
}

test("a machine is counted with what its host's platform says that it takes", () => {
  expect(takenBy(ask().shape, costs)).toEqual({
    milliCpus: 2005,
    memoryMiB: 1024 + 266,
    hugePages: "none",
    hugePagesMiB: 0,
  });
  const training = ask({ overcommitPercent: 150, gpu: gpus("T4", { count: 2 }) }).shape;
  expect(takenBy(training, costs)).toMatchObject({ milliCpus: 2005, memoryMiB: 2048 + 266 });
  expect(takenBy(ask({ serviceClass: "core" }).shape, costs)).toEqual({
    milliCpus: 2005,
    memoryMiB: 266,
    hugePages: "2Mi",
    hugePagesMiB: 1024,
  });
});

test("S-06: as many fit as their platform can run, and a refusal says what one takes there", () => {
  const host = aHost({ memoryBytes: 4 * gib, milliCpus: 64_000 });
  expect(howManyFit([host], ask()).count).toBe(4);
  const costly = { ...host, machineCosts: costs };
  expect(howManyFit([costly], ask()).count).toBe(3);
  const answer = couldEverFit([costly], ask({ memoryMiB: 4096 }));
  expect(answer).toMatchObject({ placed: false });
  const full = new Planner([{ ...costly, memoryBytesUsed: 3 * gib }]).place(ask());
  expect(full.placed ? "" : full.reason.message).toBe(
    "No host fits 2 vCPU, 1024 MiB, 10 GiB disk: of 1 host, not enough memory on 1. " +
      "The nearest lacks 266 MiB. With what its platform needs to run it, it takes 2.005 CPU and 1290 MiB there.",
  );
});

test("hosts of one pool with and without costs are both used, and the reserve is kept over all of them", () => {
  const pool = aPool({ reservePercent: 50 });
  const of = { pool, milliCpus: 64_000, memoryBytes: 4 * gib, devices: [aDevice()] };
  const hosts = [aHost({ id: "a", ...of }), aHost({ id: "b", ...of, machineCosts: costs })];
  const planner = new Planner(hosts);
  const placed = Array.from({ length: 5 }, () => planner.place(ask()));
  // Half of 8 GiB: three or four, by where they lie, never what each part alone would leave.
  const count = placed.filter((each) => each.placed).length;
  expect([3, 4]).toContain(count);
  expect(placed.at(-1)).toMatchObject({ placed: false });
  expect(new Planner(hosts.toReversed()).place(ask({ memoryMiB: 3000 })).placed).toBe(true);
});

async function waiting(tenantId: string, shape: Shape): Promise<WaitingEntry> {
  const id = await rows.newRequest(tenantId, shape);
  await enqueue(db, 100);
  const entries = await waitingEntries(db, { oldest: 1000, first: 0 });
  const entry = entries.find((each) => each.requestId === id);
  if (entry === undefined) throw new Error("it does not wait");
  return entry;
}

test("what is held of a host is what the machine takes there, also when it grows, and the operator sees it", async () => {
  const tenantId = await rows.newTenant();
  const sizes = { cpus: 16, memoryBytes: 4 * gib, hugePages: { "2Mi": 1024 }, labels: {} };
  const hostId = await rows.newHost(null, [], { ...sizes, machineCosts: costs });
  const states = await hostStates(db, 0);
  expect(states.find(({ id }) => id === hostId)?.machineCosts).toEqual(costs);

  const shape = aShape({ vcpus: 1, memoryMiB: 512, diskGiB: 1 });
  const entry = await waiting(tenantId, shape);
  const { starts } = await commitStarts(db, [[{ entry, hostId }]], 0);
  expect(starts).toHaveLength(1);
  expect(await usedOf(hostId)).toEqual({ cpu: 1005, memoryMiB: 512 + 258, pagesMiB: 0 });
  const { instanceId = "" } = (await heldPlacement(db, entry)) ?? {};
  const grow = (memoryMiB: number): Promise<"held" | "full"> =>
    db.tenant(tenantId, (tx) =>
      growPlacement(tx, { tenantId, instanceId }, { ...shape, memoryMiB }),
    );
  expect(await grow(4096)).toBe("full");
  expect(await grow(4096 - 258)).toBe("held");
  expect(await usedOf(hostId)).toEqual({ cpu: 1005, memoryMiB: 4096, pagesMiB: 0 });
  expect(await findHost(db, hostId, 0)).toMatchObject({
    memory_used: 4 * gib,
    milli_cpus_used: 1005,
  });
});

test("R-MEM-08: memory that the platform takes of huge pages is counted there", async () => {
  const tenantId = await rows.newTenant();
  const sizes = { cpus: 16, memoryBytes: 4 * gib, hugePages: { "2Mi": 512 }, labels: {} };
  const hostId = await rows.newHost(null, [], { ...sizes, machineCosts: costs });
  const shape = aShape({ vcpus: 1, memoryMiB: 768, diskGiB: 1, serviceClass: "core" });
  const first = await waiting(tenantId, shape);
  expect((await commitStarts(db, [[{ entry: first, hostId }]], 0)).starts).toHaveLength(1);
  expect(await usedOf(hostId)).toEqual({ cpu: 1005, memoryMiB: 258, pagesMiB: 768 });
  const second = await waiting(tenantId, shape);
  expect((await commitStarts(db, [[{ entry: second, hostId }]], 0)).starts).toHaveLength(0);
});

const used = z.object({ cpu: size, memory: size, pages: size });

async function usedOf(hostId: string) {
  const { cpu, memory, pages } = await db.one(
    sql`select milli_cpus_used as cpu, memory_used as memory, huge_2 as pages
      from placement_load where host_id = ${hostId}`,
    used,
  );
  return { cpu, memoryMiB: memory / mib, pagesMiB: pages };
}
