/**
 * Our policy. A host is in balance when what is left of it can still be sold: beside each GPU left
 * there must be CPU and memory to go with it, no CPU should be left where the GPUs are gone, and few
 * devices should be cut open. Each of these has a price in CPU; the price of a host is their sum, and
 * a request goes where it lowers that sum most.
 *
 * Only coarsely most: the decrease is cut to steps, then the decrease in unsaleable remainders of
 * slices to finer ones, and what is equal after that goes to the first host. Exact prices pack worse,
 * because they spread requests over all hosts of one shape instead of filling them in order
 * (docs/decisions/0016-placement-engine.md has the figures). All sums are of whole numbers, so every
 * machine decides alike.
 */
import { wholeGpu } from "./amounts.ts";
import { tightestGpu, tightestGpus } from "./feasible.ts";
import type { Fleet } from "./fleet.ts";
import type { Kind } from "./kind.ts";
import type { Demand, Policy } from "./policy.ts";
import { remainders } from "./remainders.ts";

/** Prices are in hundredths of a milli CPU, the quantities beside them in the units that are named. */
export const prices = {
  /** Milli CPU that each milli of a GPU should find beside it: nine cores for a GPU. */
  cpuPerGpu: 9,
  /** MiB for each milli of a GPU: 43 GiB for a GPU. */
  memoryPerGpu: 44,
  /** Of a milli CPU that is missing beside the GPUs left, and of one too many. */
  cpuShort: 100,
  cpuSpare: 53,
  /** Of a MiB that is missing beside the GPUs left. */
  memoryShort: 21,
  /** Of a device that is cut open: nine tenths of a core. */
  gpuOpen: 90_000,
  /** Of a milli of GPU in a remainder that will not be sold. */
  remainder: 360,
  /** Of a free milli CPU: the same for every host, so it only moves the edges of the steps. */
  cpuFree: 4,
  /** A coarse step: about 1.4 cores. */
  step: 138_700,
  /** A fine step, in milli of GPU in remainders. */
  fineStep: 55,
} as const;

/** Fine steps in a coarse one. */
const fineSteps = 1024;

export function balance(fleet: Fleet, demand: Demand): Policy {
  const remainder = remainders(demand);

  /** What cutting the devices changes: how many are open, how much of them is remainder. */
  const cut = (slot: number, number: number, milli: number): { open: number; lost: number } => {
    const left = fleet.gpus.free[slot * fleet.gpus.stride + number] ?? 0;
    return {
      open: isOpen(left) - isOpen(left - milli),
      lost: (remainder[left] ?? 0) - (remainder[left - milli] ?? 0),
    };
  };

  const cuts = (slot: number, kind: Kind): { open: number; lost: number } => {
    if (kind.gpuMilli === wholeGpu || kind.gpuCount === 0) {
      return { open: 0, lost: kind.gpuCount * (remainder[wholeGpu] ?? 0) };
    }
    if (kind.gpuCount === 1) return cut(slot, tightestGpu(fleet, slot, kind), kind.gpuMilli);
    return tightestGpus(fleet, slot, kind)
      .map((number) => cut(slot, number, kind.gpuMilli))
      .reduce((a, b) => ({ open: a.open + b.open, lost: a.lost + b.lost }));
  };

  return {
    score: (slot, kind) => {
      const cpu = fleet.free.cpuMilli[slot] ?? 0;
      const memory = fleet.free.memoryMiB[slot] ?? 0;
      const gpu = fleet.gpus.freeSum[slot] ?? 0;
      const asked = kind.gpuCount * kind.gpuMilli;
      const { open, lost } = cuts(slot, kind);
      const decrease =
        imbalance(cpu, memory, gpu) -
        imbalance(cpu - kind.cpuMilli, memory - kind.memoryMiB, gpu - asked) +
        prices.gpuOpen * open +
        prices.remainder * lost +
        prices.cpuFree * kind.cpuMilli;
      const coarse = Math.floor(decrease / prices.step);
      const fine = Math.floor(lost / prices.fineStep);
      return coarse * fineSteps + Math.max(-fineSteps / 2, Math.min(fineSteps / 2 - 1, fine));
    },
  };
}

/** The price of what is left of CPU, memory and GPU not going together. */
function imbalance(cpuMilli: number, memoryMiB: number, gpuMilli: number): number {
  const spare = cpuMilli - prices.cpuPerGpu * gpuMilli;
  const short = prices.memoryPerGpu * gpuMilli - memoryMiB;
  const ofCpu = spare > 0 ? prices.cpuSpare * spare : -prices.cpuShort * spare;
  return short > 0 ? ofCpu + prices.memoryShort * short : ofCpu;
}

function isOpen(left: number): number {
  return left > 0 && left < wholeGpu ? 1 : 0;
}
