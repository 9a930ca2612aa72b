/** What all hosts of the cloud sum to. Pure. */
import type { ItemOf } from "#client/types.ts";

export type Host = ItemOf<"listHosts">;
export type Gpu = Host["gpus"][number];

export interface GpuSum {
  readonly model: string;
  readonly devices: number;
  /** Of healthy devices on hosts that are up and take work. */
  readonly free: number;
  /** In devices: four quarters are one. */
  readonly used: number;
  readonly sick: number;
  /** On hosts that are down or away, or take nothing new. */
  readonly closed: number;
}

/** By model, in the order of their names. */
export function gpuSums(hosts: readonly Host[]): readonly GpuSum[] {
  const sums = new Map<string, GpuSum>();
  for (const host of hosts) {
    const isOpen = isUp(host) && host.schedulable;
    for (const gpu of host.gpus) {
      const before = sums.get(gpu.model) ?? {
        model: gpu.model,
        devices: 0,
        free: 0,
        used: 0,
        sick: 0,
        closed: 0,
      };
      sums.set(gpu.model, {
        model: gpu.model,
        devices: before.devices + 1,
        free: before.free + (isOpen && gpu.healthy && gpu.used === 0 ? 1 : 0),
        used: before.used + gpu.used,
        sick: before.sick + (gpu.healthy ? 0 : 1),
        closed: before.closed + (isOpen ? 0 : 1),
      });
    }
  }
  return [...sums.values()].toSorted((a, b) => a.model.localeCompare(b.model));
}

/** Of a site that is away nobody knows how its hosts are. */
function isUp({ state, siteAwaySince }: Host): boolean {
  return state === "up" && siteAwaySince === null;
}

export interface FleetSum {
  readonly hosts: number;
  readonly up: number;
  readonly down: number;
  /** Their site is away. */
  readonly away: number;
  /** Up, but nothing new is placed there. */
  readonly cordoned: number;
  readonly cpus: number;
  readonly cpusUsed: number;
  readonly memoryMiB: number;
  readonly memoryMiBUsed: number;
}

/** Capacity counts hosts that are up. */
export function fleetSum(hosts: readonly Host[]): FleetSum {
  const up = hosts.filter(isUp);
  const away = hosts.filter(({ siteAwaySince }) => siteAwaySince !== null);
  const sum = (of: (host: Host) => number): number =>
    up.reduce((total, host) => total + of(host), 0);
  return {
    hosts: hosts.length,
    up: up.length,
    down: hosts.filter((host) => host.siteAwaySince === null && host.state === "down").length,
    away: away.length,
    cordoned: up.filter((host) => !host.schedulable).length,
    cpus: sum((host) => host.cpus),
    cpusUsed: sum((host) => host.cpusUsed),
    memoryMiB: sum((host) => host.memoryMiB),
    memoryMiBUsed: sum((host) => host.memoryMiBUsed),
  };
}

/** "4 × A100, 8 × T4". */
export function gpuLine(gpus: readonly Gpu[]): string {
  const counts = new Map<string, number>();
  for (const { model } of gpus) counts.set(model, (counts.get(model) ?? 0) + 1);
  return [...counts].map(([model, count]) => `${count} × ${model}`).join(", ");
}

/** At most two digits behind the point: shares of devices are halves, quarters, sevenths. */
export function amountText(value: number): string {
  return String(Math.round(value * 100) / 100);
}
