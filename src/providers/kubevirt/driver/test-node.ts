/** A node as the API server has it, for tests: it is ready, KubeVirt runs there, and machines of either class start. */
import type { KubeObject } from "#providers/kubevirt/client/object.ts";

export function aNode(
  change: {
    /** `undefined`: it does not have that one. */
    readonly labels?: Readonly<Record<string, string | undefined>>;
    readonly taints?: readonly object[];
    readonly unschedulable?: boolean;
    readonly capacity?: Readonly<Record<string, string>>;
    readonly allocatable?: Readonly<Record<string, string>>;
    /** Status of its condition Ready. */
    readonly ready?: string;
  } = {},
): KubeObject {
  const labels: Readonly<Record<string, string | undefined>> = {
    "kubernetes.io/arch": "amd64",
    "kubevirt.io/schedulable": "true",
    "kubevirt.io/cpumanager": "true",
    "machine-type.node.kubevirt.io/q35": "true",
    ...change.labels,
  };
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: {
      name: "node-1",
      uid: "u",
      resourceVersion: "1",
      creationTimestamp: "2026-11-01T00:00:00Z",
      labels: Object.fromEntries(
        Object.entries(labels).flatMap(([key, value]) =>
          value === undefined ? [] : [[key, value]],
        ),
      ),
    },
    spec: {
      taints: change.taints ?? [],
      ...(change.unschedulable === true ? { unschedulable: true } : {}),
    },
    status: {
      capacity: { "devices.kubevirt.io/kvm": "1k", ...change.capacity },
      allocatable: { cpu: "8", memory: "16Gi", ...change.allocatable },
      conditions: [{ type: "Ready", status: change.ready ?? "True" }],
      addresses: [{ type: "InternalIP", address: "10.0.0.7" }],
    },
  };
}
