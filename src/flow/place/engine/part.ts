/**
 * The part of a host that takes work which wants one NVLink group or one NUMA node. Of several parts
 * the one that has the least to spare is taken, so that the larger ones stay for what is larger; the
 * first among equals.
 */
import type { Fleet } from "./fleet.ts";
import type { Kind } from "./kind.ts";

export interface Part {
  /** -1 where it is bound to none, or the nodes are not known. */
  readonly node: number;
  /** Is this device of it? */
  readonly has: (number: number) => boolean;
}

const anyNode = -1;
const anyLink = 0;

/** Undefined where no part has room; the whole host for a kind that wants neither. */
export function tightestPart(fleet: Fleet, slot: number, kind: Kind): Part | undefined {
  let best: Part | undefined;
  let least = Infinity;
  for (const node of nodesFor(fleet, slot, kind)) {
    for (const link of linksFor(fleet, slot, kind)) {
      const has = (number: number): boolean => isOf(fleet, slot, number, { node, link });
      const room = devicesIn(fleet, slot, kind, has);
      if (room < kind.gpuCount) continue;
      // A GPU counts for more than any CPU.
      const spare = room * 1e9 + (node === anyNode ? 0 : fleet.nodes.cpuFree(slot, node));
      if (spare >= least) continue;
      least = spare;
      best = { node, has };
    }
  }
  return best;
}

function nodesFor(fleet: Fleet, slot: number, kind: Kind): readonly number[] {
  const count = fleet.nodes.count[slot] ?? 0;
  if (!kind.oneNode || count === 0) return [anyNode];
  return Array.from({ length: count }, (_, node) => node).filter((node) =>
    fleet.nodes.takes(slot, node, kind),
  );
}

function linksFor({ gpus }: Fleet, slot: number, kind: Kind): readonly number[] {
  if (!kind.linked) return [anyLink];
  const from = slot * gpus.stride;
  const links = gpus.link.subarray(from, from + (gpus.count[slot] ?? 0));
  return [...new Set(links)].filter((link) => link !== anyLink);
}

function isOf(
  { gpus, nodes }: Fleet,
  slot: number,
  number: number,
  { node, link }: { readonly node: number; readonly link: number },
): boolean {
  const at = slot * gpus.stride + number;
  if (link !== anyLink && gpus.link[at] !== link) return false;
  // A device of a host with one node is on that one, whether it says so or not.
  return node === anyNode || (nodes.count[slot] ?? 0) === 1 || gpus.node[at] === node;
}

function devicesIn(
  { gpus }: Fleet,
  slot: number,
  kind: Kind,
  has: (number: number) => boolean,
): number {
  let room = 0;
  for (let number = 0; number < (gpus.count[slot] ?? 0); number += 1) {
    if (has(number) && gpus.takes(slot, number, kind)) room += 1;
  }
  return room;
}
