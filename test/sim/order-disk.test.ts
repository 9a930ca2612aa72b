/** A larger size comes with its disk; and what the image of a machine asks of hosts stays when it is resized. */
import { expect, test } from "vitest";
import { z } from "zod";

import { addFlavor } from "#catalog/flavors.ts";
import { updateImage } from "#catalog/images.ts";
import { createFlavorBody } from "#contract/schemas/catalog.ts";
import { sql } from "#db/sql.ts";

import { orderCloud, type OrderCloud } from "./order-cloud.ts";
import { orderLife, type Rented } from "./order-life.ts";

const gib = 2 ** 30;
const because = "storage class local lets no disk grow (allowVolumeExpansion)";
const cloud = await orderCloud("2026-05-04T10:00:00");
const fixed = await orderCloud("2026-05-04T10:00:00", {
  capabilities: { diskGrow: { can: false, because } },
});

const shapeRow = z.object({
  shape: z.object({ diskGiB: z.int(), hostLabels: z.record(z.string(), z.string()) }).loose(),
});

/** By our books: what the lease was promised. */
async function shapeOf({ db }: OrderCloud, leaseId: string) {
  const { shape } = await db.one(sql`select shape from request where id = ${leaseId}`, shapeRow);
  return shape;
}

function diskAtPlatform({ provider }: OrderCloud, { leaseId }: Rented): number {
  const found = provider.platform.machines().find(({ spec }) => spec.owner.resourceId === leaseId);
  return Math.max(found?.diskBytes ?? 0, found?.pendingDiskBytes ?? 0) / gib;
}

test("R-VM-5: an upgrade brings the disk of its flavor; a size of less disk at the renewal leaves it", async () => {
  const { rented, show } = orderLife(cloud);
  const of = await rented("90000.00");
  const { subscriptionId } = of;
  const params = { subscriptionId };
  const { items } = await of.api.call("listOffers");
  const diskOf = (name: string): number =>
    items.find(({ flavor }) => flavor.name === name)?.flavor.diskGiB ?? 0;
  expect(diskAtPlatform(cloud, of)).toBe(diskOf("a100.1"));
  expect(diskOf("a100.2")).toBeGreaterThan(diskOf("a100.1"));
  const { amount } = await of.api.call("quoteOrder", {
    body: { kind: "upgrade", flavor: "a100.2", ...params },
  });
  await of.api.call("upgradeSubscription", {
    params,
    body: { flavor: "a100.2", expectedAmount: amount },
  });
  const { paidUntil } = await cloud.until(async () => {
    const found = await show(of);
    expect(found.sku).toBe("vm.a100x2");
    return found;
  });
  expect(diskAtPlatform(cloud, of)).toBe(diskOf("a100.2"));
  expect(await shapeOf(cloud, of.leaseId)).toMatchObject({ diskGiB: diskOf("a100.2") });
  expect((await of.api.call("getQuota")).used.diskGiB).toBe(diskOf("a100.2"));

  const renewal = await of.api.call("quoteOrder", {
    body: { kind: "renewal", flavor: "a100.1", ...params },
  });
  await of.api.call("renewSubscription", {
    params,
    body: { flavor: "a100.1", expectedAmount: renewal.amount },
  });
  cloud.advance(Date.parse(paidUntil ?? "") - cloud.now() + 1000);
  await cloud.until(async () => {
    expect(await shapeOf(cloud, of.leaseId)).toMatchObject({ flavor: "a100.1" });
  });
  expect(diskAtPlatform(cloud, of)).toBe(diskOf("a100.2"));
});

test("R-VM-5: where no disk grows, a size with a larger one is refused when it is quoted, and nothing is held", async () => {
  const { rented, show, money } = orderLife(fixed);
  const of = await rented("90000.00");
  const { subscriptionId } = of;
  const params = { subscriptionId };
  const before = { ...(await show(of)), ...(await money(of)) };
  const refusal = {
    code: "unsupported",
    message: expect.stringMatching(
      /^a100\.2 comes with a disk of \d+ GiB, and the \d+ GiB of .* cannot grow: storage class local .* Order another one as a100\.2 and move\.$/,
    ),
    details: { capability: "diskGrow", because },
  };
  for (const kind of ["upgrade", "renewal"] as const) {
    const quote = of.api.call("quoteOrder", { body: { kind, flavor: "a100.2", ...params } });
    // oxlint-disable-next-line no-await-in-loop -- two
    await expect(quote).rejects.toMatchObject(refusal);
  }
  const body = { flavor: "a100.2", expectedAmount: "15000.00" };
  await expect(of.api.call("upgradeSubscription", { params, body })).rejects.toMatchObject(refusal);
  await expect(of.api.call("renewSubscription", { params, body })).rejects.toMatchObject(refusal);
  expect({ ...(await show(of)), ...(await money(of)) }).toEqual(before);
  // In the same size it goes on.
  await of.api.call("quoteOrder", { body: { kind: "renewal", ...params } });
});

test("R-GPU-08: a lease that is resized keeps what its image asks of a host", async () => {
  const driver = { "millrace/gpu-driver": "550" };
  const half = {
    vcpus: 2,
    cpu: { sockets: 1, cores: 2, threads: 1 },
    memoryMiB: 1024,
    diskGiB: 5,
    gpu: { model: "A100", count: 1, slice: 2 },
  };
  await addFlavor(cloud.db, createFlavorBody.parse({ ...half, name: "half" }));
  const larger = { ...half, name: "half-more", memoryMiB: 2048, diskGiB: 10 };
  await addFlavor(cloud.db, createFlavorBody.parse(larger));
  await updateImage(cloud.db, "tiny", { gpuDriver: "550.54.15" });
  await cloud.db.execute(sql`update host set gpu_driver = '550.90.07'`);
  const of = await cloud.customer("1000.00");
  const body = { name: "web", flavor: "half", image: "tiny" };
  const { id } = (await of.api.call("createLease", { body })).lease;
  const running = (flavor: string): Promise<void> =>
    cloud.until(async () => {
      expect(await of.api.call("getLease", { params: { leaseId: id } })).toMatchObject({
        state: "running",
        flavor: { name: flavor },
      });
    });
  await running("half");
  expect((await shapeOf(cloud, id)).hostLabels).toEqual(driver);
  await of.api.call("resizeLease", { params: { leaseId: id }, body: { flavor: "half-more" } });
  await running("half-more");
  expect(await shapeOf(cloud, id)).toMatchObject({ diskGiB: 10, hostLabels: driver });
  const held = await cloud.db.one(
    sql`select shape from placement where request_id = ${id} and state <> 'none'`,
    shapeRow,
  );
  expect(held.shape.hostLabels).toEqual(driver);
});
