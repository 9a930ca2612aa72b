/**
 * How much of each pool ordinary work may still take: what its hosts that are up and take work have,
 * less the reserve for what comes after a fault, less what is held. Pure; the same rule as the views
 * `pool_room` and `pool_gpu_room` of the schema, which refuse a commit that breaks it. Whole numbers
 * rounded down, so that this is never more generous than the schema.
 */
import { mebibyte } from "#kernel/shape.ts";

import type { HostState } from "./host-state.ts";

/** A whole device; 1 to 16 divide it, so that sums of slices are exact. */
export const unitsOfDevice = 720_720;

/** Below zero while work after a fault uses the reserve. What is placed on paper is counted in it. */
export interface OrdinaryRoom {
  milliCpus: number;
  memoryMiB: number;
  /** By model, in `unitsOfDevice`. */
  readonly gpuUnits: Map<string, number>;
}

/** By id of the pool; pools without a reserve have no entry, as their hosts are the only bound. */
export function ordinaryRoom(hosts: readonly HostState[]): Map<string, OrdinaryRoom> {
  const tallies = new Map<string, Tally>();
  for (const host of hosts) {
    const { pool } = host;
    if (pool === null || pool.reservePercent === 0 || !host.up || !host.schedulable) continue;
    const tally = tallies.get(pool.id) ?? {
      openPercent: 100 - pool.reservePercent,
      cpu: { has: 0, used: 0 },
      memory: { has: 0, used: 0 },
      gpus: new Map(),
    };
    tallies.set(pool.id, tally);
    add(tally.cpu, host.milliCpus, host.milliCpusUsed);
    add(
      tally.memory,
      Math.floor(host.memoryBytes / mebibyte),
      Math.ceil(host.memoryBytesUsed / mebibyte),
    );
    for (const { healthy, model, claims, slice } of host.devices) {
      if (!healthy) continue;
      const of = tally.gpus.get(model) ?? { has: 0, used: 0 };
      tally.gpus.set(model, of);
      add(of, unitsOfDevice, claims === 0 ? 0 : claims * Math.floor(unitsOfDevice / slice));
    }
  }
  return new Map([...tallies].map(([id, tally]) => [id, roomOf(tally)]));
}

interface Amount {
  has: number;
  used: number;
}

interface Tally {
  readonly openPercent: number;
  readonly cpu: Amount;
  readonly memory: Amount;
  readonly gpus: Map<string, Amount>;
}

function add(to: Amount, has: number, used: number): void {
  to.has += has;
  to.used += used;
}

function roomOf({ openPercent, cpu, memory, gpus }: Tally): OrdinaryRoom {
  const open = ({ has, used }: Amount): number => Math.floor((has * openPercent) / 100) - used;
  return {
    milliCpus: open(cpu),
    memoryMiB: open(memory),
    gpuUnits: new Map([...gpus].map(([model, amount]) => [model, open(amount)])),
  };
}
