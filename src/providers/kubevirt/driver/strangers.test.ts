/** Machines that somebody made past Millrace: the operator is told, and nothing is done to them. */
import { randomUUID } from "node:crypto";

import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { present } from "#kernel/assert.ts";
import { machineName, namespaceName } from "#providers/kubevirt/compile/names.ts";
import { kinds } from "#providers/kubevirt/objects/kinds.ts";
import type { MachineSpec } from "#providers/provider.ts";
import { objectAt } from "#test/kube/api/json.ts";
import { startTestCluster, type TestCluster } from "#test/kube/driver-cluster.ts";
import { sampleSpec } from "#test/kube/sample-spec.ts";

import { KubevirtProvider } from "./provider.ts";
import { strangersFinding } from "./strangers.ts";

const patience = { timeout: 60_000, interval: 50 };
const byHand = { manager: "kubectl", validation: "Ignore" } as const;
const call = { signal: new AbortController().signal };

let cluster: TestCluster;
let provider: KubevirtProvider;
let spec: MachineSpec;

beforeEach(async () => {
  cluster = await startTestCluster();
  const { settings, server } = cluster;
  provider = new KubevirtProvider({ settings, cluster: server.cluster(), now: Date.now });
  spec = sampleSpec();
  await provider.create({ ...call, operationId: "create", owner: spec.owner }, spec);
});

afterEach(async () => {
  await provider.close();
  await cluster.close();
});

/** What the operator is told of machines that are not ours. */
async function told(): Promise<readonly string[]> {
  const { findings = [] } = await provider.info(call);
  return findings.flatMap(({ message }) => (message.includes("not Millrace's own") ? message : []));
}

function made(namespace: string, name: string, more: object = {}): void {
  const { objects } = cluster.server;
  const place = { namespace: namespaceName(spec.owner.projectId), name: machineName(spec.id) };
  const rented = present(objects.store.get(kinds.machine, place), "the rented machine");
  const body = { ...objectAt(rented, "spec"), dataVolumeTemplates: [] };
  objects.create(kinds.machine, namespace, { metadata: { name, ...more }, spec: body }, byHand);
}

function madePool(namespace: string) {
  const { objects } = cluster.server;
  const labels = { pool: "web" };
  const place = { namespace: namespaceName(spec.owner.projectId), name: machineName(spec.id) };
  const rented = present(objects.store.get(kinds.machine, place), "the rented machine");
  const virtualMachineTemplate = { metadata: { labels }, spec: objectAt(rented, "spec") };
  const pool = { replicas: 2, selector: { matchLabels: labels }, virtualMachineTemplate };
  const body = { metadata: { name: "web" }, spec: pool };
  return objects.create(kinds.pool, namespace, body, byHand).document;
}

function labelsOfOurs(): object {
  const { store } = cluster.server.objects;
  const place = { namespace: namespaceName(spec.owner.projectId), name: machineName(spec.id) };
  return present(store.get(kinds.machine, place), "the rented machine").metadata.labels ?? {};
}

test("a machine without our labels in a project, and those of a pool with ours copied, are told by name with what made them, until they are gone", async () => {
  const { objects, faults } = cluster.server;
  const namespace = namespaceName(spec.owner.projectId);
  // Other people's are their own affair, also where they look like a project of ours.
  const foreign = ["shop", namespaceName(randomUUID())];
  for (const name of foreign) {
    objects.create(kinds.namespace, undefined, { metadata: { name } }, byHand);
    made(name, "theirs");
  }
  await vi.waitFor(async () => {
    expect((await provider.machine(call, spec.id))?.guest.ready).toBe(true);
  }, patience);
  expect(await told()).toEqual([]);

  made(namespace, "mine");
  const { uid } = madePool(namespace).metadata;
  const owner = { apiVersion: "pool.kubevirt.io/v1beta1", kind: "VirtualMachinePool", name: "web" };
  const ownerReferences = [{ ...owner, uid, controller: true }];
  for (const name of ["web-0", "web-1"]) {
    made(namespace, name, { labels: labelsOfOurs(), ownerReferences });
  }
  await vi.waitFor(async () => {
    expect(await told()).toEqual([
      expect.stringMatching(
        /^Machines .* \(3\): .*\/mine, .*\/web-0 \(VirtualMachinePool web\), .*\/web-1 \(VirtualMachinePool web\)\. Nobody pays/u,
      ),
    ]);
  }, patience);
  // They are no machines of the site.
  const { items } = await provider.machines(call);
  expect(items.map(({ id }) => id)).toEqual([spec.id]);

  // One of them goes while nobody watches.
  faults.vanish();
  const place = { namespace, name: "web-0" };
  objects.store.remove(kinds.machine, present(objects.store.get(kinds.machine, place), "web-0"));
  objects.store.compact();
  faults.comeBack();
  await vi.waitFor(async () => {
    expect(await told()).toEqual([expect.stringMatching(/ \(2\): .*web-1/u)]);
  }, patience);
  for (const name of ["mine", "web-1"]) {
    const there = present(objects.store.get(kinds.machine, { namespace, name }), name);
    objects.store.remove(kinds.machine, there);
  }
  // What the kubelet still runs of them goes with them.
  for (const each of objects.store.all(kinds.machineInstance)) {
    if (each.metadata.name !== machineName(spec.id))
      objects.store.remove(kinds.machineInstance, each);
  }
  await vi.waitFor(async () => expect(await told()).toEqual([]), patience);
}, 120_000);

test("the end of a project waits for a machine or a pool that somebody else made there, and deletes neither", async () => {
  const { objects } = cluster.server;
  const namespace = namespaceName(spec.owner.projectId);
  madePool(namespace);
  made(namespace, "mine");
  await provider.delete({ ...call, operationId: "delete", owner: spec.owner }, spec.id);
  await vi.waitFor(async () => {
    expect(await provider.machine(call, spec.id)).toBeUndefined();
  }, patience);
  const end = () => provider.removeProject(call, spec.owner);
  const drop = (kind: typeof kinds.pool, name: string): void =>
    objects.store.remove(kind, present(objects.store.get(kind, { namespace, name }), name));
  expect(await end()).toEqual({
    state: "going",
    waitsFor: "1 virtualmachinepools (web) to end, which nobody deletes with a project",
  });
  drop(kinds.pool, "web");
  expect(await end()).toMatchObject({
    waitsFor: expect.stringContaining("machines (mine) to end"),
  });
  expect(objects.store.get(kinds.machine, { namespace, name: "mine" })).toBeDefined();
  drop(kinds.machine, "mine");
  await vi.waitFor(async () => {
    for (const each of objects.store.all(kinds.machineInstance, namespace)) {
      objects.store.remove(kinds.machineInstance, each);
    }
    expect(await end()).toMatchObject({ state: "gone" });
  }, patience);
}, 120_000);

test("many are counted and a few named; a run is told as the machine that made it", () => {
  const namespace = "p";
  const of = { kind: "VirtualMachine", name: "m" };
  expect(strangersFinding([{ namespace, name: "m", owners: [of] }])).toEqual([]);
  const many = Array.from({ length: 20 }, (_, index) => ({
    namespace,
    name: `m-${index}`,
    owners: [],
  }));
  expect(strangersFinding(many)).toEqual([
    expect.objectContaining({
      severity: "warning",
      message: expect.stringMatching(/ \(20\): .*, …\. Nobody/u),
    }),
  ]);
});
