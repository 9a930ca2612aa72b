/**
 * A subscription and its expansion on a real machine: CPUs and memory are plugged into the guest
 * that runs, and are gone after its next start, also when the control plane was away between.
 */
import { expect, test, vi } from "vitest";

import { createPriceProfile } from "#catalog/price-profiles.ts";
import { defaultProfileJson } from "#catalog/profile.ts";
import { sql } from "#db/sql.ts";

import { addCustomer, ssh, startCloud, succeeded } from "./cloud.ts";

const cloud = await startCloud("--warm-start", "off");
const acme = await addCustomer(cloud, "acme");
const waiting = { timeout: 90_000, interval: 200 };

/** Sold by the term from long ago on: a version of the profile begins at a midnight to come. */
async function sellByTheTerm(): Promise<void> {
  const { db } = cloud.app();
  const vm = { ...defaultProfileJson.vm, "vm.tiny": { monthly: "300.00", annual: "3000.00" } };
  const profile = { ...defaultProfileJson, vm };
  const { id } = await createPriceProfile(db, { name: "With small machines", profile });
  await db.execute(sql`
    update price_profile set active_from = current_date - 1 where id = ${id}`);
  await cloud.client(cloud.operatorKey).call("createFlavor", {
    body: {
      name: "tiny.sold",
      vcpus: 1,
      cpu: { sockets: 1, cores: 1, threads: 1 },
      memoryMiB: 512,
      diskGiB: 2,
      subscriptionSku: "vm.tiny",
    },
  });
}

test("P-14, R-ELA-2: an expansion is in the guest while it runs, and gone after its next start", async () => {
  await sellByTheTerm();
  const client = acme.client();
  const { subscription, operation } = await client.call("orderSubscription", {
    body: { name: "sold", flavor: "tiny.sold", term: "monthly", expectedAmount: "300.00" },
  });
  await succeeded(client, operation);
  const params = { subscriptionId: subscription.id };
  await vi.waitFor(async () => {
    expect(await client.call("getSubscription", { params })).toMatchObject({ state: "active" });
  }, waiting);
  const key = { params: { leaseId: subscription.leaseId } };
  const guest = async (): Promise<{ cpus: number; mib: number }> => {
    const lease = await acme.client().call("getLease", key);
    const text = await ssh(acme, lease, "nproc; grep MemTotal /proc/meminfo");
    const [cpus, memory] = text.split("\n");
    return { cpus: Number(cpus), mib: Number(memory?.replaceAll(/\D/g, "")) / 1024 };
  };
  const before = await guest();
  expect(before.cpus).toBe(1);

  const gpu = { gpus: 1, days: 1, expectedAmount: "600.00" };
  await expect(client.call("orderExpansion", { params, body: gpu })).rejects.toMatchObject({
    code: "rule_violation",
  });
  const body = { vcpus: 1, memoryGiB: 1, days: 1, expectedAmount: "22.00" };
  const ordered = await client.call("orderExpansion", { params, body });
  await succeeded(client, ordered.operation);
  const one = { params: { expansionId: ordered.expansion.id } };
  await vi.waitFor(async () => {
    expect(await client.call("getExpansion", one)).toMatchObject({ state: "active" });
  }, waiting);
  const expanded = await guest();
  expect(expanded.cpus).toBe(2);
  expect(expanded.mib).toBeGreaterThan(before.mib + 900);

  // Its day is over while the control plane is away.
  await cloud.restart(async () => Promise.resolve());
  await cloud.app().db.execute(sql`
    update expansion set activated_at = activated_at - interval '1 day',
      ends_at = ends_at - interval '1 day' where id = ${ordered.expansion.id}`);
  await cloud.app().db.execute(sql`
    update subscription set look_at = now() where id = ${subscription.id}`);
  const later = acme.client();
  await vi.waitFor(async () => {
    expect(await later.call("getExpansion", one)).toMatchObject({ state: "ended" });
  }, waiting);
  await vi.waitFor(async () => {
    const { flavor } = await later.call("getLease", key);
    expect(flavor).toMatchObject({ vcpus: 1, memoryMiB: 512 });
  }, waiting);
  await succeeded(later, (await later.call("stopLease", key)).operation);
  await succeeded(later, (await later.call("startLease", key)).operation);
  expect((await guest()).cpus).toBe(1);
  await vi.waitFor(async () => {
    const { revertedAt } = await later.call("getExpansion", one);
    expect(revertedAt).not.toBeNull();
  }, waiting);
  const { items } = await later.call("listOrderItems");
  expect(items.map(({ kind, amount }) => `${kind} ${amount}`)).toEqual([
    "expansion 22.00",
    "subscription 300.00",
  ]);
  const { total } = await later.call("quoteCancel", { params });
  expect(total).toBe("0.00");
  await later.call("cancelSubscription", { params, body: { expectedRefund: total } });
  await vi.waitFor(async () => {
    expect(await later.call("getLease", key)).toMatchObject({ state: "released" });
  }, waiting);
});
