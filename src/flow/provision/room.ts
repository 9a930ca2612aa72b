/** A host on paper, without the machines that are to leave it. Pure; the opposite of `withPlaced`. */
import type { HostState } from "#flow/place/host-state.ts";
import { takenBy } from "#kernel/machine-cost.ts";
import { gibibyte, mebibyte } from "#kernel/shape.ts";

import type { HeldPart, RunningJob } from "./preempt-rows.ts";

export function withoutPlaced(host: HostState, { tenantId, parts }: RunningJob): HostState {
  return parts.reduce((left, part) => withoutPart(left, tenantId, part), host);
}

function withoutPart(
  host: HostState,
  tenantId: string,
  { shape, deviceIds, numaNode }: HeldPart,
): HostState {
  const taken = takenBy(shape, host.machineCosts);
  const { milliCpus, hugePages, hugePagesMiB } = taken;
  const memoryBytes = taken.memoryMiB * mebibyte;
  return {
    ...host,
    milliCpusUsed: host.milliCpusUsed - milliCpus,
    memoryBytesUsed: host.memoryBytesUsed - memoryBytes,
    diskBytesUsed: host.diskBytesUsed - shape.diskGiB * gibibyte,
    hugePagesMiBUsed:
      hugePages === "none"
        ? host.hugePagesMiBUsed
        : {
            ...host.hugePagesMiBUsed,
            [hugePages]: host.hugePagesMiBUsed[hugePages] - hugePagesMiB,
          },
    numaNodes: host.numaNodes.map((node, index) =>
      index === numaNode
        ? {
            ...node,
            milliCpusUsed: node.milliCpusUsed - milliCpus,
            memoryBytesUsed: node.memoryBytesUsed - memoryBytes,
          }
        : node,
    ),
    devices: host.devices.map((device) =>
      deviceIds.includes(device.id)
        ? {
            ...device,
            slice: device.claims === 1 ? 0 : device.slice,
            claims: device.claims - 1,
            tenants: without(device.tenants, tenantId),
          }
        : device,
    ),
    antiAffineTenants: shape.antiAffinity
      ? without(host.antiAffineTenants, tenantId)
      : host.antiAffineTenants,
  };
}

/** Once less. */
function without(all: readonly string[], one: string): string[] {
  const at = all.indexOf(one);
  return at === -1 ? [...all] : all.toSpliced(at, 1);
}
