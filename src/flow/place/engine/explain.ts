/**
 * Why nowhere? Every host's first obstacle, counted, and the nearest thing that would fit: the host
 * that lacks the least of what was asked, and how much that is. A scan of all hosts, for answers to
 * people; decisions do not need it.
 */
import { resources, type Amounts, type Resource } from "./amounts.ts";
import { obstacleOn, type Obstacle } from "./feasible.ts";
import type { Fleet } from "./fleet.ts";
import type { Kind } from "./kind.ts";

export interface Nearest {
  readonly slot: number;
  /** What is missing there, of amounts and of GPUs. */
  readonly lacks: Amounts;
  readonly gpus: number;
  /** What is missing as a share of what was asked, added up over what is asked. */
  readonly share: number;
}

export interface Explanation<Word extends string = never> {
  readonly hosts: number;
  readonly obstacles: Readonly<Partial<Record<Obstacle | Word, number>>>;
  /** Undefined where no host that is up may take it at all, however free. */
  readonly nearest: Nearest | undefined;
}

const onlyLacking: readonly string[] = [
  "GPUs are taken",
  "not enough CPU",
  "not enough memory",
  "not enough disk",
  "not enough huge pages",
] satisfies readonly Obstacle[];

/** `before`: what else rules out a slot, in the caller's words; it comes before all obstacles here. */
export function explain<Word extends string = never>(
  fleet: Fleet,
  kind: Kind,
  before?: (slot: number) => Word | undefined,
): Explanation<Word> {
  const counts = new Map<Obstacle | Word, number>();
  let hosts = 0;
  let nearest: Nearest | undefined;
  for (let slot = 0; slot < fleet.slots; slot += 1) {
    if (fleet.idOf(slot) === undefined) continue;
    hosts += 1;
    const obstacle = before?.(slot) ?? obstacleOn(fleet, slot, kind);
    if (obstacle === undefined) continue;
    counts.set(obstacle, (counts.get(obstacle) ?? 0) + 1);
    if (!onlyLacking.includes(obstacle) || !couldEver(fleet, slot, kind)) continue;
    const lacking = lackingOn(fleet, slot, kind);
    if (lacking.share < (nearest?.share ?? Infinity)) nearest = lacking;
  }
  const obstacles: Partial<Record<Obstacle | Word, number>> = {};
  for (const [obstacle, count] of counts) obstacles[obstacle] = count;
  return { hosts, obstacles, nearest };
}

/** Would it fit there if nothing else ran? Devices apart, which `no such GPU` has checked. */
function couldEver(fleet: Fleet, slot: number, kind: Kind): boolean {
  return kind.needs.every(({ resource, amount }) => (fleet.total[resource][slot] ?? 0) >= amount);
}

function lackingOn(fleet: Fleet, slot: number, kind: Kind): Nearest {
  const lacks: Partial<Record<Resource, number>> = {};
  for (const { resource, amount } of kind.needs) {
    const missing = amount - (fleet.free[resource][slot] ?? 0);
    if (missing > 0) lacks[resource] = missing;
  }
  let room = 0;
  for (let number = 0; number < (fleet.gpus.count[slot] ?? 0); number += 1) {
    if (fleet.gpus.takes(slot, number, kind)) room += 1;
  }
  const gpus = Math.max(0, kind.gpuCount - room);
  let share = kind.gpuCount === 0 ? 0 : gpus / kind.gpuCount;
  for (const resource of resources) {
    const missing = lacks[resource] ?? 0;
    if (missing > 0) share += missing / Math.max(1, kind.request.amounts[resource] ?? 0);
  }
  return { slot, lacks, gpus, share };
}
