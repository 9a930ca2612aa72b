/**
 * CPU, memory and GPUs of a machine as KubeVirt takes them. Core machines get dedicated CPUs, so their
 * pod is Guaranteed; others always say what they request, because a cluster's own default would sell
 * each CPU ten times.
 */
import { milliCpusOf } from "#kernel/shape.ts";
import type { Domain, DomainCpu, Gpu } from "#providers/kubevirt/objects/machine.ts";

import type { CpuModel, MachineAsk } from "./facts.ts";
import { printBytes, printMilli } from "./quantity.ts";

export type DomainShape = Pick<Domain, "cpu" | "memory" | "resources">;

export interface ShapeAsk {
  readonly spec: Pick<MachineAsk["spec"], "cpu" | "memoryBytes" | "serviceClass">;
  readonly policy: MachineAsk["policy"];
}

export function domainShape({ spec, policy }: ShapeAsk): DomainShape {
  const dedicated = spec.serviceClass === "core";
  const { sockets, cores, threads } = spec.cpu;
  const { numa, isolateEmulator, hugePages } = policy;
  const cpu: DomainCpu = {
    sockets,
    cores,
    threads,
    ...modelOf(policy.cpu),
    ...(dedicated ? { dedicatedCpuPlacement: true } : {}),
    ...(dedicated && isolateEmulator ? { isolateEmulatorThread: true } : {}),
    ...(numa ? { numa: { guestMappingPassthrough: {} } } : {}),
  };
  const memory = {
    guest: printBytes(BigInt(spec.memoryBytes)),
    ...(hugePages === "none" ? {} : { hugepages: { pageSize: hugePages } }),
  };
  if (dedicated) return { cpu, memory };
  const vcpus = sockets * cores * threads;
  const milli = milliCpusOf({ vcpus, overcommitPercent: policy.overcommitPercent });
  return { cpu, memory, resources: { requests: { cpu: printMilli(BigInt(milli)) } } };
}

function modelOf(cpu: CpuModel): Pick<DomainCpu, "model" | "features"> {
  if (cpu.model !== "named") return { model: cpu.model };
  const { name, features } = cpu;
  return features.length === 0 ? { model: name } : { model: name, features };
}

/** The name of the one claim that holds all claimed GPUs of a machine. */
export const claimName = "gpus";

export function gpusOf({ spec, site }: Pick<MachineAsk, "spec" | "site">): readonly Gpu[] {
  return spec.gpus.map((gpu, index) => {
    const name = `gpu-${index}`;
    const resource = site.gpus.get(gpu.resource ?? "");
    if (resource !== undefined && "deviceClass" in resource.by) {
      return { name, claimName, requestName: name };
    }
    return {
      name,
      deviceName: gpu.resource ?? "",
      // The screen that people see in the console is the emulated one.
      ...(resource === undefined || resource.kind === "passthrough"
        ? {}
        : { virtualGPUOptions: { display: { enabled: false } } }),
    };
  });
}
