/**
 * What KubeVirt makes of a machine before it runs it (1.9, amd64, LiveUpdate): the CPU model, and how
 * far CPUs and memory may grow while it runs; and which nodes its pod asks for. For showing what will
 * come, and for telling an edit by hand from a default.
 */
import type { Domain, DomainCpu } from "#providers/kubevirt/objects/machine.ts";
import type { Labels } from "#providers/kubevirt/objects/meta.ts";

import { parseUnits, printBytes } from "./quantity.ts";
import { topologyVcpus, vcpusOf } from "./vcpus.ts";

const hotplugRatio = 4;

export interface Defaulted {
  readonly cpu: DomainCpu;
  /** The most memory that it may be given while it runs; absent if it may not be given any. */
  readonly maxGuest: string | undefined;
}

export function withDefaults(domain: Domain): Defaulted {
  const { cpu, memory } = domain;
  const topology =
    topologyVcpus(domain) === undefined ? { cores: 1, sockets: vcpusOf(domain), threads: 1 } : {};
  const all: DomainCpu = { model: "host-model", ...topology, ...cpu };
  const sockets = all.sockets ?? 0;
  const guest = memory?.guest === undefined ? undefined : parseUnits(memory.guest);
  // NUMA pass-through fixes the memory of each node for good.
  const grows = guest !== undefined && all.numa === undefined;
  return {
    cpu: sockets > 0 ? { maxSockets: sockets * hotplugRatio, ...all } : all,
    maxGuest: memory?.maxGuest ?? (grows ? printBytes(guest * BigInt(hotplugRatio)) : undefined),
  };
}

/** Labels that KubeVirt adds to those that the machine asks for. */
export function addedNodeLabels({ cpu, machine }: Pick<Domain, "cpu" | "machine">): Labels {
  const model = cpu?.model ?? "host-model";
  const named = model !== "host-model" && model !== "host-passthrough";
  return {
    "kubernetes.io/arch": "amd64",
    "kubevirt.io/schedulable": "true",
    [`machine-type.node.kubevirt.io/${machine?.type ?? "q35"}`]: "true",
    ...(named ? { [`cpu-model.node.kubevirt.io/${model}`]: "true" } : {}),
    ...(cpu?.dedicatedCpuPlacement === true ? { "kubevirt.io/cpumanager": "true" } : {}),
  };
}
