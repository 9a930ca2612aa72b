/**
 * On a control plane without nodes: what can be seen before a machine runs. Two nodes are made, of which
 * nobody is the kubelet, and taken away again. Nothing boots, so power, consoles, snapshots, moves and
 * what a guest says are not tested here.
 */
import { randomUUID } from "node:crypto";

import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";

import { KubeClient } from "#providers/kubevirt/client/client.ts";
import { machineName, namespaceName } from "#providers/kubevirt/compile/names.ts";
import { KubevirtProvider } from "#providers/kubevirt/driver/provider.ts";
import { kinds } from "#providers/kubevirt/objects/kinds.ts";

import { newOwner, smallMachine, underTest } from "./under-test.ts";

const { cluster, settings, fakeNodes } = await underTest();
const names = ["millrace-fake-1", "millrace-fake-2"];
const fake = "millrace.dev/fake-node";
const waiting = { timeout: 120_000, interval: 200 };

describe.skipIf(!fakeNodes)("on nodes that nobody runs", () => {
  const client = new KubeClient(cluster);
  const provider = new KubevirtProvider({
    settings: { ...settings, nodes: { [fake]: "true" } },
    cluster,
    now: Date.now,
  });
  const owner = newOwner();
  const spec = smallMachine(settings, { hostId: names[0] ?? "", owner });
  const place = { namespace: namespaceName(owner.projectId), name: machineName(spec.id) };
  const call = () => ({ signal: AbortSignal.timeout(60_000), owner, operationId: randomUUID() });

  beforeAll(async () => {
    for (const name of names) await makeNode(client, name);
  });
  afterAll(async () => {
    const read = { signal: AbortSignal.timeout(60_000) };
    await provider.delete({ ...call() }, spec.id).catch(() => undefined);
    for (const name of names) await client.delete(read, kinds.node, { name });
    await client.delete(read, kinds.namespace, { name: place.namespace });
    await provider.close();
    client.close();
  });

  test("the driver says what the cluster is, and has its nodes as hosts", async () => {
    expect(await provider.info(call())).toMatchObject({ kind: "kubevirt", site: settings.site });
    await vi.waitFor(async () => {
      const { items, complete } = await provider.hosts(call());
      expect(complete).toBe(true);
      expect(items.map(({ id }) => id).toSorted()).toEqual(names);
      expect(items.map(({ cpus }) => cpus)).toEqual([8, 8]);
    }, waiting);
  });

  test("a machine is accepted as it is, and asked for again is the same", async () => {
    const create = call();
    const first = await provider.create(create, spec);
    expect(await provider.create(create, spec)).toEqual(first);
    expect(await provider.create(call(), spec)).toMatchObject({ machineId: spec.id });
    const { items } = await client.list(call(), kinds.machine, { namespace: place.namespace });
    expect(items.map(({ metadata }) => metadata.name)).toEqual([place.name]);
    expect(await provider.machine(call(), spec.id)).toMatchObject({ id: spec.id, owner });
  });

  test("another owner's hands are kept off, and what is deleted is gone", async () => {
    const stranger = { ...call(), owner: newOwner() };
    await expect(provider.delete(stranger, spec.id)).rejects.toMatchObject({ code: "refused" });
    await provider.delete(call(), spec.id);
    await vi.waitFor(async () => {
      expect(await client.get(call(), kinds.machine, place)).toBeUndefined();
    }, waiting);
    await expect(provider.create(call(), spec)).rejects.toMatchObject({ code: "refused" });
  });
});

/** As a kubelet would have said it of itself once. */
async function makeNode(client: KubeClient, name: string): Promise<void> {
  const signal = AbortSignal.timeout(60_000);
  const labels = {
    [fake]: "true",
    "kubernetes.io/hostname": name,
    "kubernetes.io/arch": "amd64",
    "kubernetes.io/os": "linux",
    "kubevirt.io/schedulable": "true",
  };
  const head = { apiVersion: "v1", kind: "Node", metadata: { name, labels } };
  await client.apply({ signal, force: "take-over" }, kinds.node, head);
  const amounts = { cpu: "8", memory: "32Gi", pods: "110", "ephemeral-storage": "500Gi" };
  const now = new Date().toISOString().replace(/\.\d+Z$/, "Z");
  const ready = {
    type: "Ready",
    status: "True",
    reason: "KubeletReady",
    message: "made for a test",
    lastHeartbeatTime: now,
    lastTransitionTime: now,
  };
  const status = { capacity: amounts, allocatable: amounts, conditions: [ready] };
  const object = { apiVersion: "v1", kind: "Node", metadata: { name }, status };
  await client.apply({ signal, force: "take-over", subresource: "status" }, kinds.node, object);
}
