/** A lease that is a copy of another one, through the API on simulated hosts. */
import { expect, test } from "vitest";
import { z } from "zod";

import type { AnswerOf } from "#client/types.ts";
import { clonesAtOnceMax } from "#flow/provision/clone-asks.ts";
import { sql } from "#db/sql.ts";
import { present } from "#kernel/assert.ts";

import { orderCloud, type Customer } from "./order-cloud.ts";

const cloud = await orderCloud("2026-05-04T10:00:00");
const { db, provider } = cloud;
const { platform } = provider;

type Lease = AnswerOf<"getLease">;

const show = ({ api }: Customer, leaseId: string): Promise<Lease> =>
  api.call("getLease", { params: { leaseId } });

function reaches(of: Customer, leaseId: string, state: Lease["state"]): Promise<Lease> {
  return cloud.until(async () => {
    const lease = await show(of, leaseId);
    expect(lease.state).toBe(state);
    return lease;
  });
}

async function running(
  of: Customer,
  name: string,
  more: { diskGiB?: number } = {},
): Promise<Lease> {
  const { lease } = await of.api.call("createLease", { body: { name, flavor: "nano", ...more } });
  return reaches(of, lease.id, "running");
}

/** What is left of clones in our rows and at the platform. */
async function leftovers(of: Customer): Promise<unknown> {
  const rows = await db.rows(
    sql`select state from snapshot where tenant_id = ${of.tenantId} and state <> 'gone'`,
    z.object({ state: z.string() }),
  );
  const there = platform
    .machines()
    .filter(({ spec }) => spec.owner.tenantId === of.tenantId)
    .flatMap(({ snapshots }) => snapshots);
  return { rows, there };
}

const nothingLeft = { rows: [], there: [] };

async function usageOf(instanceId: string | null): Promise<number> {
  const rows = await db.rows(
    sql`select id from usage_interval where instance_id = ${instanceId}`,
    z.object({ id: z.string() }),
  );
  return rows.length;
}

test("a lease is cloned: a machine of its own from the other one's disk, at today's price, and nothing of the copying stays", async () => {
  const of = await cloud.customer("1000.00");
  const web = await running(of, "web", { diskGiB: 30 });
  const before = platform.machine(present(web.instanceId, "machine"));
  const quote = await of.api.call("quote", { body: { flavor: "nano", diskGiB: 30 } });
  const params = { leaseId: web.id };
  const begun = await of.api.call("cloneLease", { params, body: { name: "web-2" } });
  expect(begun).toMatchObject({
    lease: { name: "web-2", plan: "on_demand", price: quote.price, image: "tiny" },
    operation: { kind: "create", state: "running", resourceId: begun.lease.id },
  });
  expect(begun.lease.reason).toMatchObject({ code: "disk_being_copied" });
  expect(begun.lease.flavor).toMatchObject({ name: "nano", diskGiB: 30 });

  const copy = await reaches(of, begun.lease.id, "running");
  expect(copy.reason).toBeNull();
  expect(copy.instanceId).not.toBe(web.instanceId);
  const machine = present(platform.machine(copy.instanceId ?? ""), "the copy");
  expect(machine.spec).toMatchObject({ name: "web-2", owner: { resourceId: copy.id } });
  expect(machine.spec.fromSnapshot).toBeDefined();
  expect(machine.spec.sshKeys).toEqual(before?.spec.sshKeys);
  await cloud.until(async () => {
    expect(await leftovers(of)).toEqual(nothingLeft);
    expect(await usageOf(copy.instanceId)).toBeGreaterThan(0);
  });
  // The other one ran on all the while.
  expect(platform.machine(web.instanceId ?? "")?.powerSince).toBe(before?.powerSince);
  const kinds = async (leaseId: string): Promise<string[]> => {
    const { items } = await of.api.call("listLeaseEvents", { params: { leaseId } });
    return items.map(({ kind }) => kind);
  };
  expect(await kinds(web.id)).toContain("clone");
  expect(await kinds(copy.id)).toContain("clone");
});

test("a stopped lease is cloned, with another flavor, a larger disk and keys of its own", async () => {
  const of = await cloud.customer("1000.00");
  const web = await running(of, "web");
  await of.api.call("stopLease", { params: { leaseId: web.id }, body: { graceSeconds: 0 } });
  await reaches(of, web.id, "stopped");
  const diskGiB = web.flavor.diskGiB + 100;
  const body = { name: "big", flavor: "small", diskGiB, sshKeys: [] };
  const { lease } = await of.api.call("cloneLease", { params: { leaseId: web.id }, body });
  const copy = await reaches(of, lease.id, "running");
  expect(copy.flavor).toMatchObject({ name: "small", diskGiB });
  expect((await show(of, web.id)).state).toBe("stopped");
  await cloud.until(async () => expect(await leftovers(of)).toEqual(nothingLeft));
});

test("the same key asks for one copy, however often it is asked", async () => {
  const of = await cloud.customer("1000.00");
  const web = await running(of, "web");
  const ask = () =>
    fetch(`${cloud.url}/v1/leases/${web.id}/clone`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${of.secret}`,
        "content-type": "application/json",
        "idempotency-key": "one-copy",
      },
      body: JSON.stringify({ name: "web-2" }),
    }).then(async (answer) =>
      z.object({ lease: z.object({ id: z.string() }) }).parse(await answer.json()),
    );
  const [first, second] = [await ask(), await ask()];
  expect(second).toEqual(first);
  await reaches(of, first.lease.id, "running");
  const { items } = await of.api.call("listLeases", { query: {} });
  expect(items.map(({ name }) => name).toSorted()).toEqual(["web", "web-2"]);
});

async function refused(
  ask: Promise<unknown>,
  failure: { code: string; message?: unknown },
): Promise<void> {
  await expect(ask).rejects.toMatchObject(failure);
}

test("what cannot be copied is refused with the reason, and leaves nothing", async () => {
  const of = await cloud.customer("1000.00");
  const web = await running(of, "web", { diskGiB: 30 });
  const params = { leaseId: web.id };
  // Another customer's is not there.
  const other = await cloud.customer("1000.00");
  await refused(other.api.call("cloneLease", { params, body: { name: "mine" } }), {
    code: "not_found",
  });
  await refused(of.api.call("cloneLease", { params, body: { name: "web" } }), {
    code: "conflict",
  });
  const smaller = { name: "small-disk", diskGiB: 1 };
  await refused(of.api.call("cloneLease", { params, body: smaller }), { code: "rule_violation" });
  // Admitted as any new lease: by quota and credit.
  const root = cloud.operator(of);
  await root.call("updateQuota", { body: { leases: 1 } });
  await refused(of.api.call("cloneLease", { params, body: { name: "web-2" } }), {
    code: "quota_exceeded",
  });
  await root.call("updateQuota", { body: { leases: 20 } });
  const poor = await cloud.customer("2.00");
  const theirs = await running(poor, "web");
  const dear = { name: "dear", flavor: "a100.1" };
  await refused(poor.api.call("cloneLease", { params: { leaseId: theirs.id }, body: dear }), {
    code: "insufficient_credit",
  });
  expect(await leftovers(of)).toEqual(nothingLeft);
  expect(await leftovers(poor)).toEqual(nothingLeft);

  await of.api.call("releaseLease", { params });
  await refused(of.api.call("cloneLease", { params, body: { name: "late" } }), {
    code: "wrong_state",
  });
});

test("a lease is not released while its disk is being copied, nor the snapshot removed; a copy that is given up lets go of it", async () => {
  const of = await cloud.customer("1000.00");
  const web = await running(of, "web");
  const params = { leaseId: web.id };
  // Nobody has room for the copies, so they wait.
  await db.execute(sql`update host set schedulable = false`);
  const copies: string[] = [];
  for (let count = 0; count < clonesAtOnceMax; count += 1) {
    const body = { name: `copy-${count}` };
    const { lease } = await of.api.call("cloneLease", { params, body });
    copies.push(lease.id);
  }
  const more = of.api.call("cloneLease", { params, body: { name: "one-more" } });
  await expect(more).rejects.toMatchObject({ code: "wrong_state" });
  await expect(of.api.call("releaseLease", { params })).rejects.toMatchObject({
    code: "wrong_state",
    message: expect.stringContaining("copy-0"),
  });
  const [snapshot] = await cloud.until(async () => {
    const { items } = await of.api.call("listSnapshots", { params });
    expect(items.map(({ state }) => state)).toEqual(copies.map(() => "ready"));
    return items;
  });
  const snapshotId = present(snapshot, "a snapshot").id;
  await expect(
    of.api.call("deleteSnapshot", { params: { ...params, snapshotId } }),
  ).rejects.toMatchObject({ code: "wrong_state" });
  for (const leaseId of copies) await of.api.call("releaseLease", { params: { leaseId } });
  await cloud.until(async () => expect(await leftovers(of)).toEqual(nothingLeft));
  await db.execute(sql`update host set schedulable = true`);
  await of.api.call("releaseLease", { params });
  await reaches(of, web.id, "released");
});

test("a copy whose snapshot fails ends with the reason, and is not billed", async () => {
  const of = await cloud.customer("1000.00");
  const web = await running(of, "web");
  platform.faults.failNext("snapshot", { code: "refused", effect: "none" });
  const params = { leaseId: web.id };
  const { lease, operation } = await of.api.call("cloneLease", { params, body: { name: "copy" } });
  const ended = await reaches(of, lease.id, "failed");
  expect(ended.reason).toMatchObject({ code: "clone_failed" });
  expect(ended.reason?.message).toContain("The disk of web could not be copied");
  const told = await of.api.call("getOperation", { params: { operationId: operation.id } });
  expect(told).toMatchObject({ state: "failed", reason: { code: "clone_failed" } });
  expect(await usageOf(ended.instanceId)).toBe(0);
  await cloud.until(async () => expect(await leftovers(of)).toEqual(nothingLeft));
  expect((await of.api.call("getBalance")).held).toBe((await show(of, web.id)).price.hourly);
});
