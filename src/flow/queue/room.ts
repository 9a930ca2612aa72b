/**
 * Room in one pool: free units by host, in the order of the hosts' ids. Work that fits a host takes
 * the fullest one that has room; a gang larger than a host takes whole free hosts and the fullest
 * one for the rest. A gang that fits a host is kept on one.
 */
import type { Part, PoolHost, Where } from "./work.ts";

export interface Hosts {
  readonly ids: readonly string[];
  readonly units: Int32Array;
  readonly indexes: ReadonlyMap<string, number>;
  readonly largest: number;
  /** By the key of `Where`, so that each is made once. */
  readonly masks: Map<string, Mask>;
}

/** Which hosts are in question: 1 for yes. */
interface Mask {
  readonly open: Uint8Array;
  readonly largest: number;
}

/** What has to lie somewhere. */
export interface Sized {
  readonly units: number;
  readonly gang: boolean;
  readonly memberUnits?: number | undefined;
  readonly where?: Where | undefined;
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
    masks: new Map(),
  };
}

function maskOf(hosts: Hosts, where: Where): Mask {
  let mask = hosts.masks.get(where.key);
  if (mask === undefined) {
    const open = new Uint8Array(hosts.ids.length);
    let largest = 0;
    for (const id of where.hostIds) {
      const host = hosts.indexes.get(id);
      if (host === undefined) continue;
      open[host] = 1;
      largest = Math.max(largest, hosts.units[host] ?? 0);
    }
    mask = { open, largest };
    hosts.masks.set(where.key, mask);
  }
  return mask;
}

/** Of the hosts in question. */
export function largestFor(hosts: Hosts, { where }: Sized): number {
  return where === undefined ? hosts.largest : maskOf(hosts, where).largest;
}

/** Equal for work that fits the same spots. */
export function sizeKey({ units, gang, memberUnits, where }: Sized): string {
  return `${units} ${gang} ${memberUnits ?? ""} ${where?.key ?? ""}`;
}

export function spotFor(hosts: Hosts, free: Int32Array, work: Sized): Spot | undefined {
  const { units, gang, memberUnits, where } = work;
  const { units: sizes } = hosts;
  const { open, largest } =
    where === undefined ? { ...hosts, open: undefined } : maskOf(hosts, where);
  if (units <= largest) {
    const host = fullest(free, units, { open });
    if (host !== undefined) return [[host, units]];
    return gang && memberUnits !== undefined
      ? spotForMembers(free, { units, memberUnits, open })
      : undefined;
  }
  if (!gang) return undefined;
  if (memberUnits !== undefined) return spotForMembers(free, { units, memberUnits, open });
  const spot: [number, number][] = [];
  const taken = new Set<number>();
  let rest = units;
  for (let host = 0; host < free.length && rest > 0; host += 1) {
    const size = sizes[host] ?? 0;
    if (size === 0 || size > rest || free[host] !== size || open?.[host] === 0) continue;
    spot.push([host, size]);
    taken.add(host);
    rest -= size;
  }
  if (rest === 0) return spot;
  const last = fullest(free, rest, { open, taken });
  return last === undefined ? undefined : [...spot, [last, rest]];
}

/** Members one by one, the fullest hosts first. */
function spotForMembers(
  free: Int32Array,
  gang: {
    readonly units: number;
    readonly memberUnits: number;
    readonly open: Uint8Array | undefined;
  },
): Spot | undefined {
  const { units, memberUnits, open } = gang;
  let left = Math.ceil(units / memberUnits);
  const roomy: [host: number, room: number][] = [];
  for (const [host, room] of free.entries()) {
    if (room >= memberUnits && open?.[host] !== 0) roomy.push([host, room]);
  }
  roomy.sort((a, b) => a[1] - b[1] || a[0] - b[0]);
  const spot: [number, number][] = [];
  for (const [host, room] of roomy) {
    if (left === 0) break;
    const members = Math.min(left, Math.floor(room / memberUnits));
    spot.push([host, members * memberUnits]);
    left -= members;
  }
  return left === 0 ? spot : undefined;
}

function fullest(
  free: Int32Array,
  units: number,
  hosts: {
    readonly open: Uint8Array | undefined;
    readonly taken?: ReadonlySet<number>;
  },
): number | undefined {
  const { open, taken } = hosts;
  let best: number | undefined;
  let least = Infinity;
  for (let host = 0; host < free.length; host += 1) {
    const room = free[host] ?? 0;
    if (room < units || room >= least) continue;
    if (open?.[host] === 0 || taken?.has(host) === true) continue;
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
