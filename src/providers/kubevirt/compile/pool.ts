/**
 * Machines by the number, and an autoscaler for them: where the cluster itself is to scale them. (A
 * StatefulSet cannot own machines, and an autoscaler cannot scale a single one.) The driver
 * applies none: what it makes nobody ordered. The control plane's own groups rent each member as a lease
 * instead, since each is billed by itself (docs/decisions/0021).
 */
import type { Autoscaler, MachinePool } from "#providers/kubevirt/objects/catalog.ts";

import type { MachineAsk } from "./facts.ts";
import { labelKeys, ownerLabels } from "./labels.ts";
import { virtualMachine } from "./machine.ts";
import { poolName } from "./names.ts";
import type { Refusal } from "./refusal.ts";

export interface PoolAsk {
  readonly groupId: string;
  /** One machine of it: the others are the same. */
  readonly machine: MachineAsk;
  readonly replicasMin: number;
  readonly replicasMax: number;
  /** Percent of what the pods request. */
  readonly cpuPercent: number;
  readonly memoryPercent?: number;
}

/** Seconds that it waits before it takes machines away: a machine is not a pod, it takes its time. */
const stabilizationSeconds = 600;

export function poolRefusals(ask: PoolAsk): readonly Refusal[] {
  const { replicasMin, replicasMax } = ask;
  if (replicasMin >= 1 && replicasMin <= replicasMax) return [];
  return [
    {
      code: "replicas",
      for: "customer",
      message: `A pool has at least 1 machine, and at most no fewer than at least: ${replicasMin} to ${replicasMax} was asked.`,
      details: { replicasMin, replicasMax },
    },
  ];
}

export function machinePool(ask: PoolAsk): {
  readonly pool: MachinePool;
  readonly autoscaler: Autoscaler;
} {
  const { machine, groupId } = ask;
  const name = poolName(groupId);
  const { controlPlaneId } = machine.site;
  const group = {
    ...ownerLabels(controlPlaneId, machine.spec.owner),
    [labelKeys.group]: groupId,
  };
  const metadata = { name, namespace: machine.namespace.name, labels: group };
  const template = virtualMachine(machine).spec;
  const { firmware: _, ...domain } = template.template.spec.domain;
  const { [labelKeys.machine]: __, ...labels } = template.template.metadata?.labels ?? {};
  const pool: MachinePool = {
    apiVersion: "pool.kubevirt.io/v1beta1",
    kind: "VirtualMachinePool",
    metadata,
    spec: {
      selector: { matchLabels: { [labelKeys.group]: groupId } },
      virtualMachineTemplate: {
        metadata: { labels: group },
        spec: {
          ...template,
          // Each member's disks and id are made anew by the pool.
          dataVolumeTemplates: (template.dataVolumeTemplates ?? []).map((disk) => ({
            ...disk,
            metadata: { ...disk.metadata, labels: group },
          })),
          template: {
            metadata: { labels: { ...labels, ...group } },
            spec: { ...template.template.spec, domain },
          },
        },
      },
      // One Secret for all: they log in the same people.
      nameGeneration: { appendIndexToSecretRefs: false, appendIndexToConfigMapRefs: false },
    },
  };
  return { pool, autoscaler: autoscaler(ask, metadata) };
}

function autoscaler(ask: PoolAsk, metadata: MachinePool["metadata"]): Autoscaler {
  return {
    apiVersion: "autoscaling/v2",
    kind: "HorizontalPodAutoscaler",
    metadata,
    spec: {
      scaleTargetRef: {
        apiVersion: "pool.kubevirt.io/v1beta1",
        kind: "VirtualMachinePool",
        name: metadata.name,
      },
      minReplicas: ask.replicasMin,
      maxReplicas: ask.replicasMax,
      metrics: [
        metric("cpu", ask.cpuPercent),
        ...(ask.memoryPercent === undefined ? [] : [metric("memory", ask.memoryPercent)]),
      ],
      behavior: { scaleDown: { stabilizationWindowSeconds: stabilizationSeconds } },
    },
  };
}

type Metric = Autoscaler["spec"]["metrics"][number];

function metric(name: "cpu" | "memory", averageUtilization: number): Metric {
  return {
    type: "Resource",
    resource: { name, target: { type: "Utilization", averageUtilization } },
  };
}
