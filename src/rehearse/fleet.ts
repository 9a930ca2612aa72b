/** The hosts with something changed, on paper: what an operator thinks of doing. Pure. */
import type { HostState, PoolState } from "#flow/place/host-state.ts";
import { Failure } from "#kernel/failure.ts";

import type { FleetSize } from "./figures.ts";

export type FleetChange =
  /** More hosts like one that is there. */
  | { readonly do: "add"; readonly like: string; readonly count: number }
  | { readonly do: "remove"; readonly host: string }
  /** Another rule for a pool: how finely its GPUs are cut (8 is 1:8), what is kept for faults. */
  | {
      readonly do: "pool";
      readonly pool: string;
      readonly slicesMax?: number | undefined;
      readonly reservePercent?: number | undefined;
      readonly spread?: boolean | undefined;
    };

/** Throws `not_found` for a host or a pool that there is not. */
export function changed(
  hosts: readonly HostState[],
  changes: readonly FleetChange[],
): readonly HostState[] {
  let fleet = hosts;
  for (const [number, change] of changes.entries()) fleet = withChange(fleet, change, number);
  return fleet;
}

function withChange(
  hosts: readonly HostState[],
  change: FleetChange,
  number: number,
): readonly HostState[] {
  switch (change.do) {
    case "add": {
      const like = bare(named(hosts, change.like));
      const added = Array.from({ length: change.count }, (_, i): HostState => {
        const name = `${like.name}+${number + 1}.${i + 1}`;
        const devices = like.devices.map((device) => ({ ...device, id: `${name}/${device.id}` }));
        return { ...like, id: name, name, up: true, schedulable: true, devices };
      });
      return [...hosts, ...added];
    }
    case "remove": {
      const { id } = named(hosts, change.host);
      return hosts.filter((host) => host.id !== id);
    }
    case "pool": {
      if (!hosts.some(({ pool }) => pool?.name === change.pool)) {
        throw new Failure("not_found", `No host is in a pool named ${change.pool}.`);
      }
      return hosts.map((host) =>
        host.pool?.name === change.pool ? { ...host, pool: withRules(host.pool, change) } : host,
      );
    }
  }
}

function withRules(
  pool: PoolState,
  { slicesMax, reservePercent, spread }: Extract<FleetChange, { do: "pool" }>,
): PoolState {
  return {
    ...pool,
    slicesMax: slicesMax ?? pool.slicesMax,
    reservePercent: reservePercent ?? pool.reservePercent,
    spread: spread ?? pool.spread,
  };
}

function named(hosts: readonly HostState[], name: string): HostState {
  const found = hosts.find((host) => host.name === name || host.id === name);
  if (found === undefined) throw new Failure("not_found", `There is no host named ${name}.`);
  return found;
}

/** The host with nothing on it, and in reach. */
export function bare(host: HostState): HostState {
  return {
    ...host,
    awaySince: null,
    milliCpusUsed: 0,
    memoryBytesUsed: 0,
    diskBytesUsed: 0,
    hugePagesMiBUsed: { "2Mi": 0, "1Gi": 0 },
    numaNodes: host.numaNodes.map((node) => ({ ...node, milliCpusUsed: 0, memoryBytesUsed: 0 })),
    devices: host.devices.map((device) => ({ ...device, slice: 0, claims: 0, tenants: [] })),
    antiAffineTenants: [],
  };
}

/** Of the hosts that are up. */
export function sizeOf(hosts: readonly HostState[]): FleetSize {
  const up = hosts.filter((host) => host.up);
  return {
    milliCpus: up.reduce((sum, { milliCpus }) => sum + milliCpus, 0),
    gpus: up.reduce((sum, { devices }) => sum + devices.filter((each) => each.healthy).length, 0),
  };
}
