/**
 * A node as a host: what machines may have of it, which GPUs it offers under which names, whether it is
 * up. Pure. A device plug-in hands out any device of a name, so a GPU here is a place in a count, not a
 * card: `nvidia.com/GA100…/0` is the first of them.
 */
import { z } from "zod";

import type { KubeObject } from "#providers/kubevirt/client/object.ts";
import { parseMilli, parseUnits } from "#providers/kubevirt/compile/quantity.ts";
import type { GpuDevice, Host } from "#providers/host.ts";

import { isOn } from "./jobs/flavors.ts";
import type { ClusterSettings } from "./settings.ts";

const gib = 1024 ** 3;
const amounts = z.record(z.string(), z.string());

const taint = z.object({ key: z.string(), value: z.string().default(""), effect: z.string() });
export type Taint = z.infer<typeof taint>;

const node = z.object({
  metadata: z.object({ name: z.string(), labels: z.record(z.string(), z.string()).default({}) }),
  spec: z
    .object({ unschedulable: z.boolean().default(false), taints: z.array(taint).default([]) })
    .default({ unschedulable: false, taints: [] }),
  status: z.object({
    capacity: amounts.default({}),
    allocatable: amounts.default({}),
    conditions: z.array(z.object({ type: z.string(), status: z.string() })).default([]),
    addresses: z.array(z.object({ type: z.string(), address: z.string() })).default([]),
  }),
});

export interface SeenNode {
  readonly host: Host;
  /** KubeVirt's agent answers there. */
  readonly schedulable: boolean;
  /** It runs there, whether it answers now or not. */
  readonly hasAgent: boolean;
  readonly hasKvm: boolean;
  readonly taints: readonly Taint[];
  readonly cpuModels: readonly string[];
  /** By which its ports are reached from outside, if it says so. */
  readonly address: string | undefined;
  /** The kubelet gives CPUs to one machine alone. */
  readonly dedicatedCpus: boolean;
}

const cpuModelPrefix = "cpu-model.node.kubevirt.io/";

/** `undefined`: the settings leave it out. */
export function seenNode(object: KubeObject, settings: ClusterSettings): SeenNode | undefined {
  const { metadata, spec, status } = node.parse(object);
  const { name, labels } = metadata;
  const wanted = Object.entries(settings.nodes);
  if (!wanted.every(([key, value]) => labels[key] === value)) return undefined;
  const isReady = status.conditions.some(
    ({ type, status: is }) => type === "Ready" && is === "True",
  );
  const schedulable = labels["kubevirt.io/schedulable"] === "true";
  const { capacity, allocatable } = status;
  const { nodeReserved, nodeDiskGib } = settings;
  const milli = Number(parseMilli(allocatable["cpu"] ?? "0") ?? 0n);
  const memory = piecesOf(allocatable, "memory");
  return {
    schedulable,
    hasAgent: labels["kubevirt.io/schedulable"] !== undefined,
    // Allocatable is none while the agent starts anew.
    hasKvm: piecesOf(capacity, "devices.kubevirt.io/kvm") > 0,
    taints: spec.taints,
    host: {
      id: name,
      state:
        !isReady || !(schedulable || takesJobs(labels, settings))
          ? "down"
          : spec.unschedulable
            ? "maintenance"
            : "up",
      cpus: Math.max(0, Math.floor(milli / 1000 - nodeReserved.cpus)),
      memoryBytes: Math.max(0, Math.floor(memory - nodeReserved.memoryGib * gib)),
      diskBytes: (nodeDiskGib ?? settings.storageGibMax) * gib,
      hugePages: hugePagesOf(allocatable),
      gpus: [...gpusOf(status, settings), ...jobGpus({ labels, status }, settings)],
      labels: { ...labels },
      ...driverOf(labels),
    },
    cpuModels: Object.keys(labels)
      .filter((key) => key.startsWith(cpuModelPrefix) && labels[key] === "true")
      .map((key) => key.slice(cpuModelPrefix.length)),
    address: addressOf(status.addresses, "ExternalIP") ?? addressOf(status.addresses, "InternalIP"),
    dedicatedCpus: labels["kubevirt.io/cpumanager"] === "true",
  };
}

/** What cannot be read is nothing. */
function piecesOf(from: z.infer<typeof amounts>, resource: string): number {
  return Number(parseUnits(from[resource] ?? "0") ?? 0n);
}

function hugePagesOf(allocatable: z.infer<typeof amounts>): Host["hugePages"] {
  const count = (size: "2Mi" | "1Gi", bytes: number): Host["hugePages"] => {
    const pages = Math.floor(piecesOf(allocatable, `hugepages-${size}`) / bytes);
    return pages === 0 ? {} : { [size]: pages };
  };
  return { ...count("2Mi", 2 * 1024 ** 2), ...count("1Gi", gib) };
}

/** What the plug-in counts but does not hand out is sick. Parts are counted, devices are shown. */
function gpusOf(
  { capacity, allocatable }: z.infer<typeof node>["status"],
  settings: ClusterSettings,
): readonly GpuDevice[] {
  return Object.entries(settings.gpus).flatMap(([resource, gpu]) => {
    const { model, memoryGib, kind, slice } = gpu;
    const healthy = piecesOf(allocatable, resource) / slice;
    const all = Math.max(piecesOf(capacity, resource) / slice, healthy);
    return Array.from({ length: Math.floor(all) }, (_, place): GpuDevice => ({
      id: `${resource}/${place}`,
      model,
      memoryBytes: memoryGib * gib,
      isolation: "hard",
      slicesMax: slice,
      mode: kind === "passthrough" ? "whole" : kind === "vgpu" ? "vgpu" : "mig",
      ...(slice === 1 ? { resource } : { sliceResource: resource }),
      ...(place + 1 <= healthy ? {} : { healthy: false }),
    }));
  });
}

function takesJobs(labels: Readonly<Record<string, string>>, { jobs }: ClusterSettings): boolean {
  return jobs?.flavors.some((flavor) => isOn(flavor, labels)) === true;
}

/** Devices that only pods are given, as the flavors of jobs name them; those of machines are above. */
function jobGpus(
  of: {
    readonly labels: Readonly<Record<string, string>>;
    readonly status: z.infer<typeof node>["status"];
  },
  { jobs, gpus }: ClusterSettings,
): readonly GpuDevice[] {
  const { labels, status } = of;
  return (jobs?.flavors ?? []).flatMap((flavor) => {
    const { gpu } = flavor;
    if (gpu === null || gpus[gpu.resource] !== undefined || !isOn(flavor, labels)) return [];
    const { resource, model, memoryGib, slice, sharing } = gpu;
    const healthy = piecesOf(status.allocatable, resource) / slice;
    const all = Math.max(piecesOf(status.capacity, resource) / slice, healthy);
    return Array.from({ length: Math.floor(all) }, (_, place): GpuDevice => ({
      id: `${resource}/${place}`,
      model,
      memoryBytes: memoryGib * gib,
      isolation: sharing === "none" || sharing === "mig" ? "hard" : "soft",
      slicesMax: slice,
      mode: sharing === "none" ? "whole" : sharing === "mig" ? "mig" : "shared",
      ...(slice === 1 ? { resource } : { sliceResource: resource }),
      ...(place + 1 <= healthy ? {} : { healthy: false }),
    }));
  });
}

/** As NVIDIA's feature discovery labels it. */
function driverOf(labels: Readonly<Record<string, string>>): Pick<Host, "gpuDriver"> {
  const parts = ["major", "minor", "rev"].map((part) => labels[`nvidia.com/cuda.driver.${part}`]);
  const version = labels["nvidia.com/cuda.driver-version.full"] ?? parts.filter(Boolean).join(".");
  return version === "" ? {} : { gpuDriver: version };
}

function addressOf(
  addresses: readonly { readonly type: string; readonly address: string }[],
  type: string,
): string | undefined {
  return addresses.find((each) => each.type === type)?.address;
}
