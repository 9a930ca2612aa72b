/** What a platform says of a machine reaches its lease, once, and goes when it is mended. */
import { expect, test, vi } from "vitest";

import { present } from "#kernel/assert.ts";
import type { Machine, Remark } from "#providers/provider.ts";
import { openSimulated } from "#providers/simulated/provider.ts";
import { accepted, fresh, leaseView, now, running } from "#test/lease-view.ts";
import { testDatabase } from "#test/database.ts";
import { addTenant, lease, rent, startStages, stateOf } from "#test/sim/cloud.ts";

import { decide } from "./decide.ts";
import { leaseEvents } from "./events.ts";
import { findInstance, type InstanceRow } from "./instance-rows.ts";
import { findLease, reasonOf } from "./lease-view.ts";
import { remarksOf } from "./remarks.ts";
import { applyStep } from "./store.ts";
import type { Step } from "./view.ts";

const noRoom: Remark = {
  code: "no_room",
  message: "None of 4 nodes can take the machine: 4 have too little cpu left.",
  advice: "It starts once a machine ends that holds it; add nodes to wait no longer.",
  who: "operator",
  details: { nodes: 4 },
};
const restart: Remark = {
  code: "restart_required",
  message: "A change of the machine is stored and takes effect when it is started again.",
  advice: "Restart it when it suits you.",
  who: "customer",
};
const copying: Remark = {
  code: "disk_in_the_making",
  message: "Disk root is being made from its image (42.00%).",
  advice: "The machine starts when it is done.",
  who: "nobody",
};

test("what is new is kept and told; what is known already is neither told nor called a change", () => {
  const machine: Machine = { ...accepted, waiting: noRoom };
  const first = decide(leaseView({ ...fresh, machine }));
  expect(first.patch).toMatchObject({ waiting: noRoom, notes: [] });
  expect(first.events).toMatchObject([
    { kind: "waiting", message: noRoom.message, details: { code: "no_room", who: "operator" } },
  ]);
  const instance = { ...fresh.instance, waiting: noRoom };
  expect(decide(leaseView({ ...fresh, machine, instance })).events).toEqual([]);
  const over = decide(leaseView({ machine: running, instance: { waiting: noRoom } }));
  expect(over.patch.waiting).toBeNull();
});

test("a note is told if somebody has to act upon it, once", () => {
  const notes = [restart, { ...copying, code: "moving" }];
  const first = decide(leaseView({ machine: { ...running, notes } }));
  expect(first.patch.notes).toEqual(notes);
  expect(first.events).toMatchObject([{ kind: "note", details: { code: "restart_required" } }]);
  const again = leaseView({ machine: { ...running, notes }, instance: { notes } });
  expect(decide(again).events).toEqual([]);
});

test("a platform's words are bounded, and what cannot be kept is left out", () => {
  const long = { ...noRoom, message: "x".repeat(5000), details: { said: "y".repeat(5000) } };
  const notes = Array.from({ length: 100 }, () => restart);
  const seen = remarksOf({ ...running, waiting: long, notes });
  expect(seen.waiting?.message).toHaveLength(1000);
  expect(seen.waiting).not.toHaveProperty("details");
  expect(seen.notes).toHaveLength(10);
  const odd = remarksOf({ ...running, waiting: { ...noRoom, details: { a: undefined, b: 1 } } });
  expect(odd.waiting?.details).toStrictEqual({ b: 1 });
});

const hour = 60 * 60_000;

test("what goes by itself is waited for; what does not is given up with the cause", () => {
  const since = { ...fresh.instance, stateSince: now - hour };
  const waits = (waiting: Remark): Step =>
    decide(leaseView({ ...fresh, instance: since, machine: { ...accepted, waiting } }));
  expect(waits(copying)).toMatchObject({ state: "creating" });
  expect(waits(noRoom)).toMatchObject({
    state: "deleting",
    patch: {
      reason: {
        code: "guest_not_ready",
        message: expect.stringContaining(noRoom.message),
        details: { waitedFor: "no_room", who: "operator", advice: noRoom.advice },
      },
    },
  });
});

test("a guest has its time to boot after what went by itself is over", () => {
  const since = { ...fresh.instance, stateSince: now - hour };
  const over = decide(
    leaseView({ ...fresh, instance: { ...since, waiting: copying }, machine: accepted }),
  );
  expect(over).toMatchObject({
    state: "creating",
    patch: { waiting: null, waitedUntil: now },
  });
  const boots = (waitedUntil: number): Step =>
    decide(leaseView({ ...fresh, instance: { ...since, waitedUntil }, machine: accepted }));
  expect(boots(now - 10 * 60_000).state).toBe("creating");
  expect(boots(now - 16 * 60_000)).toMatchObject({
    state: "deleting",
    patch: { reason: { message: expect.stringContaining("within 60 minutes") } },
  });
  // Not for ever.
  const waits = { ...accepted, waiting: copying };
  const long = { ...fresh.instance, stateSince: now - 5 * hour };
  expect(decide(leaseView({ ...fresh, instance: long, machine: waits })).state).toBe("deleting");
});

const gib = 2 ** 30;
const { db, observer } = await testDatabase();
const provider = openSimulated({
  site: "simulated",
  hosts: [{ id: "h", cpus: 8, memoryBytes: 8 * gib, diskBytes: 9 * gib, gpus: [], labels: {} }],
  latencies: { createMs: 1, bootMs: 1 },
});
const tenant = await addTenant(db, "acme");

async function rowOf(leaseId: string): Promise<InstanceRow> {
  const { instance_id: id } = await stateOf(db, leaseId);
  return present(await findInstance(db, "simulated", present(id, "an instance")), "its row");
}

test("the lease shows it in words until it is over, and its events tell it once a minute at most", async () => {
  const stages = startStages({ db, observer, provider });
  const leaseId = await rent(db, lease(tenant, { name: "waits" }));
  await vi.waitFor(
    async () => expect(await stateOf(db, leaseId)).toMatchObject({ state: "running" }),
    { timeout: 30_000, interval: 10 },
  );
  await stages.stop();

  const at = Date.now();
  const see = async (remarks: Pick<Machine, "waiting" | "notes">, atMs: number): Promise<void> => {
    const row = await rowOf(leaseId);
    const machine = { ...running, power: { value: "unknown", at: atMs } as const, ...remarks };
    const view = leaseView({ machine, instance: { waiting: row.waiting, notes: row.notes } });
    const step = { ...decide({ ...view, now: atMs }), state: row.state, transitions: [] };
    expect(await db.transaction((tx) => applyStep(tx, row, step, atMs))).toBe(true);
  };
  const shown = async () =>
    present(
      await findLease(db, { tenantId: tenant.tenantId, id: leaseId, at: Date.now() }),
      "the lease",
    );

  await see({ waiting: noRoom, notes: [restart] }, at);
  const waits = await shown();
  expect(reasonOf(waits)).toMatchObject({
    code: "no_room",
    message: noRoom.message,
    details: { nodes: 4, advice: noRoom.advice, who: "operator" },
  });
  expect(waits.notes).toEqual([restart]);

  await see({}, at + 1000);
  expect(reasonOf(await shown())).toBeNull();
  await see({ waiting: noRoom }, at + 2000);
  await see({}, at + 3000);
  await see({ waiting: noRoom }, at + 62_000);

  const of = { tenantId: tenant.tenantId, requestId: leaseId };
  const events = await leaseEvents(db, of, { after: undefined, limit: 100 });
  const told = events.filter(({ kind }) => kind === "waiting" || kind === "note");
  expect(told.map((event) => [event.kind, event.at - at])).toEqual([
    ["waiting", 0],
    ["note", 0],
    ["waiting", 62_000],
  ]);
});
