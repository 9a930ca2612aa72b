/**
 * Our flavors as KubeVirt's instance types and preferences, for people who make machines of them beside
 * us. Our own machines say everything themselves, so that a flavor that changes, changes nothing that
 * runs.
 */
import { mebibyte, type Shape } from "#kernel/shape.ts";
import type {
  ClusterInstancetype,
  ClusterPreference,
} from "#providers/kubevirt/objects/catalog.ts";

import { labelKeys, ourLabels } from "./labels.ts";
import { printBytes } from "./quantity.ts";
import type { Refusal } from "./refusal.ts";

export interface FlavorAsk {
  readonly controlPlaneId: string;
  readonly shape: Shape;
  /** The resource names of its GPU's model, whole or in parts as the shape has it. */
  readonly gpuResource?: string;
}

export type CompiledFlavor =
  | { readonly instancetype: ClusterInstancetype; readonly preference: ClusterPreference }
  | { readonly refusals: readonly Refusal[] };

export function compileFlavor(ask: FlavorAsk): CompiledFlavor {
  const refusals = flavorRefusals(ask);
  if (refusals.length > 0) return { refusals };
  const { shape, controlPlaneId, gpuResource } = ask;
  const labels = { ...ourLabels(controlPlaneId), [labelKeys.flavor]: shape.flavor };
  const metadata = { name: `millrace-${shape.flavor}`, labels };
  const count = shape.gpu?.count ?? 0;
  return {
    instancetype: {
      apiVersion: "instancetype.kubevirt.io/v1beta1",
      kind: "VirtualMachineClusterInstancetype",
      metadata,
      spec: {
        cpu: {
          guest: shape.vcpus,
          ...(shape.serviceClass === "core" ? { dedicatedCPUPlacement: true } : {}),
          ...(shape.numa ? { numa: { guestMappingPassthrough: {} } } : {}),
        },
        memory: {
          guest: printBytes(BigInt(shape.memoryMiB) * BigInt(mebibyte)),
          ...(shape.hugePages === "none" ? {} : { hugepages: { pageSize: shape.hugePages } }),
        },
        ...(count === 0 || gpuResource === undefined
          ? {}
          : {
              gpus: Array.from({ length: count }, (_, index) => ({
                name: `gpu-${index}`,
                deviceName: gpuResource,
              })),
            }),
        ...(Object.keys(shape.hostLabels).length === 0 ? {} : { nodeSelector: shape.hostLabels }),
      },
    },
    preference: {
      apiVersion: "instancetype.kubevirt.io/v1beta1",
      kind: "VirtualMachineClusterPreference",
      metadata,
      spec: {
        cpu: topology(shape.cpu),
        devices: {
          preferredDiskBus: "virtio",
          preferredInterfaceModel: "virtio",
          preferredNetworkInterfaceMultiQueue: shape.vcpus > 1,
          preferredBlockMultiQueue: shape.vcpus > 1,
        },
      },
    },
  };
}

/** An instance type counts CPUs; how they lie is the preference's business. */
function topology({ sockets, cores, threads }: Shape["cpu"]): ClusterPreference["spec"]["cpu"] {
  if (threads > 1) {
    const across = sockets > 1 ? "SocketsCoresThreads" : "CoresThreads";
    return { preferredCPUTopology: "spread", spreadOptions: { across, ratio: threads } };
  }
  return { preferredCPUTopology: cores > 1 ? "cores" : "sockets" };
}

const namePattern = /^[a-z0-9](?:[a-z0-9.-]{0,50}[a-z0-9])?$/u;

function flavorRefusals({ shape, gpuResource }: FlavorAsk): readonly Refusal[] {
  const found: Refusal[] = [];
  if (shape.overcommitPercent > 100) {
    found.push({
      code: "flavor_overcommits",
      for: "operator",
      message: `Flavor ${shape.flavor} sells ${shape.overcommitPercent} CPUs for each 100, which an instance type cannot say: its machines are made by the control plane only.`,
      details: { flavor: shape.flavor, overcommitPercent: shape.overcommitPercent },
    });
  }
  if (shape.gpu !== null && gpuResource === undefined) {
    found.push({
      code: "gpu_without_resource",
      for: "operator",
      message: `No resource name is set up for GPU ${shape.gpu.model} of flavor ${shape.flavor}: name the one that its device plug-in advertises.`,
      details: { flavor: shape.flavor, model: shape.gpu.model },
    });
  }
  if (!namePattern.test(shape.flavor)) {
    found.push({
      code: "flavor_name",
      for: "operator",
      message: `${JSON.stringify(shape.flavor)} cannot be the name of an instance type: up to 52 small letters, digits, dots and dashes.`,
      details: { flavor: shape.flavor },
    });
  }
  return found;
}
