/** Groups that grow and shrink, through the API on simulated hosts: money, names, losses, refusals. */
import { expect, test } from "vitest";
import { z } from "zod";

import type { AnswerOf } from "#client/types.ts";
import { sql } from "#db/sql.ts";
import { groupLoop } from "#groups/loop.ts";
import { groupHoldings } from "#groups/rows.ts";
import { present } from "#kernel/assert.ts";
import { decorate } from "#providers/decorate.ts";
import type { Load } from "#providers/simulated/loads.ts";
import { lookLoop } from "#sizing/look-loop.ts";

import { orderCloud, type Customer } from "./order-cloud.ts";

type Group = AnswerOf<"getGroup">;

const minuteMs = 60_000;
const cloud = await orderCloud("2026-05-04T10:00:00");
const { db, provider, observer, now } = cloud;
const { signal } = new AbortController();
const looks = lookLoop({ db, provider: decorate(provider), observer, now });
const tends = groupLoop({ db, now });

interface Owned extends Customer {
  readonly groupId: string;
}

function show({ api, groupId }: Owned): Promise<Group> {
  return api.call("getGroup", { params: { groupId } });
}

/** A minute goes by; what is used is looked at, and the groups are tended. */
async function minute(): Promise<void> {
  cloud.advance(minuteMs);
  await looks.pass(signal);
  await tends.pass(signal);
}

/** Minutes go by until what is said holds. */
function until<T>(check: () => Promise<T>): Promise<T> {
  return cloud.until(async () => {
    await minute();
    return check();
  });
}

async function made(
  change: Partial<{ [Name in "min" | "max" | "wanted"]: number }> & {
    readonly name: string;
    readonly targets?: { signal: "cpu" | "memory" | "gpu" | "sessions"; value: number }[];
    readonly flavor?: string;
  },
  of?: Customer,
): Promise<Owned> {
  const customer = of ?? (await cloud.customer("1000.00"));
  const body = { flavor: "nano", max: 6, ...change };
  const { id } = await customer.api.call("createGroup", { body });
  return { ...customer, groupId: id };
}

async function runs(of: Owned, count: number): Promise<Group> {
  return until(async () => {
    const group = await show(of);
    const { wanted, running, members } = group;
    expect({ wanted, running, members: members.length }).toEqual({
      wanted: count,
      running: count,
      members: count,
    });
    return group;
  });
}

async function load({ api }: Customer, group: Group, all: Partial<Load>): Promise<void> {
  for (const { leaseId } of group.members) {
    const { instanceId } = await api.call("getLease", { params: { leaseId } });
    if (instanceId !== null) provider.platform.setLoad(instanceId, all);
  }
}

async function kinds({ api, groupId }: Owned): Promise<string[]> {
  const found = await api.call("listGroupEvents", { params: { groupId }, query: { limit: 200 } });
  return found.items.map(({ kind }) => kind).toReversed();
}

test("S-02: a group grows by its CPU, shrinks by it, and each member is a lease on the bill", async () => {
  const of = await made({ name: "web", min: 2, targets: [{ signal: "cpu", value: 50 }] });
  const before = await runs(of, 2);
  expect(before.members.map(({ name }) => name)).toEqual(["web-0", "web-1"]);
  const leases = await of.api.call("listLeases");
  expect(leases.items.map(({ name }) => name).toSorted()).toEqual(["web-0", "web-1"]);
  const [first] = leases.items;
  expect(before.price.each).toBe(first?.price.hourly);
  expect(Number(before.price.now)).toBeCloseTo(2 * Number(before.price.each), 2);

  await load(of, before, { cpuShare: 0.9 });
  const grown = await until(async () => {
    const group = await show(of);
    expect(group.running).toBeGreaterThanOrEqual(4);
    return group;
  });
  expect(grown.targets).toMatchObject([{ signal: "cpu", value: 50 }]);
  const events = await of.api.call("listGroupEvents", { params: { groupId: of.groupId } });
  const out = present(
    events.items.find(({ kind }) => kind === "scaled_out"),
    "why it grew",
  );
  expect(out.message).toMatch(/From 2 to \d: cpu is (?:8|9)\d\.\d on average, 50 is wanted/);

  await load(of, await show(of), { cpuShare: 0.01 });
  const shrunk = await until(async () => {
    const group = await show(of);
    await load(of, group, { cpuShare: 0.01 });
    expect(group).toMatchObject({ wanted: 2, running: 2, state: "steady" });
    return group;
  });
  // The highest numbers went; those who stayed are the same as before.
  expect(shrunk.members).toMatchObject(
    before.members.map(({ name, leaseId }) => ({ name, leaseId })),
  );
  const spans = await db.rows(
    sql`select count(*)::int as count from usage_interval u
      where u.tenant_id = ${of.tenantId} and u.sku = 'cpu.core'`,
    z.object({ count: z.int() }),
  );
  expect(spans[0]?.count).toBeGreaterThanOrEqual(4);
});

test("S-02: a member that is lost is replaced under its own name, one that is let go is not", async () => {
  const of = await made({ name: "db", min: 3 });
  const before = await runs(of, 3);
  const middle = present(before.members[1], "db-1");
  await of.api.call("releaseLease", { params: { leaseId: middle.leaseId } });
  cloud.advance(10 * minuteMs);
  const after = await until(async () => {
    const group = await show(of);
    const again = group.members.find(({ ordinal }) => ordinal === 1);
    expect(again?.leaseId).not.toBe(middle.leaseId);
    expect(group).toMatchObject({ running: 3, state: "steady" });
    return group;
  });
  expect(after.members.map(({ name }) => name)).toEqual(["db-0", "db-1", "db-2"]);
  expect(await kinds(of)).toContain("member_lost");

  await of.api.call("updateGroup", {
    params: { groupId: of.groupId },
    body: { min: 1, wanted: 1 },
  });
  const one = await runs(of, 1);
  expect(one.members).toMatchObject([{ name: "db-0", leaseId: before.members[0]?.leaseId }]);
  expect((await kinds(of)).filter((kind) => kind === "member_lost")).toHaveLength(1);
});

test("S-02: what a quota or a balance refuses is told in the group's state, and tried again", async () => {
  const of = await made({ name: "big", min: 1, wanted: 4, max: 4 });
  const root = cloud.operator(of);
  const { limits } = await root.call("getQuota");
  await root.call("updateQuota", { body: { leases: 2 } });
  const refused = await until(async () => {
    const group = await show(of);
    expect(group).toMatchObject({ state: "refused", running: 2, wanted: 4 });
    return group;
  });
  expect(refused.reason).toMatchObject({ code: "quota_exceeded" });
  expect(refused.reason?.message).toMatch(/leases 2 used \+ 1 asked > 2/);
  await minute();
  await minute();
  // Said once, however often it is tried.
  expect((await kinds(of)).filter((kind) => kind === "refused")).toHaveLength(1);
  const told = await of.api.call("listNotices", { query: { limit: 50 } });
  expect(told.items.filter(({ kind }) => kind === "group_refused")).toHaveLength(1);
  await root.call("updateQuota", { body: { leases: limits.leases } });
  expect(await runs(of, 4)).toMatchObject({ reason: null });

  const poor = await made({ name: "poor", wanted: 1 }, await cloud.customer("0.01"));
  await until(async () => {
    expect((await show(poor)).reason).toMatchObject({ code: "insufficient_credit" });
  });
  await cloud.topUp(poor, "100.00");
  await runs(poor, 1);
});

test("S-02: bad asks are refused at once, and another tenant's group is not there", async () => {
  const { api } = await cloud.customer("1000.00");
  const bad = async (change: object, code: string): Promise<void> => {
    const body = { name: "bad", flavor: "nano", max: 2, ...change };
    await expect(api.call("createGroup", { body })).rejects.toMatchObject({ code });
  };
  await bad({ min: 3 }, "invalid_request");
  await bad({ wanted: 3 }, "invalid_request");
  await bad({ max: 0 }, "invalid_request");
  await bad({ targets: [{ signal: "cpu", value: 101 }] }, "invalid_request");
  const twice = { signal: "cpu", value: 50 };
  await bad({ targets: [twice, twice] }, "invalid_request");
  await bad({ flavor: "none-such" }, "rule_violation");
  await bad({ flavor: "h100.1" }, "unplaceable");
  const of = await made({ name: "same" });
  const { projectId } = await show(of);
  // A project with a group in it is not removed, also while the group is empty.
  expect(await groupHoldings(db, { tenantId: of.tenantId, projectId })).toEqual([
    { kind: "groups", count: 1 },
  ]);
  await expect(made({ name: "same" }, of)).rejects.toMatchObject({ code: "conflict" });
  const params = { groupId: of.groupId };
  await expect(api.call("getGroup", { params })).rejects.toMatchObject({ code: "not_found" });
  const body = { wanted: 7 };
  await expect(of.api.call("updateGroup", { params, body })).rejects.toMatchObject({
    code: "rule_violation",
  });
  await of.api.call("deleteGroup", { params });
});

test("S-02: ended, all members are released and none comes back; its name is free again", async () => {
  const of = await made({ name: "gone", min: 2 });
  await runs(of, 2);
  const params = { groupId: of.groupId };
  expect((await of.api.call("deleteGroup", { params })).state).toBe("deleting");
  await until(async () => {
    const { items } = await of.api.call("listLeases");
    expect(items.map(({ state }) => state)).toEqual(["released", "released"]);
  });
  expect(await show(of)).toMatchObject({ state: "deleted" });
  expect((await of.api.call("listGroups")).items).toEqual([]);
  await expect(of.api.call("deleteGroup", { params })).rejects.toMatchObject({
    code: "wrong_state",
  });
  const again = await made({ name: "gone" }, of);
  await runs(again, 1);
});

test("S-02: two processes that tend the same groups make each member once", async () => {
  const of = await made({ name: "twice", wanted: 5 });
  await Promise.all([tends.pass(signal), tends.pass(signal), tends.pass(signal)]);
  const group = await runs(of, 5);
  expect(group.members.map(({ ordinal }) => ordinal)).toEqual([0, 1, 2, 3, 4]);
  const { items } = await of.api.call("listLeases");
  expect(items).toHaveLength(5);
});
