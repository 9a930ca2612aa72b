/** What a platform shows of its hosts: part of the contract, see provider.ts. */
import type { Refuses } from "#kernel/host-refuses.ts";
import type { MachineCosts } from "#kernel/machine-cost.ts";

export interface GpuDevice {
  /** Stable on its host, e.g. a PCI address. */
  readonly id: string;
  readonly model: string;
  readonly memoryBytes: number;
  /** How a share of it is kept apart from the others: `hard` (passthrough, MIG, vGPU) or `soft`. */
  readonly isolation: "hard" | "soft";
  /** Largest number of equal slices; 1 means whole devices only. */
  readonly slicesMax: number;
  /** It runs slower than it could: too hot, or those who share it want more than it has. */
  readonly throttled?: boolean;
  /** How it is cut; without it, `slicesMax` and `isolation` tell. `whole` is never cut. */
  readonly mode?: "whole" | "vgpu" | "mig" | "shared";
  /** The index of its node in the host's `numa`. */
  readonly numaNode?: number;
  /** Devices of one host with the same group reach each other by NVLink. */
  readonly nvlinkGroup?: string;
  /** False when the platform has seen that it is sick; nothing new is put on it then. */
  readonly healthy?: boolean;
  /**
   * The extended resource that a Kubernetes node advertises it as, such as `nvidia.com/gpu`; what is
   * requested of the node is that and nothing else. Absent where the platform is none of Kubernetes.
   */
  readonly resource?: string;
  /** The same of its parts, such as `nvidia.com/mig-1g.10gb`. */
  readonly sliceResource?: string;
}

export interface Host {
  readonly id: string;
  readonly state: "up" | "down" | "maintenance";
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly diskBytes: number;
  readonly hugePages: Readonly<Partial<Record<"2Mi" | "1Gi", number>>>;
  readonly gpus: readonly GpuDevice[];
  readonly labels: Readonly<Record<string, string>>;
  /**
   * Percent of the last minute in which something that could run waited for a CPU; absent when the
   * platform does not say.
   */
  readonly cpuPressurePercent?: number;
  /** Its NUMA nodes in order; absent when the platform does not say. */
  readonly numa?: readonly NumaNode[];
  /** Version of the GPU driver that it runs, such as `550.54.15`; absent when nobody says. */
  readonly gpuDriver?: string;
  /**
   * What a machine of each class takes here beside its own memory and CPUs, at the most: what is
   * placed within the sizes above must run. Absent where that is nothing, or kept out of the sizes.
   */
  readonly machineCosts?: MachineCosts;
  /**
   * What it starts none of as it is set up, with the reason in a sentence for whoever runs it: such a thing
   * is placed elsewhere. Not for what passes by itself, which `state` says.
   */
  readonly refuses?: Refuses;
}

export interface NumaNode {
  readonly cpus: number;
  readonly memoryBytes: number;
}
