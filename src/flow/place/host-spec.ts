/** A host as the placement engine wants it: whole MiB, rounded so that nobody gets what is not there. */
import { workKinds } from "#kernel/host-refuses.ts";
import { mebibyte } from "#kernel/shape.ts";

import { labelOf, startsWord } from "./asked.ts";
import { gpusPerHostMax } from "./engine/amounts.ts";
import type { HostSpec } from "./engine/fleet.ts";
import type { GpuSpec } from "./engine/gpus.ts";
import { sliceMilli } from "./engine/kind.ts";
import type { DeviceState, HostState, PoolState } from "./host-state.ts";

/** A host label `taint/NAME` keeps away whoever does not tolerate NAME. */
const taintPrefix = "taint/";

export function specOf(host: HostState): HostSpec {
  const labels = Object.entries(host.labels);
  return {
    id: host.id,
    state: stateOf(host),
    amounts: {
      cpuMilli: host.milliCpus,
      memoryMiB: down(host.memoryBytes),
      diskMiB: down(host.diskBytes),
      hugePages2Mi: host.hugePagesMiB["2Mi"],
      hugePages1Gi: host.hugePagesMiB["1Gi"],
    },
    used: {
      cpuMilli: host.milliCpusUsed,
      memoryMiB: up(host.memoryBytesUsed),
      diskMiB: up(host.diskBytesUsed),
      hugePages2Mi: host.hugePagesMiBUsed["2Mi"],
      hugePages1Gi: host.hugePagesMiBUsed["1Gi"],
    },
    gpus: host.devices.slice(0, gpusPerHostMax).map((device) => gpuOf(device, host.pool)),
    nodes: host.numaNodes.map((node) => ({
      cpuMilli: node.milliCpus,
      memoryMiB: down(node.memoryBytes),
      cpuMilliUsed: node.milliCpusUsed,
      memoryMiBUsed: up(node.memoryBytesUsed),
    })),
    offers: [
      ...labels.map(labelOf),
      ...workKinds.filter((work) => host.refuses[work] === undefined).map(startsWord),
    ],
    repels: labels
      .filter(([name]) => name.startsWith(taintPrefix))
      .map(([name]) => name.slice(taintPrefix.length)),
    apart: host.antiAffineTenants,
  };
}

function stateOf(host: HostState): NonNullable<HostSpec["state"]> {
  if (host.awaySince !== null) return "away";
  if (!host.up) return "down";
  return host.schedulable ? "open" : "closed";
}

function gpuOf(device: DeviceState, pool: PoolState | null): GpuSpec {
  const { claims, slice, numaNode, nvlinkGroup, tenants } = device;
  return {
    model: device.model,
    uniform: true,
    slicesMax:
      device.mode === "whole" ? 1 : Math.min(device.slicesMax, pool?.slicesMax ?? Infinity),
    soft: device.isolation === "soft",
    sick: !device.healthy,
    ...(numaNode === null ? {} : { node: numaNode }),
    ...(nvlinkGroup === null ? {} : { link: nvlinkGroup }),
    ...(claims === 0 ? {} : { taken: { parts: claims, milli: sliceMilli(slice), tenants } }),
  };
}

function down(bytes: number): number {
  return Math.floor(bytes / mebibyte);
}

function up(bytes: number): number {
  return Math.ceil(bytes / mebibyte);
}
