/**
 * Room in one pool: free units by host, in the order of the hosts' ids. Work that fits a host takes
 * the fullest one that has room; a gang larger than a host takes whole free hosts and the fullest
 * one for the rest. A gang that fits a host is kept on one.
 */
import type { Part, PoolHost } from "./work.ts";

export interface Hosts {
  readonly ids: readonly string[];
  readonly units: Int32Array;
  readonly indexes: ReadonlyMap<string, number>;
  readonly largest: number;
}

/** Indexes of hosts and units there, in pairs. */
export type Spot = readonly (readonly [host: number, units: number])[];

export function hostsOf(hosts: readonly PoolHost[]): Hosts {
  const sorted = hosts.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  return {
    ids: sorted.map(({ id }) => id),
    units: Int32Array.from(sorted, ({ units }) => units),
    indexes: new Map(sorted.map(({ id }, i) => [id, i])),
    largest: sorted.reduce((most, { units }) => Math.max(most, units), 0),
  };
}

export function spotFor(
  { units: sizes, largest }: Hosts,
  free: Int32Array,
  { units, gang }: { readonly units: number; readonly gang: boolean },
): Spot | undefined {
  if (units <= largest) {
    const host = fullest(free, units, undefined);
    return host === undefined ? undefined : [[host, units]];
  }
  if (!gang) return undefined;
  const spot: [number, number][] = [];
  const taken = new Set<number>();
  let rest = units;
  for (let host = 0; host < free.length && rest > 0; host += 1) {
    const size = sizes[host] ?? 0;
    if (size === 0 || size > rest || free[host] !== size) continue;
    spot.push([host, size]);
    taken.add(host);
    rest -= size;
  }
  if (rest === 0) return spot;
  const last = fullest(free, rest, taken);
  return last === undefined ? undefined : [...spot, [last, rest]];
}

function fullest(
  free: Int32Array,
  units: number,
  taken: ReadonlySet<number> | undefined,
): number | undefined {
  let best: number | undefined;
  let least = Infinity;
  for (let host = 0; host < free.length; host += 1) {
    const room = free[host] ?? 0;
    if (room < units || room >= least || taken?.has(host) === true) continue;
    best = host;
    least = room;
    if (room === units) break;
  }
  return best;
}

export function take(free: Int32Array, spot: Spot): void {
  for (const [host, units] of spot) free[host] = (free[host] ?? 0) - units;
}

export function giveBack(free: Int32Array, spot: Spot): void {
  for (const [host, units] of spot) free[host] = (free[host] ?? 0) + units;
}

export function partsOf({ ids }: Hosts, spot: Spot): Part[] {
  return spot.map(([host, units]) => ({ hostId: ids[host] ?? "", units }));
}

/** Parts on hosts that are gone vanish with them. */
export function spotOf({ indexes }: Hosts, parts: readonly Part[]): Spot {
  return parts.flatMap(({ hostId, units }) => {
    const host = indexes.get(hostId);
    return host === undefined ? [] : [[host, units] as const];
  });
}
