/**
 * May a host take a kind, and if not, what is the first obstacle? Every constraint is one line here
 * and one word in `obstacles`; more of them change neither the scores nor the choice.
 */
import type { Resource } from "./amounts.ts";
import { slotState, type Fleet, type Spot } from "./fleet.ts";
import type { Kind } from "./kind.ts";
import { tightestPart } from "./part.ts";

export const obstacles = [
  "its site does not answer",
  "host is down",
  "host takes no new work",
  "labels do not match",
  "taint is not tolerated",
  "no such GPU",
  "GPU is not healthy",
  "GPUs are taken",
  "not enough CPU",
  "not enough memory",
  "not enough disk",
  "not enough huge pages",
  "no NVLink group has room",
  "no NUMA node has room",
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
  const state = fleet.state[slot];
  if (state === slotState.away) return "its site does not answer";
  if (state === slotState.closed && !kind.stays) return "host takes no new work";
  if (state !== slotState.open && state !== slotState.closed) return "host is down";
  const verdict = kind.verdicts.on(fleet.traits, fleet.traitSet[slot] ?? 0);
  if (verdict !== "ok") return verdict;
  if (kind.gpuCount > 0) {
    const obstacle = obstacleOfGpus(fleet, slot, kind);
    if (obstacle !== undefined) return obstacle;
  }
  for (const { resource, amount } of kind.needs) {
    if ((fleet.free[resource][slot] ?? 0) < amount) return lacking[resource];
  }
  if (!kind.linked && !kind.oneNode) return undefined;
  if (tightestPart(fleet, slot, kind) !== undefined) return undefined;
  return kind.oneNode ? "no NUMA node has room" : "no NVLink group has room";
}

function obstacleOfGpus({ gpus }: Fleet, slot: number, kind: Kind): Obstacle | undefined {
  const count = gpus.count[slot] ?? 0;
  if (count < kind.gpuCount || ((gpus.models[slot] ?? 0) & kind.models) === 0) return "no such GPU";
  let taking = 0;
  for (let number = 0; number < count; number += 1) {
    if (gpus.takes(slot, number, kind)) taking += 1;
  }
  if (taking >= kind.gpuCount) return undefined;
  let serving = 0;
  let sick = 0;
  for (let number = 0; number < count; number += 1) {
    if (!gpus.serves(slot, number, kind)) continue;
    serving += 1;
    if (gpus.isSick(slot, number)) sick += 1;
  }
  if (serving < kind.gpuCount) return "no such GPU";
  return serving - sick < kind.gpuCount ? "GPU is not healthy" : "GPUs are taken";
}

/** What it takes of a host where it fits. */
export function spotOn(fleet: Fleet, slot: number, kind: Kind): Spot {
  const node = kind.oneNode ? tightestPart(fleet, slot, kind)?.node : undefined;
  return { gpus: tightestGpus(fleet, slot, kind), node: node ?? -1 };
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
  const { gpus } = fleet;
  const count = gpus.count[slot] ?? 0;
  const part = kind.linked || kind.oneNode ? tightestPart(fleet, slot, kind) : undefined;
  let best = -1;
  let left = Infinity;
  for (let number = 0; number < count; number += 1) {
    const free = gpus.free[slot * gpus.stride + number] ?? 0;
    if (free >= left || !gpus.takes(slot, number, kind) || taken.includes(number)) continue;
    if (part !== undefined && !part.has(number)) continue;
    best = number;
    left = free;
  }
  return best;
}
