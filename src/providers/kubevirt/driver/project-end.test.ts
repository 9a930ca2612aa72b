/** A project's end, through the driver on the test cluster: nothing of it is left but what storage keeps. */
import { randomUUID } from "node:crypto";

import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { present } from "#kernel/assert.ts";
import { labelKeys } from "#providers/kubevirt/compile/labels.ts";
import { machineName, namespaceName } from "#providers/kubevirt/compile/names.ts";
import { meteringFinalizer } from "#providers/kubevirt/jobs/names.ts";
import { kinds } from "#providers/kubevirt/objects/kinds.ts";
import { decorate } from "#providers/decorate.ts";
import type { MachineSpec, ProjectEnd, Provider } from "#providers/provider.ts";
import { forbidden } from "#test/kube/api/refusal.ts";
import { startTestCluster, type TestCluster } from "#test/kube/driver-cluster.ts";
import { sampleSpec } from "#test/kube/sample-spec.ts";

import { KubevirtProvider } from "./provider.ts";

const patience = { timeout: 60_000, interval: 50 };
const byHand = { manager: "kubectl", validation: "Ignore" } as const;
const call = { signal: new AbortController().signal };

let cluster: TestCluster;
let inner: KubevirtProvider;
let provider: Provider;

beforeEach(async () => {
  cluster = await startTestCluster();
  inner = new KubevirtProvider({
    settings: cluster.settings,
    cluster: cluster.server.cluster(),
    now: Date.now,
    installation: randomUUID(),
    upkeepEveryMs: 250,
  });
  provider = decorate(inner);
});

afterEach(async () => {
  await inner.close();
  await cluster.close();
});

function everything(): readonly string[] {
  const { store } = cluster.server.objects;
  return store.kinds
    .flatMap((kind) =>
      store
        .all(kind)
        .map(({ metadata }) => `${kind.plural} ${metadata.namespace ?? ""}/${metadata.name}`),
    )
    .toSorted();
}

async function rented(spec: MachineSpec): Promise<MachineSpec> {
  const { owner } = spec;
  await provider.create({ ...call, operationId: `${spec.id}:create`, owner }, spec);
  await vi.waitFor(async () => {
    expect((await provider.machine(call, spec.id))?.guest.ready).toBe(true);
  }, patience);
  return spec;
}

async function ended({ id, owner }: MachineSpec): Promise<void> {
  await provider.delete({ ...call, operationId: randomUUID(), owner }, id);
  await vi.waitFor(async () => {
    expect(await provider.machine(call, id)).toBeUndefined();
  }, patience);
}

function end({ owner }: MachineSpec): Promise<ProjectEnd> {
  const { tenantId, projectId } = owner;
  if (provider.removeProject === undefined) throw new Error("it removes projects");
  return provider.removeProject(call, { tenantId, projectId });
}

async function gone(spec: MachineSpec): Promise<Extract<ProjectEnd, { state: "gone" }>> {
  return vi.waitFor(async () => {
    const now = await end(spec);
    if (now.state !== "gone") throw new Error(now.waitsFor);
    return now;
  }, patience);
}

test("I-TEN-02: of a project that ended nothing is left in the cluster, of no kind", async () => {
  // What stands for the site, and stays.
  await vi.waitFor(() => {
    const { store } = cluster.server.objects;
    expect(store.all(kinds.admissionPolicyBinding)).toHaveLength(3);
    expect(store.all(kinds.role)).toHaveLength(1);
  }, patience);
  const before = everything();
  const spec = sampleSpec();
  const other = await rented(sampleSpec({ owner: { ...spec.owner, projectId: randomUUID() } }));
  await rented(spec);
  const snapshot = { id: randomUUID(), name: "kept", withMemory: false };
  const asked = { ...call, operationId: randomUUID(), owner: spec.owner };
  await provider.snapshot(asked, spec.id, snapshot);
  await vi.waitFor(async () => {
    const { items } = await provider.snapshots(call, spec.id);
    expect(items.map(({ id }) => id)).toEqual([snapshot.id]);
  }, patience);

  // As long as a machine is there it waits, and deletes nothing.
  const namespace = namespaceName(spec.owner.projectId);
  expect(await end(spec)).toMatchObject({
    state: "going",
    waitsFor: expect.stringContaining(machineName(spec.id)),
  });
  const { store } = cluster.server.objects;
  expect(store.get(kinds.machine, { namespace, name: machineName(spec.id) })).toBeDefined();
  await ended(spec);
  await inner.machines(call);
  expect(await gone(spec)).toEqual({ state: "gone", leftovers: [] });
  expect(everything().filter((name) => name.includes(spec.owner.projectId))).toEqual([]);
  // The tenant's other project stands whole; then it goes too.
  expect((await provider.machines(call)).items.map(({ id }) => id)).toEqual([other.id]);
  await ended(other);
  await gone(other);
  await vi.waitFor(() => expect(everything()).toEqual(before), patience);
  // Again, and of a project that never was.
  expect(await end(other)).toEqual({ state: "gone", leftovers: [] });
  expect(await end(sampleSpec())).toEqual({ state: "gone", leftovers: [] });
});

test("what storage keeps is told, what it deletes is waited for, a pod that waits to be metered lets go", async () => {
  const spec = await rented(sampleSpec());
  const { owner } = spec;
  const namespace = namespaceName(owner.projectId);
  const { objects } = cluster.server;
  const volume = (name: string, policy: string) => ({
    metadata: { name },
    spec: { persistentVolumeReclaimPolicy: policy, claimRef: { namespace, name: "root" } },
  });
  objects.create(kinds.volume, undefined, volume("pv-kept", "Retain"), byHand);
  objects.create(kinds.volume, undefined, volume("pv-slow", "Delete"), byHand);
  const labels = { [labelKeys.controlPlane]: "millrace", [labelKeys.project]: owner.projectId };
  const metadata = { name: "ran", namespace, labels, finalizers: [meteringFinalizer] };
  objects.create(kinds.pod, namespace, { metadata, spec: { containers: [] } }, byHand);
  await ended(spec);
  await vi.waitFor(async () => {
    const now = await end(spec);
    expect(now).toMatchObject({ waitsFor: expect.stringContaining("pv-slow") });
  }, patience);
  expect(objects.store.get(kinds.namespace, { name: namespace })).toBeUndefined();
  const slow = objects.store.get(kinds.volume, { name: "pv-slow" });
  objects.store.remove(kinds.volume, present(slow, "the volume"));
  expect(await gone(spec)).toEqual({
    state: "gone",
    leftovers: [{ what: "PersistentVolume pv-kept", why: expect.stringContaining("still there") }],
  });
  cluster.server.faults.refuse(
    1,
    () => forbidden(kinds.volume, "", "no right to look"),
    ({ resource }) => resource === "persistentvolumes",
  );
  expect(await end(spec)).toMatchObject({
    leftovers: [{ what: "persistentvolumes", why: expect.stringContaining("no right to look") }],
  });
});

test("a namespace that is not the project's is not deleted with it", async () => {
  const spec = sampleSpec();
  const name = namespaceName(spec.owner.projectId);
  const { objects } = cluster.server;
  objects.create(kinds.namespace, undefined, { metadata: { name } }, byHand);
  await expect(end(spec)).rejects.toMatchObject({ code: "refused", effect: "none" });
  expect(objects.store.get(kinds.namespace, { name })).toBeDefined();
});
