/** Leases that are resized by what they use, through the API on simulated hosts. */
import { expect, test } from "vitest";

import { present } from "#kernel/assert.ts";

import { orderCloud } from "./order-cloud.ts";
import { orderLife } from "./order-life.ts";
import { bounds, recommended, sizeByUse, sizingLife } from "./sizing-life.ts";

const minuteMs = 60_000;
const cloud = await orderCloud("2026-05-04T10:00:00");
const { provider } = cloud;
const { rented, hours, size } = sizingLife(cloud);

test("S-03: a recommendation says what it used, what would be enough, its price, and how sure it is", async () => {
  const of = await rented("small", { cpuShare: 0.97, memoryShare: 0.4 });
  expect(await recommended(of)).toMatchObject({
    advice: "unknown",
    recommended: null,
    confidence: "none",
    automatic: null,
  });
  await hours(10);
  const found = await recommended(of);
  const wider = present(found.recommended, "a flavor");
  expect(found).toMatchObject({
    advice: "grow",
    current: { flavor: "small", vcpus: 1 },
    recommended: { flavor: "medium", vcpus: 2 },
    confidence: "low",
    live: { can: true, because: null },
  });
  expect(found.days).toBeGreaterThan(0.35);
  expect(found.cpus?.target).toBeGreaterThan(1.1);
  const price = await of.api.call("quote", { body: { flavor: "medium" } });
  expect(wider.hourly).toBe(price.price.hourly);
  // Recommended, and left alone.
  const lease = await of.api.call("getLease", { params: { leaseId: of.leaseId } });
  expect(lease.flavor.name).toBe("small");
  // Another tenant's is not there.
  const other = await cloud.customer("1.00");
  const params = { leaseId: of.leaseId };
  await expect(other.api.call("getLeaseRecommendation", { params })).rejects.toMatchObject({
    code: "not_found",
  });
});

test("S-03: within bounds it grows while it runs, after its price was said, and is not restarted", async () => {
  const of = await rented("small", { cpuShare: 0.97, memoryShare: 0.4 });
  await sizeByUse(of);
  await hours(7);
  const machine = (): { readonly powerSince: number; readonly vcpus: number } => {
    const found = present(provider.platform.machine(of.instanceId), "the machine");
    return { powerSince: found.powerSince, vcpus: found.cpu.cores };
  };
  await cloud.until(() => {
    expect(machine().vcpus).toBe(2);
    return Promise.resolve();
  });
  const told = await of.api.call("listNotices", { query: { limit: 50 } });
  const said = told.items.filter(({ kind }) => kind === "lease_resize_announced");
  expect(said).toHaveLength(1);
  expect(said[0]?.text).toMatch(/becomes a medium \(now small\).*\d\.\d\d yuan an hour/);
  const lease = await cloud.until(async () => {
    const found = await of.api.call("getLease", { params: { leaseId: of.leaseId } });
    expect(found).toMatchObject({ state: "running", flavor: { name: "medium" } });
    return found;
  });
  expect(lease.pendingResize).toBe(false);
  expect(lease.instanceId).toBe(of.instanceId);
  const created = present(lease.readyAt, "when it was ready");
  expect(machine().powerSince).toBeLessThanOrEqual(Date.parse(created));
  const events = await of.api.call("listLeaseEvents", { params: { leaseId: of.leaseId } });
  const kinds = events.items.map(({ kind }) => kind);
  expect(kinds.indexOf("resize_announced")).toBeLessThan(kinds.indexOf("resized_by_use"));
  expect(kinds).not.toContain("restarted");
  const { resizedAt } = present((await recommended(of)).automatic, "its rules");
  expect(resizedAt).not.toBeNull();
});

test("S-03: not beyond the price that was set", async () => {
  const cheap = await rented("small", { cpuShare: 0.97, memoryShare: 0.4 });
  const lease = await cheap.api.call("getLease", { params: { leaseId: cheap.leaseId } });
  const set = await sizeByUse(cheap, { hourlyMax: present(lease.price.hourly, "price") });
  expect(set.automatic).toMatchObject({ hourlyMax: lease.price.hourly, cooldownMinutes: 60 });
  await hours(8);
  const found = await recommended(cheap);
  expect(found).toMatchObject({ advice: "grow", recommended: { flavor: "medium" } });
  expect(found.automatic?.next).toMatch(/no flavor .* within the bounds/);
});

test("S-03: what runs is never made smaller; stopped by its customer it is", async () => {
  const of = await rented("large", { cpuShare: 0.02, memoryShare: 0.05 });
  await sizeByUse(of);
  await hours(30);
  const found = await recommended(of);
  expect(found).toMatchObject({ advice: "shrink", current: { flavor: "large" } });
  expect(found.live.can).toBe(false);
  expect(found.automatic?.next).toMatch(/not made smaller/);
  expect(provider.platform.machine(of.instanceId)?.cpu.cores).toBe(4);
  const params = { leaseId: of.leaseId };
  await of.api.call("stopLease", { params, body: { graceSeconds: 0 } });
  await cloud.until(async () => {
    expect((await of.api.call("getLease", { params })).state).toBe("stopped");
  });
  await cloud.until(async () => {
    cloud.advance(5 * minuteMs);
    await size();
    const lease = await of.api.call("getLease", { params });
    expect(lease.flavor.vcpus).toBeLessThan(4);
    // Disks only grow.
    expect(lease).toMatchObject({ state: "stopped", flavor: { diskGiB: 40 } });
  });
});

test("S-03: a quota that stands in the way is said; off is off; a subscription was bought as it is", async () => {
  const of = await rented("small", { cpuShare: 0.97, memoryShare: 0.4 });
  await sizeByUse(of);
  const root = cloud.operator(of);
  await root.call("updateQuota", { body: { vcpus: 1 } });
  await hours(8);
  const { automatic } = await recommended(of);
  expect(automatic?.refusal).toMatchObject({ code: "quota_exceeded" });
  const params = { leaseId: of.leaseId };
  await of.api.call("deleteSizing", { params });
  await root.call("updateQuota", { body: { vcpus: 64 } });
  await hours(2);
  expect((await recommended(of)).automatic).toBeNull();
  expect(provider.platform.machine(of.instanceId)?.cpu.cores).toBe(1);
  await expect(of.api.call("deleteSizing", { params })).rejects.toMatchObject({
    code: "not_found",
  });

  const { rented: subscribed } = orderLife(cloud);
  const subscriber = await subscribed("50000.00");
  const asked = subscriber.api.call("setSizing", {
    params: { leaseId: subscriber.leaseId },
    body: bounds,
  });
  await expect(asked).rejects.toMatchObject({ code: "rule_violation" });
});
