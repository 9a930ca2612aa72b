/**
 * FGD, fragmentation gradient descent (Weng et al., USENIX ATC 2023): of a host's idle GPU capacity,
 * how much can a request drawn from the demand not use? The host whose fragments grow least wins. The
 * sums are made category by category because the published figures hang on the last bit: the score is
 * cut off to a whole number, so a tie is decided by it.
 */
import { wholeGpu } from "./amounts.ts";
import { tightestGpus } from "./feasible.ts";
import type { Fleet } from "./fleet.ts";
import type { Kind } from "./kind.ts";
import type { Demand, DemandShare, Policy } from "./policy.ts";

/** The idle GPU capacity of a host, before or after a placement. */
interface Idle {
  readonly cpuMilli: number;
  readonly models: number;
  readonly gpus: Int32Array;
}

/** Milli of GPU that the demand, on average, cannot use. */
export function fragment(demand: Demand, idle: Idle): number {
  const sum = idle.gpus.reduce((all, left) => all + left, 0);
  let lackBoth = 0;
  let lackGpu = 0;
  let lackCpu = 0;
  let plainFits = 0;
  let plainLacksCpu = 0;
  let noModel = 0;
  for (const wanted of demand) {
    const enoughCpu = idle.cpuMilli >= wanted.cpuMilli;
    const whole = wanted.share * sum;
    if (wanted.gpuCount === 0) {
      if (enoughCpu) plainFits += whole;
      else plainLacksCpu += whole;
    } else if ((idle.models & wanted.models) === 0) {
      noModel += whole;
    } else {
      const small = tooSmall(idle.gpus, wanted);
      if (small === undefined) {
        if (enoughCpu) lackGpu += whole;
        else lackBoth += whole;
      } else if (enoughCpu) {
        lackGpu += wanted.share * small;
      } else {
        lackCpu += whole;
      }
    }
  }
  return lackBoth + lackGpu + lackCpu + plainFits + plainLacksCpu + noModel;
}

/** What is left on devices too small for it, or undefined when too few are large enough. */
function tooSmall(gpus: Int32Array, { gpuCount, gpuMilli }: DemandShare): number | undefined {
  let enough = 0;
  let small = 0;
  for (const left of gpus) {
    if (left >= gpuMilli) enough += 1;
    else small += left;
  }
  return enough >= gpuCount ? small : undefined;
}

export function fragmentGradient(fleet: Fleet, demand: Demand): Policy {
  const before = new Map<number, { readonly version: number; readonly milli: number }>();

  const idleOf = (slot: number): Idle => {
    const from = slot * fleet.gpus.stride;
    return {
      cpuMilli: fleet.free.cpuMilli[slot] ?? 0,
      models: fleet.gpus.models[slot] ?? 0,
      gpus: fleet.gpus.free.slice(from, from + (fleet.gpus.count[slot] ?? 0)),
    };
  };

  const fragmentsNow = (slot: number, idle: Idle): number => {
    const version = fleet.version[slot] ?? 0;
    const known = before.get(slot);
    if (known?.version === version) return known.milli;
    const milli = fragment(demand, idle);
    before.set(slot, { version, milli });
    return milli;
  };

  const scoreWith = (slot: number, kind: Kind, gpus: readonly number[]): number => {
    const idle = idleOf(slot);
    const was = fragmentsNow(slot, idle);
    for (const number of gpus) idle.gpus[number] = (idle.gpus[number] ?? 0) - kind.gpuMilli;
    const is = fragment(demand, { ...idle, cpuMilli: idle.cpuMilli - kind.cpuMilli });
    return Math.trunc((1 / (1 + Math.exp((is - was) / wholeGpu))) * 100);
  };

  /** For a slice every device is tried; the first of the best is the one. */
  const best = (slot: number, kind: Kind): { score: number; gpus: number[] } => {
    if (kind.gpuCount !== 1 || kind.gpuMilli === wholeGpu) {
      const gpus = tightestGpus(fleet, slot, kind);
      return { score: scoreWith(slot, kind, gpus), gpus };
    }
    let found: { score: number; gpus: number[] } | undefined;
    for (let number = 0; number < (fleet.gpus.count[slot] ?? 0); number += 1) {
      if (!fleet.gpus.takes(slot, number, kind)) continue;
      const score = scoreWith(slot, kind, [number]);
      if (found === undefined || score > found.score) found = { score, gpus: [number] };
    }
    return found ?? { score: 0, gpus: [] };
  };

  return {
    score: (slot, kind) => best(slot, kind).score,
    gpus: (slot, kind) => best(slot, kind).gpus,
  };
}
