/** How many CPUs a guest has: the product of its topology, or what its resources say. */
import type { Domain } from "#providers/kubevirt/objects/machine.ts";

import { parseMilli } from "./quantity.ts";

/** Nothing is 0 where only part of a topology is said: KubeVirt multiplies what is not zero. */
export function topologyVcpus({ cpu }: Domain): number | undefined {
  const { sockets = 0, cores = 0, threads = 0 } = cpu ?? {};
  if (sockets === 0 && cores === 0 && threads === 0) return undefined;
  return (sockets || 1) * (cores || 1) * (threads || 1);
}

export function vcpusOf(domain: Domain): number {
  const topology = topologyVcpus(domain);
  if (topology !== undefined) return topology;
  const said = domain.resources?.limits?.["cpu"] ?? domain.resources?.requests?.["cpu"];
  const milli = said === undefined ? undefined : parseMilli(said);
  return milli === undefined ? 1 : Number((milli + 999n) / 1000n);
}
