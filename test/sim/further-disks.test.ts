/** Leases of flavors with further disks: what is quoted, held, counted and placed is one size, whatever is asked. */
import { expect, test } from "vitest";
import { z } from "zod";

import { addFlavor } from "#catalog/flavors.ts";
import type { AnswerOf } from "#client/types.ts";
import { createFlavorBody } from "#contract/schemas/catalog.ts";
import { sql } from "#db/sql.ts";
import { present } from "#kernel/assert.ts";

import { orderCloud, type Customer } from "./order-cloud.ts";

const cloud = await orderCloud("2026-05-04T10:00:00");
const gib = 1024 ** 3;
const sized = { vcpus: 1, cpu: { sockets: 1, cores: 1, threads: 1 }, memoryMiB: 512, diskGiB: 20 };
const extraDisks = [
  { name: "data", sizeGiB: 50 },
  { name: "log", sizeGiB: 10 },
];
const larger = { ...sized, name: "disks-2", vcpus: 2, cpu: { ...sized.cpu, cores: 2 }, extraDisks };
await addFlavor(cloud.db, createFlavorBody.parse({ ...sized, name: "plain" }));
await addFlavor(cloud.db, createFlavorBody.parse({ ...sized, name: "disks", extraDisks }));
await addFlavor(cloud.db, createFlavorBody.parse(larger));

type Lease = AnswerOf<"getLease">;

function running(of: Customer, leaseId: string, flavor: object): Promise<Lease> {
  return cloud.until(async () => {
    const lease = await of.api.call("getLease", { params: { leaseId } });
    expect(lease).toMatchObject({ state: "running", flavor });
    return lease;
  });
}

async function rented(of: Customer, body: { flavor: string; diskGiB?: number }): Promise<Lease> {
  const name = `m-${body.flavor}`;
  const { lease } = await of.api.call("createLease", { body: { name, ...body } });
  return running(of, lease.id, {});
}

/** In the quota, on its host by our books, and at its platform. */
async function taken(of: Customer, { instanceId }: Lease): Promise<readonly number[]> {
  const { used } = await of.api.call("getQuota");
  const { held } = await cloud.db.one(
    sql`select (disk_bytes / ${gib})::int as held from placement where instance_id = ${instanceId}`,
    z.object({ held: z.int() }),
  );
  const id = present(instanceId, "the machine");
  const machine = present(cloud.provider.platform.machine(id), "at its platform");
  const there = Math.max(machine.diskBytes, machine.pendingDiskBytes ?? 0);
  return [used.diskGiB, held, there / gib];
}

const priceOf = async (of: Customer, body: { flavor: string; diskGiB?: number }) =>
  (await of.api.call("quote", { body })).price;

test("R-PROF-10: the further disks of a flavor are counted once: at its price, in the quota and where it is placed, also after it was resized again and again", async () => {
  const of = await cloud.customer("1000.00");
  const first = await rented(of, { flavor: "disks" });
  expect(first.flavor.diskGiB).toBe(80);
  expect(first.price).toEqual(await priceOf(of, { flavor: "disks" }));
  expect(await taken(of, first)).toEqual([80, 80, 80]);
  // Its platform is told which of it are to be disks of their own.
  const told = z.object({ disks: z.unknown() });
  const { disks } = await cloud.db.one(
    sql`select spec->'wants'->'disks' as disks from instance where id = ${first.instanceId}`,
    told,
  );
  expect(disks).toEqual(extraDisks.map(({ name, sizeGiB }) => ({ name, bytes: sizeGiB * gib })));

  const resized = async (body: { flavor?: string; diskGiB?: number }, flavor: object) => {
    await of.api.call("resizeLease", { params: { leaseId: first.id }, body });
    return running(of, first.id, flavor);
  };
  // Another flavor with the same disks: the disk stays.
  const second = await resized({ flavor: "disks-2" }, { name: "disks-2", diskGiB: 80 });
  expect(second.price).toEqual(await priceOf(of, { flavor: "disks-2" }));
  expect(await taken(of, second)).toEqual([80, 80, 80]);
  // A larger disk is as large as the lease then shows.
  const third = await resized({ diskGiB: 100 }, { name: "disks-2", diskGiB: 100 });
  expect(third.price).toEqual(await priceOf(of, { flavor: "disks-2", diskGiB: 40 }));
  expect(await taken(of, third)).toEqual([100, 100, 100]);
  // To one without them, and back.
  const fourth = await resized({ flavor: "plain" }, { name: "plain", diskGiB: 100 });
  expect(fourth.price).toEqual(await priceOf(of, { flavor: "plain", diskGiB: 100 }));
  await resized({ flavor: "disks" }, { name: "disks", diskGiB: 100 });
  expect(await taken(of, third)).toEqual([100, 100, 100]);
  await expect(resized({ diskGiB: 90 }, {})).rejects.toMatchObject({ code: "rule_violation" });
});

test("R-PROF-10: a flavor with further disks brings them to a lease that had none, and never less than it needs", async () => {
  const of = await cloud.customer("1000.00");
  const { id } = await rented(of, { flavor: "plain" });
  const params = { leaseId: id };
  await expect(
    of.api.call("resizeLease", { params, body: { flavor: "disks", diskGiB: 60 } }),
  ).rejects.toMatchObject({
    code: "rule_violation",
    message: expect.stringContaining("smaller than the 80 GiB of the flavor disks"),
  });
  await of.api.call("resizeLease", { params, body: { flavor: "disks" } });
  const lease = await running(of, id, { name: "disks", diskGiB: 80 });
  expect(lease.price).toEqual(await priceOf(of, { flavor: "disks" }));
  expect(await taken(of, lease)).toEqual([80, 80, 80]);
});

test("R-PROF-10: a copy has the disk that was copied, at the price that was quoted for it", async () => {
  const of = await cloud.customer("1000.00");
  const from = await rented(of, { flavor: "disks", diskGiB: 30 });
  expect(from.flavor.diskGiB).toBe(90);
  const params = { leaseId: from.id };
  const { lease } = await of.api.call("cloneLease", { params, body: { name: "copy" } });
  const copy = await running(of, lease.id, { name: "disks", diskGiB: 90 });
  expect(copy.price).toEqual(await priceOf(of, { flavor: "disks", diskGiB: 30 }));
  expect(await taken(of, copy)).toEqual([180, 90, 90]);
});
