/**
 * The NUMA nodes of this machine, as the kernel tells them. A machine of one node reports none: there is
 * nothing to choose.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import type { NumaNode } from "#providers/provider.ts";

const kernelsFolder = "/sys/devices/system/node";

interface Offered {
  readonly cpus: number;
  readonly memoryBytes: number;
}

/** Of what the site offers, each node has its share of the machine. */
export function numaNodes(offered: Offered, folder = kernelsFolder): NumaNode[] {
  const nodes = nodesIn(folder);
  if (nodes.length < 2) return [];
  const cpus = nodes.reduce((sum, node) => sum + node.cpus, 0);
  const memory = nodes.reduce((sum, node) => sum + node.memoryBytes, 0);
  return nodes.map((node) => ({
    cpus: Math.floor(node.cpus * Math.min(1, offered.cpus / cpus)),
    memoryBytes: Math.floor(node.memoryBytes * Math.min(1, offered.memoryBytes / memory)),
  }));
}

/**
 * The CPUs of the node with this index among those that `numaNodes` tells, as the kernel writes them
 * (`0-3,8`); undefined if there is no such node.
 */
export function cpusOfNode(index: number, folder = kernelsFolder): string | undefined {
  return nodesIn(folder)[index]?.cpulist;
}

interface Node extends NumaNode {
  readonly cpulist: string;
}

/** In order of their numbers; a node without CPUs or without memory is no place for a machine. */
function nodesIn(folder: string): Node[] {
  let names: string[];
  try {
    names = readdirSync(folder).filter((name) => /^node[0-9]+$/.test(name));
  } catch {
    return [];
  }
  return names
    .toSorted((a, b) => Number(a.slice(4)) - Number(b.slice(4)))
    .map((name) => ({ name, cpulist: textOf(join(folder, name, "cpulist")).trim() }))
    .map(({ name, cpulist }) => ({
      cpulist,
      cpus: cpusIn(cpulist),
      memoryBytes: kibibytesIn(textOf(join(folder, name, "meminfo"))) * 1024,
    }))
    .filter((node) => node.cpus > 0 && node.memoryBytes > 0);
}

/** `0-3,8,10-11` is seven. */
function cpusIn(list: string): number {
  let count = 0;
  for (const [, first, last] of list.matchAll(/([0-9]+)(?:-([0-9]+))?/g)) {
    count += Number(last ?? first) - Number(first) + 1;
  }
  return count;
}

function kibibytesIn(meminfo: string): number {
  return Number(/MemTotal:\s*([0-9]+) kB/.exec(meminfo)?.[1] ?? 0);
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
