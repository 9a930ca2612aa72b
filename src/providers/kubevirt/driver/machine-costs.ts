/**
 * What a machine costs a node beside its own memory and CPUs: the pod that runs it, as compile/pod-size.ts
 * sizes it, less what the machine was sold. Never less than that for machines that this driver makes, so
 * what placement finds room for the cluster's scheduler has room for too. Pure.
 */
import type { MachineCost, MachineCosts } from "#kernel/machine-cost.ts";
import { milliCpusOf } from "#kernel/shape.ts";
import { domainShape } from "#providers/kubevirt/compile/domain.ts";
import { ioThreads } from "#providers/kubevirt/compile/machine.ts";
import { podSize } from "#providers/kubevirt/compile/pod-size.ts";
import type { MachineSpec } from "#providers/machine.ts";

import { policyOf } from "./policy.ts";
import type { ClusterSettings } from "./settings.ts";

/** `overheadPercent`: KubeVirt's `additionalGuestMemoryOverheadRatio`. */
export function machineCosts(settings: ClusterSettings, overheadPercent: number): MachineCosts {
  return {
    core: costOf("core", settings, overheadPercent),
    standard: costOf("standard", settings, overheadPercent),
  };
}

/** All that is added for vCPUs and GPUs is so much for each, which two sizes show. */
function costOf(
  serviceClass: MachineSpec["serviceClass"],
  settings: ClusterSettings,
  overheadPercent: number,
): MachineCost {
  const policy = policyOf(settings, { serviceClass, gpus: [] });
  const sizeOf = (vcpus: number, gpus: number): { memory: number; cpu: number } => {
    const cpu = { sockets: vcpus, cores: 1, threads: 1 };
    const guest = 2 ** 30;
    const domain = {
      ...domainShape({ spec: { cpu, memoryBytes: guest, serviceClass }, policy }),
      ...ioThreads({ policy }),
      devices: gpus === 0 ? {} : { gpus: [{ name: "gpu" }] },
    };
    const { requests } = podSize(
      { spec: { domain } },
      { cpuAllocationRatio: 1, overheadPercent, quotaOnLimits: false },
    ).total;
    return {
      memory: Number(requests.get("memory") ?? 0n) - (policy.hugePages === "none" ? guest : 0),
      cpu: Number(requests.get("cpu") ?? 0n),
    };
  };
  const one = sizeOf(1, 0);
  // A percentage is rounded down once for the whole: up by a byte for each part is never less.
  const perVcpu = sizeOf(2, 0).memory - one.memory + 1;
  const milliCpusPerVcpu =
    serviceClass === "core"
      ? 1000
      : milliCpusOf({ vcpus: 1, overcommitPercent: policy.overcommitPercent });
  return {
    memoryBytes: one.memory - perVcpu + 2,
    memoryBytesPerVcpu: perVcpu,
    gpuMemoryBytes: sizeOf(1, 1).memory - one.memory + 1,
    milliCpus: one.cpu - milliCpusPerVcpu,
    milliCpusPerVcpu,
    ...(policy.hugePages === "none" ? {} : { hugePages: policy.hugePages }),
  };
}
