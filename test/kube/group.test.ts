/**
 * A group on a cluster, in the program as it is: it grows and shrinks by what its machines use, one that
 * somebody deletes comes back, and a cluster that is full says so. And machines that a cluster's own means
 * make in our namespaces, past us: they are told of, never billed, never touched.
 */
import { afterAll, expect, test, vi } from "vitest";

import type { Client } from "#client/client.ts";
import type { AnswerOf } from "#client/types.ts";
import { groupChannel } from "#groups/loop.ts";
import { present } from "#kernel/assert.ts";
import { createObserver } from "#observe/observer.ts";
import { decorate } from "#providers/decorate.ts";
import { labelKeys } from "#providers/kubevirt/compile/labels.ts";
import { KubevirtProvider } from "#providers/kubevirt/driver/provider.ts";
import { kinds } from "#providers/kubevirt/objects/kinds.ts";
import { lookLoop } from "#sizing/look-loop.ts";

import { installAgents } from "./agents.ts";
import type { Document } from "./api/document.ts";
import { listAt, objectAt, textAt } from "./api/json.ts";
import { isBusy } from "./api/metrics.ts";
import { remove } from "./api/removal.ts";
import { startClusterCloud } from "./cloud.ts";
import { a100 } from "./driver-cluster.ts";

import { agentSince } from "./true-runs.ts";

const minuteMs = 60_000;
const waiting = { timeout: 120_000, interval: 100 };
const byHand = { manager: "kubectl", validation: "Ignore" } as const;
const cloud = await startClusterCloud({
  settings: { gpus: { [a100]: { model: "A100", memoryGib: 80 } } },
  prepare: ({ server }) => installAgents(server),
});
const { cluster, db } = cloud;
const { objects } = cluster.server;
const operator = (): Client => cloud.client(cloud.operatorKey);

/** A second process that looks at what is used, because the program does so every minute only. */
const reader = new KubevirtProvider({
  settings: cluster.settings,
  cluster: cluster.server.cluster(),
  now: () => cloud.now(),
  writes: false,
});
afterAll(() => reader.close());
const looks = lookLoop({
  db,
  provider: decorate(reader),
  observer: createObserver({ level: "silent" }),
  now: () => cloud.now(),
});

/** The program looks at once, where it would after seconds. */
function nudged(channel: string): Promise<void> {
  return db.transaction((tx) => {
    tx.nudge(channel);
    return Promise.resolve();
  });
}

/** Of each run, by the cluster's own clock: when its guest answered, and when it ended or went. */
const runs = new Map<string, { name: string; readyAt?: number; endedAt?: number }>();
objects.store.listen(({ kind, before, after }) => {
  const seen = after ?? before;
  if (kind !== kinds.machineInstance || seen === undefined) return;
  const { uid, name, deletionTimestamp } = seen.metadata;
  const run = runs.get(uid) ?? { name };
  runs.set(uid, run);
  const ready = agentSince(seen);
  if (ready !== undefined) run.readyAt ??= ready;
  for (const each of listAt(seen, "status", "phaseTransitionTimestamps")) {
    if (!["Succeeded", "Failed"].includes(textAt(each, "phase"))) continue;
    run.endedAt ??= Date.parse(textAt(each, "phaseTransitionTimestamp"));
  }
  if (after === undefined) run.endedAt ??= Date.parse(deletionTimestamp ?? objects.now());
});

function second(time: number): number {
  return Math.floor(time / 1000);
}

function total(spans: readonly { readonly from: number; readonly until: number }[]): number {
  return spans.reduce((sum, { from, until }) => sum + until - from, 0);
}

interface Customer {
  readonly tenantId: string;
  readonly api: Client;
}

async function customer(name: string): Promise<Customer> {
  await vi.waitFor(async () => {
    expect((await operator().call("listHosts")).items).toHaveLength(2);
  }, waiting);
  const { tenant, administrator } = await operator().call("createTenant", { body: { name } });
  const forHim = cloud.client(cloud.operatorKey, tenant.id);
  await forHim.call("createTopUp", { body: { amount: "10000", reference: name } });
  return { tenantId: tenant.id, api: cloud.client(administrator.secret) };
}

function machinesOf({ tenantId }: Customer, kind = kinds.machine): readonly Document[] {
  return objects.store
    .all(kind)
    .filter(({ metadata }) => metadata.labels?.[labelKeys.tenant] === tenantId);
}

type Group = AnswerOf<"getGroup">;

test("R-CORE-05, S-02: a group of machines on a cluster grows and shrinks by its CPU, a member that somebody deletes comes back under its name, a cluster that is full says why, and what each ran is billed once, by the cluster's clock", async () => {
  const of = await customer("grows");
  /** A minute goes by for all of them, at that load. */
  const minute = async (share: number): Promise<void> => {
    for (const each of machinesOf(of, kinds.machineInstance)) isBusy(objects, each, share);
    await cloud.setForward(minuteMs);
    await looks.pass(AbortSignal.timeout(minuteMs));
    await nudged(groupChannel);
  };
  const rule = { stabilizationSeconds: 60, cooldownSeconds: 60 };
  const { id: groupId } = await of.api.call("createGroup", {
    body: {
      name: "web",
      flavor: "nano",
      min: 2,
      max: 4,
      targets: [{ signal: "cpu", value: 60 }],
      scaleIn: rule,
    },
  });
  const params = { groupId };
  const show = (): Promise<Group> => of.api.call("getGroup", { params });
  /** All that are wanted run, and no others are there. */
  const whole = (): Promise<Group> =>
    vi.waitFor(async () => {
      const group = await show();
      const { wanted, running, members } = group;
      expect([running, members.length]).toEqual([wanted, wanted]);
      return group;
    }, waiting);
  const settled = async (count: number, share: number): Promise<Group> => {
    for (let minutes = 0; minutes < 60; minutes += 1) {
      await minute(share);
      const group = await whole();
      if (group.wanted === count) return group;
    }
    throw new Error(`it does not come to ${count}`);
  };
  expect((await whole()).wanted).toBe(2);
  const full = await settled(4, 0.95);
  expect(full.members.map(({ name }) => name)).toEqual(["web-0", "web-1", "web-2", "web-3"]);
  expect(machinesOf(of)).toHaveLength(4);
  const { items: events } = await of.api.call("listGroupEvents", { params });
  expect(events.find(({ kind }) => kind === "scaled_out")?.message).toMatch(
    /cpu is \d+\.\d on average, 60 is wanted/u,
  );

  // Somebody deletes one with kubectl.
  const lost = present(full.members[1], "web-1");
  const { instanceId } = await of.api.call("getLease", { params: { leaseId: lost.leaseId } });
  const machine = present(
    machinesOf(of).find(({ metadata }) => metadata.name === `m-${instanceId}`),
    "its machine",
  );
  remove(objects, kinds.machine, machine.metadata, { propagation: "Background" });
  await vi.waitFor(
    () => expect(objects.store.get(kinds.machineInstance, machine.metadata)).toBeUndefined(),
    waiting,
  );
  await cloud.setForward(minuteMs);
  await vi.waitFor(async () => {
    const lease = await of.api.call("getLease", { params: { leaseId: lost.leaseId } });
    expect(lease.state).toBe("failed");
  }, waiting);
  // At most every five minutes, so that nobody pays for a machine that dies again and again.
  for (let minutes = 0; minutes < 6; minutes += 1) await minute(0.6);
  const again = await vi.waitFor(async () => {
    const group = await whole();
    expect(group.members[1]?.leaseId).not.toBe(lost.leaseId);
    return group;
  }, waiting);
  expect(again.members[1]?.name).toBe("web-1");

  // Nobody uses them any more: the highest numbers go, with their machines.
  const shrunk = await settled(2, 0.01);
  expect(shrunk.members.map(({ leaseId }) => leaseId)).toEqual(
    again.members.slice(0, 2).map(({ leaseId }) => leaseId),
  );
  await vi.waitFor(() => expect(machinesOf(of)).toHaveLength(2), waiting);

  // More than the cluster has: one card on each of two nodes.
  const infer = await of.api.call("createGroup", {
    body: { name: "infer", flavor: "a100.1", min: 3, max: 3 },
  });
  const waits = await vi.waitFor(async () => {
    const group = await of.api.call("getGroup", { params: { groupId: infer.id } });
    expect(group).toMatchObject({ wanted: 3, running: 2, state: "scaling" });
    const third = present(
      group.members.find(({ state }) => state === "queued"),
      "the one that waits",
    );
    const lease = await of.api.call("getLease", { params: { leaseId: third.leaseId } });
    expect(lease.reason).toMatchObject({ code: "no_host_fits" });
    return lease;
  }, waiting);
  expect(waits.reason?.message).toMatch(/1 x A100: of 2 hosts, GPUs are taken on 2/u);

  // Both end, those of one after they were switched off; nothing of them is left.
  const stopped = new Map<string, string>();
  for (const { leaseId } of shrunk.members) {
    const member = await of.api.call("getLease", { params: { leaseId } });
    stopped.set(leaseId, `m-${member.instanceId}`);
    await of.api.call("stopLease", { params: { leaseId }, body: {} });
  }
  await vi.waitFor(async () => {
    const { members } = await show();
    expect(members.map(({ state }) => state)).toEqual(["stopped", "stopped"]);
  }, waiting);
  for (const ended of [groupId, infer.id]) {
    await of.api.call("deleteGroup", { params: { groupId: ended } });
  }
  await vi.waitFor(async () => {
    expect(machinesOf(of)).toEqual([]);
    expect(machinesOf(of, kinds.machineInstance)).toEqual([]);
    const { items } = await of.api.call("listLeases", { query: {} });
    expect(new Set(items.map(({ state }) => state))).toEqual(new Set(["released", "failed"]));
  }, waiting);

  // Every run is billed once, from the second in which it was ready, by the cluster's clock.
  const billed = await vi.waitFor(async () => {
    const { items } = await of.api.call("listUsage", { query: { limit: 200 } });
    expect(items.filter(({ until }) => until === null)).toEqual([]);
    return items
      .filter(({ sku }) => sku === "cpu.core")
      .map(({ resourceId, from, until }) => ({
        resourceId,
        from: second(Date.parse(from)),
        until: second(Date.parse(until ?? "")),
      }))
      .toSorted((one, other) => one.from - other.from);
  }, waiting);
  const ran = [...runs.values()]
    .map(({ name, readyAt = 0, endedAt = 0 }) => ({
      name,
      from: second(readyAt),
      until: second(endedAt),
    }))
    .toSorted((one, other) => one.from - other.from);
  expect(billed.map(({ from }) => from)).toEqual(ran.map(({ from }) => from));
  for (const [leaseId, name] of stopped) {
    const spans = billed.filter(({ resourceId }) => resourceId === leaseId);
    expect(spans).toEqual(
      ran.flatMap((run) =>
        run.name === name ? { resourceId: leaseId, from: run.from, until: run.until } : [],
      ),
    );
  }
  // Whoever takes one away while it runs pays to the cluster's last word of it, and never beyond.
  expect(total(billed)).toBeLessThanOrEqual(total(ran));
  const lostSpan = billed.filter(({ resourceId }) => resourceId === lost.leaseId);
  const itsRun = ran.find(({ name }) => name === `m-${instanceId}`);
  expect(lostSpan).toHaveLength(1);
  expect(lostSpan[0]?.from).toBe(itsRun?.from);
  expect(lostSpan[0]?.until).toBeLessThanOrEqual(itsRun?.until ?? 0);
}, 600_000);

test("machines that somebody makes in a project's namespace, by hand or by a pool with our labels copied, are told of to the operator, never billed, and outlive all that is ours there", async () => {
  const of = await customer("pooled");
  const project = await of.api.call("createProject", { body: { name: "trial" } });
  const body = { name: "web", flavor: "nano", projectId: project.id };
  const { lease } = await of.api.call("createLease", { body });
  const params = { leaseId: lease.id };
  const reaches = (state: string): Promise<void> =>
    vi.waitFor(async () => {
      expect((await of.api.call("getLease", { params })).state).toBe(state);
    }, waiting);
  await reaches("running");
  const ours = present(machinesOf(of)[0], "the machine");
  const { namespace = "", labels = {} } = ours.metadata;
  const spec = { ...objectAt(ours, "spec"), dataVolumeTemplates: [] };
  const app = { app: "web" };
  const virtualMachineTemplate = { metadata: { labels }, spec };
  const pool = { replicas: 1, selector: { matchLabels: app }, virtualMachineTemplate };
  const made = objects.create(
    kinds.pool,
    namespace,
    { metadata: { name: "pool" }, spec: pool },
    byHand,
  );
  const { uid } = made.document.metadata;
  const ownerReferences = [
    { apiVersion: "pool.kubevirt.io/v1beta1", kind: "VirtualMachinePool", name: "pool", uid },
  ];
  for (const metadata of [{ name: "mine" }, { name: "pool-0", labels, ownerReferences }]) {
    objects.create(kinds.machine, namespace, { metadata, spec }, byHand);
  }
  await vi.waitFor(async () => {
    const { findings } = await operator().call("getSystem");
    expect(findings).toContainEqual(
      expect.objectContaining({
        severity: "warning",
        site: "cluster-1",
        message: expect.stringMatching(
          /Millrace's own .*\(2\): .*\/mine, .*\/pool-0 \(VirtualMachinePool pool\)/u,
        ),
      }),
    );
  }, waiting);
  await cloud.setForward(10 * minuteMs);
  await of.api.call("releaseLease", { params });
  await reaches("released");
  await of.api.call("deleteProject", { params: { projectId: project.id } });
  const names = (): readonly string[] =>
    objects.store.all(kinds.machine, namespace).map(({ metadata }) => metadata.name);
  await vi.waitFor(() => expect(names().toSorted()).toEqual(["mine", "pool-0"]), waiting);

  // The namespace would take them along: the project stays until somebody says what becomes of them.
  await vi.waitFor(
    async () => {
      await cloud.setForward(20 * minuteMs);
      await nudged("project");
      const { items } = await operator().call("listAlerts", { query: { state: "open" } });
      expect(items).toContainEqual(
        expect.objectContaining({
          kind: "project_stays",
          text: expect.stringMatching(/virtualmachinepools \(pool\) to end/u),
        }),
      );
    },
    { ...waiting, interval: 500 },
  );
  expect(names()).toHaveLength(2);
  const { items: used } = await of.api.call("listUsage", { query: { limit: 200 } });
  expect([...new Set(used.map(({ resourceId }) => resourceId))]).toEqual([lease.id]);
  expect(used.filter(({ until }) => until === null)).toEqual([]);

  remove(objects, kinds.pool, { namespace, name: "pool" }, { propagation: "Background" });
  for (const name of names()) {
    remove(objects, kinds.machine, { namespace, name }, { propagation: "Background" });
  }
  await vi.waitFor(
    async () => {
      await cloud.setForward(10 * minuteMs);
      await nudged("project");
      expect(objects.store.get(kinds.namespace, { name: namespace })).toBeUndefined();
    },
    { ...waiting, interval: 500 },
  );
}, 400_000);
