/**
 * Nodes of which nobody is the kubelet, kept alive as kubelets and virt-handlers keep theirs: a lease
 * and a heartbeat, without which the cluster takes them for lost.
 */
import { setTimeout as rest } from "node:timers/promises";

import type { KubeClient } from "#providers/kubevirt/client/client.ts";
import type { Kind } from "#providers/kubevirt/client/kind.ts";
import { kinds } from "#providers/kubevirt/objects/kinds.ts";

import { instant } from "./follow.ts";

/** Nodes of ours bear it, so that nothing else is placed for a test's sake. */
export const fakeLabel = "millrace.dev/fake-node";

const leaseKind: Kind = {
  group: "coordination.k8s.io",
  version: "v1",
  kind: "Lease",
  plural: "leases",
  namespaced: true,
};
const leaseNamespace = "kube-node-lease";
/** A quarter of the grace that the node controller gives. */
const leaseEveryMs = 10_000;

export interface FakeNode {
  readonly name: string;
  /** Resource names, one of each. */
  readonly gpus: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
}

export async function makeNodes(client: KubeClient, nodes: readonly FakeNode[]): Promise<void> {
  await Promise.all(nodes.map((node) => makeNode(client, node)));
}

/** Until the signal aborts; the leases go then. */
export async function keepNodesAlive(
  client: KubeClient,
  names: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await Promise.all(names.map((name) => renew(client, name)));
    await rest(leaseEveryMs, undefined, { signal }).catch(() => undefined);
  }
  const call = { signal: AbortSignal.timeout(60_000) };
  const leases = names.map((name) => ({ namespace: leaseNamespace, name }));
  await Promise.all(leases.map((name) => client.delete(call, leaseKind, name)));
}

export async function removeNodes(client: KubeClient, names: readonly string[]): Promise<void> {
  const call = { signal: AbortSignal.timeout(60_000) };
  await Promise.all(names.map((name) => client.delete(call, kinds.node, { name })));
}

async function makeNode(
  client: KubeClient,
  { name, gpus, labels: more = {} }: FakeNode,
): Promise<void> {
  const signal = AbortSignal.timeout(60_000);
  const labels = {
    [fakeLabel]: "true",
    "kubernetes.io/hostname": name,
    "kubernetes.io/arch": "amd64",
    "kubernetes.io/os": "linux",
    "kubevirt.io/schedulable": "true",
    "cpu-model.node.kubevirt.io/host-model": "true",
    "machine-type.node.kubevirt.io/q35": "true",
    ...more,
  };
  const annotations = { "kubevirt.io/heartbeat": instant() };
  const head = { apiVersion: "v1", kind: "Node", metadata: { name, labels, annotations } };
  const call = { signal, force: "take-over" } as const;
  await client.apply(call, kinds.node, head);
  const amounts = {
    cpu: "8",
    memory: "32Gi",
    pods: "110",
    "ephemeral-storage": "500Gi",
    "devices.kubevirt.io/kvm": "1k",
    "devices.kubevirt.io/tun": "1k",
    "devices.kubevirt.io/vhost-net": "1k",
    ...Object.fromEntries(gpus.map((resource) => [resource, "1"])),
  };
  const now = instant();
  const ready = {
    type: "Ready",
    status: "True",
    reason: "KubeletReady",
    message: "made for a test",
    lastHeartbeatTime: now,
    lastTransitionTime: now,
  };
  const addresses = [{ type: "InternalIP", address: "192.0.2.1" }];
  const status = { capacity: amounts, allocatable: amounts, conditions: [ready], addresses };
  const object = { apiVersion: "v1", kind: "Node", metadata: { name }, status };
  await client.apply({ ...call, subresource: "status" }, kinds.node, object);
}

async function renew(client: KubeClient, name: string): Promise<void> {
  const call = { signal: AbortSignal.timeout(60_000), force: "take-over" } as const;
  const spec = {
    holderIdentity: name,
    leaseDurationSeconds: 40,
    renewTime: new Date().toISOString().replace("Z", "000Z"),
  };
  const metadata = { name, namespace: leaseNamespace };
  const lease = { apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata, spec };
  await client.apply(call, leaseKind, lease);
  const patch = { metadata: { annotations: { "kubevirt.io/heartbeat": instant() } } };
  await client.patch(call, kinds.node, { name: { name }, patch });
}
