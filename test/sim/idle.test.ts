/** Leases that nobody uses, through the API on simulated hosts: to the release, and back from it. */
import { expect, test } from "vitest";

import { sql } from "#db/sql.ts";
import { consoleOpen } from "#idle/store.ts";
import { present } from "#kernel/assert.ts";

import { idleLife, type Tenancy } from "./idle-life.ts";
import { orderCloud } from "./order-cloud.ts";
import { orderLife } from "./order-life.ts";

const cloud = await orderCloud("2026-05-04T10:00:00");
const { provider } = cloud;
const { platform } = provider;
const { idleness, leftAlone, load, look, minutes, show, snapshots, told, until } = idleLife(cloud);
const root = cloud.operator(await cloud.customer("1.00"));

const rules = { windowHours: 2, warningHours: 1, keepDays: 3 } as const;
const setRules = (more: { exemptions?: "allowed" | "refused" } = {}) =>
  root.call("setIdlePolicy", { params: { scope: "default" }, body: { ...rules, ...more } });

async function stateIs(of: Tenancy, state: string): Promise<void> {
  expect(await idleness(of)).toMatchObject({ state });
}

async function warned(): Promise<Tenancy> {
  const of = await leftAlone();
  await minutes(125);
  await stateIs(of, "warned");
  return of;
}

test("M-VM-04: without the operator's rules nothing is looked at", async () => {
  const of = await leftAlone();
  await minutes(300);
  expect(await idleness(of)).toMatchObject({ state: "off", signals: [] });
  expect(await told(of)).toEqual([]);
  load(of, { cpuShare: 0.5 });
});

test("M-VM-04: warned, kept as a snapshot, released, reported, and restored", async () => {
  await setRules();
  const of = await leftAlone({ name: "forgotten" });
  await minutes(60);
  const before = await idleness(of);
  expect(before).toMatchObject({ state: "active", windowHours: 2, releaseAt: null });
  expect(before.signals.map(({ signal }) => signal)).toEqual(["cpu", "network", "sessions"]);
  expect(Date.parse(present(before.warnAt, "when")) - Date.parse(before.idleSince ?? "")).toBe(
    2 * 3_600_000,
  );
  await minutes(65);
  const warning = await idleness(of);
  expect(warning).toMatchObject({ state: "warned", idleSince: before.idleSince });
  expect(await told(of)).toEqual(["idle_warned"]);
  expect(platform.machine(of.instanceId)?.power).toBe("running");

  await minutes(45);
  expect((await show(of)).state).toBe("running");
  await minutes(20);
  const lease = await until(async () => {
    const found = await show(of);
    expect(found.state).toBe("released");
    return found;
  });
  expect(lease.reason).toMatchObject({ code: "idle_released" });
  expect(Date.parse(lease.releasedAt ?? "")).toBeGreaterThanOrEqual(
    Date.parse(warning.releaseAt ?? ""),
  );
  expect(platform.machine(of.instanceId)).toBeUndefined();
  await stateIs(of, "released");
  expect(await told(of)).toEqual(["idle_warned", "idle_released"]);
  const [kept, ...others] = await snapshots(of);
  expect(others).toEqual([]);
  expect(kept).toMatchObject({ state: "ready", withMemory: false });
  const snapshotId = present(kept, "the snapshot").id;

  // Another tenant's is not there.
  const other = await cloud.customer("1000.00");
  const params = { snapshotId };
  await expect(other.api.call("restoreSnapshot", { params, body: {} })).rejects.toMatchObject({
    code: "not_found",
  });
  const restored = await of.api.call("restoreSnapshot", { params, body: {} });
  expect(restored.lease).toMatchObject({ name: "forgotten", plan: "on_demand" });
  const again = await cloud.until(async () => {
    const found = await of.api.call("getLease", { params: { leaseId: restored.lease.id } });
    expect(found.state).toBe("running");
    return found;
  });
  const machine = platform.machine(present(again.instanceId, "machine"));
  expect(machine?.spec.fromSnapshot).toBe(snapshotId);
  load({ ...of, instanceId: again.instanceId ?? "" }, { sessions: 1 });

  const report = await root.call("getIdleReport", { query: {} });
  expect(report).toMatchObject({ month: "2026-05", warned: 1, released: 1, restored: 1 });
  const [release] = report.releases;
  const hourly = Number(present(release?.hourly, "price"));
  const hours = Number(report.hoursSaved);
  expect(hours).toBeGreaterThan(0);
  // Only until it was restored; to the cent, both are rounded.
  expect(Math.abs(Number(report.moneySaved) - hours * hourly)).toBeLessThan(0.01 + 0.005 * hourly);
  expect(release).toMatchObject({ name: "forgotten", flavor: "nano" });
  expect(report.reversals).toMatchObject([{ kind: "restored", name: "forgotten" }]);

  // The snapshot goes when its time is over, not before; then it cannot be restored any more.
  cloud.advance(2.5 * 86_400_000);
  await look();
  expect(await snapshots(of)).toHaveLength(1);
  cloud.advance(86_400_000);
  await look();
  expect(await snapshots(of)).toEqual([]);
  const late = of.api.call("restoreSnapshot", { params, body: { name: "late" } });
  await expect(late).rejects.toMatchObject({ code: "not_found" });
});

test("M-VM-04: whatever moves after the warning takes it back", async () => {
  await setRules();
  const moves: readonly ((of: Tenancy) => Promise<void> | void)[] = [
    (of) => load(of, { cpuShare: 0.2 }),
    (of) => load(of, { networkBytesPerSecond: 5_000 }),
    (of) => load(of, { sessions: 1 }),
    // Nobody can see it: it counts as active.
    (of) => load(of, { sessions: null }),
    ({ tenantId, leaseId: requestId }) =>
      consoleOpen(cloud.db, { tenantId, requestId, at: cloud.now() }),
  ];
  for (const move of moves) {
    const of = await warned();
    await move(of);
    await minutes(10);
    await stateIs(of, "active");
    await minutes(60);
    expect((await show(of)).state).toBe("running");
    expect(await snapshots(of)).toEqual([]);
    // It is used from now on, so that it does not disturb the next.
    load(of, { cpuShare: 0.5 });
  }
  const report = await root.call("getIdleReport", { query: {} });
  expect(report.usedAgain).toBeGreaterThanOrEqual(moves.length);
  const whys = new Set(report.reversals.map(({ note }) => note));
  expect(whys).toContain("somebody logged in");
  expect(whys).toContain("nobody can see its sessions, which counts as active");
  expect(whys).toContain("its console was opened");
});

test("M-VM-04: a site that says nothing for a while leaves its leases as they are", async () => {
  await setRules();
  const of = await warned();
  platform.faults.failNext("read", { code: "unavailable", effect: "none" });
  await minutes(5);
  expect(await idleness(of)).toMatchObject({ state: "active" });
  load(of, { cpuShare: 0.5 });
});

test("M-VM-04: a tenant keeps a lease once, or for good where the operator allows it", async () => {
  await setRules();
  const of = await warned();
  const { api, leaseId } = of;
  const params = { leaseId };
  await expect(api.call("keepLease", { params, body: { keep: "always" } })).rejects.toMatchObject({
    code: "rule_violation",
  });
  expect(await api.call("keepLease", { params, body: {} })).toMatchObject({ state: "active" });
  // One window from now on, then it is warned of again.
  await minutes(110);
  await stateIs(of, "active");
  await minutes(15);
  await stateIs(of, "warned");
  expect(await told(of)).toEqual(["idle_warned", "idle_warned"]);

  await setRules({ exemptions: "allowed" });
  await api.call("keepLease", { params, body: { keep: "always" } });
  await minutes(300);
  await stateIs(of, "exempt");
  expect((await show(of)).state).toBe("running");
  await api.call("keepLease", { params, body: { keep: "as_usual" } });
  await minutes(5);
  await stateIs(of, "active");
  const { reversals } = await root.call("getIdleReport", { query: {} });
  const kinds = reversals.filter((each) => each.leaseId === leaseId).map(({ kind }) => kind);
  expect(kinds).toEqual(["kept", "exempted"]);
  load(of, { cpuShare: 0.5 });
});

test("M-VM-04: a lease that is stopped holds only its disk: it is not idle", async () => {
  await setRules();
  const of = await warned();
  const params = { leaseId: of.leaseId };
  await of.api.call("stopLease", { params, body: { graceSeconds: 0 } });
  await cloud.until(async () => {
    expect((await show(of)).state).toBe("stopped");
  });
  await minutes(300);
  await stateIs(of, "not_running");
  expect((await show(of)).state).toBe("stopped");
});

test("M-VM-04: what has begun is taken back when the operator takes the rules away", async () => {
  await setRules();
  const of = await warned();
  await root.call("deleteIdlePolicy", { params: { scope: "default" } });
  await minutes(120);
  await stateIs(of, "off");
  expect((await show(of)).state).toBe("running");
  expect(await snapshots(of)).toEqual([]);
});

test("M-VM-04, A-16: a paid subscription is never released for idleness", async () => {
  await setRules();
  const { rented } = orderLife(cloud);
  const subscriber = await rented("50000.00");
  const lease = await subscriber.api.call("getLease", { params: { leaseId: subscriber.leaseId } });
  const of = { ...subscriber, instanceId: present(lease.instanceId, "the machine") };
  load(of, { cpuShare: 0, networkBytesPerSecond: 0, gpuShare: 0, sessions: 0 });
  await minutes(600);
  expect(await idleness(of)).toMatchObject({ state: "subscription", signals: [] });
  expect((await show(of)).state).toBe("running");
  expect(await told(of)).not.toContain("idle_warned");
  const keep = of.api.call("keepLease", { params: { leaseId: of.leaseId }, body: {} });
  await expect(keep).rejects.toMatchObject({ code: "wrong_state" });
});

test("M-VM-04: rules of a flavor come before those of all others", async () => {
  await setRules();
  await root.call("setIdlePolicy", {
    params: { scope: "nano" },
    body: { windowHours: 24 },
  });
  const of = await leftAlone();
  await minutes(200);
  expect(await idleness(of)).toMatchObject({ state: "active", windowHours: 24 });
  const { items } = await root.call("listIdlePolicies");
  expect(items.map(({ scope }) => scope).toSorted()).toEqual(["default", "nano"]);
  await root.call("deleteIdlePolicy", { params: { scope: "nano" } });
});

test("M-VM-04, R-POOL-03: rules of a pool hold for what runs on its hosts, after those of a flavor", async () => {
  await setRules();
  const inPool = { params: { scope: "pool:general" }, body: { windowHours: 12 } };
  await expect(root.call("setIdlePolicy", inPool)).rejects.toMatchObject({ code: "not_found" });
  await root.call("createPool", { body: { name: "general" } });
  const of = await leftAlone();
  await root.call("setIdlePolicy", inPool);
  await minutes(8);
  expect(await idleness(of)).toMatchObject({ windowHours: 2 });
  await cloud.db.execute(
    sql`update host set pool_id = (select id from pool where name = 'general')`,
  );
  expect(await idleness(of)).toMatchObject({ windowHours: 12 });
  await minutes(200);
  expect(await idleness(of)).toMatchObject({ state: "active", windowHours: 12 });
  await root.call("setIdlePolicy", { params: { scope: "nano" }, body: { windowHours: 24 } });
  expect(await idleness(of)).toMatchObject({ windowHours: 24 });
  await root.call("deleteIdlePolicy", { params: { scope: "nano" } });
  await root.call("deleteIdlePolicy", { params: { scope: "pool:general" } });
  // Of the rules of all others it has been idle for long.
  await minutes(8);
  await stateIs(of, "warned");
  await cloud.db.execute(sql`update host set pool_id = null`);
});
