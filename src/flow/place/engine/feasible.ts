/**
 * May a host take a kind, and if not, what is the first obstacle? Every constraint is one line here
 * and one word in `obstacles`: more of them (NUMA, NVLink groups) change neither the scores nor the
 * choice.
 */
import { gpusPerHostMax, type Resource } from "./amounts.ts";
import type { Fleet } from "./fleet.ts";
import type { Kind } from "./kind.ts";

export const obstacles = [
  "host is down",
  "labels do not match",
  "taint is not tolerated",
  "no such GPU",
  "GPUs are taken",
  "not enough CPU",
  "not enough memory",
  "not enough disk",
  "not enough huge pages",
] as const;
export type Obstacle = (typeof obstacles)[number];

const lacking: Readonly<Record<Resource, Obstacle>> = {
  cpuMilli: "not enough CPU",
  memoryMiB: "not enough memory",
  diskMiB: "not enough disk",
  hugePages2Mi: "not enough huge pages",
  hugePages1Gi: "not enough huge pages",
};

/** The first obstacle, or undefined where it fits. */
export function obstacleOn(fleet: Fleet, slot: number, kind: Kind): Obstacle | undefined {
  if (fleet.up[slot] !== 1) return "host is down";
  if (kind.unknown || ((fleet.offers[slot] ?? 0) & kind.requires) !== kind.requires) {
    return "labels do not match";
  }
  if (((fleet.repels[slot] ?? 0) & ~kind.tolerates) !== 0) return "taint is not tolerated";
  if (kind.gpuCount > 0) {
    if (!hasModel(fleet, slot, kind)) return "no such GPU";
    if (!hasGpus(fleet, slot, kind)) return "GPUs are taken";
  }
  for (const { resource, amount } of kind.needs) {
    if ((fleet.free[resource][slot] ?? 0) < amount) return lacking[resource];
  }
  return undefined;
}

function hasModel(fleet: Fleet, slot: number, kind: Kind): boolean {
  if (((fleet.gpuModels[slot] ?? 0) & kind.models) === 0) return false;
  const count = fleet.gpuCount[slot] ?? 0;
  if (kind.models === -1) return count >= kind.gpuCount;
  let found = 0;
  for (let at = slot * gpusPerHostMax; at < slot * gpusPerHostMax + count; at += 1) {
    if (((fleet.gpuModel[at] ?? 0) & kind.models) !== 0) found += 1;
  }
  return found >= kind.gpuCount;
}

function hasGpus(fleet: Fleet, slot: number, kind: Kind): boolean {
  if ((fleet.gpuFreeSum[slot] ?? 0) < kind.gpuCount * kind.gpuMilli) return false;
  const count = fleet.gpuCount[slot] ?? 0;
  let found = 0;
  for (let number = 0; number < count; number += 1) {
    if (fleet.takes(slot, number, kind)) found += 1;
  }
  return found >= kind.gpuCount;
}

/**
 * The devices that are used: those with the least left that still take it, the lower number first.
 * Slices fill a device before they open the next; whole devices are taken in order.
 */
export function tightestGpus(fleet: Fleet, slot: number, kind: Kind): number[] {
  const taken: number[] = [];
  while (taken.length < kind.gpuCount) {
    const next = tightestGpu(fleet, slot, kind, taken);
    if (next === -1) throw new RangeError(`slot ${slot} has no ${kind.gpuCount} GPUs for it`);
    taken.push(next);
  }
  return taken.toSorted((a, b) => a - b);
}

/** The tightest device that is not taken yet, or -1. */
export function tightestGpu(
  fleet: Fleet,
  slot: number,
  kind: Kind,
  taken: readonly number[] = [],
): number {
  const count = fleet.gpuCount[slot] ?? 0;
  let best = -1;
  let left = Infinity;
  for (let number = 0; number < count; number += 1) {
    const free = fleet.gpuFree[slot * gpusPerHostMax + number] ?? 0;
    if (free < left && fleet.takes(slot, number, kind) && !taken.includes(number)) {
      best = number;
      left = free;
    }
  }
  return best;
}
