/**
 * Published policies that look at one host's totals only, as the openb experiment defines them:
 * best fit, dot product, GPU packing. They are here to be compared with.
 */
import { wholeGpu } from "./amounts.ts";
import type { Fleet } from "./fleet.ts";
import type { Kind } from "./kind.ts";
import type { Policy } from "./policy.ts";

/** The largest host of that experiment, by which they divide. */
const cpuMilliMax = 128_000;
const gpuMilliMax = 8 * wholeGpu;

/** The least left over, CPU and GPU alike. */
export function bestFit(fleet: Fleet): Policy {
  return {
    score: (slot, kind) => {
      const cpu = ((fleet.free.cpuMilli[slot] ?? 0) - kind.cpuMilli) / cpuMilliMax;
      const gpu = ((fleet.gpus.freeSum[slot] ?? 0) - kind.gpuCount * kind.gpuMilli) / gpuMilliMax;
      return Math.trunc((1 - (0.5 * cpu + 0.5 * gpu)) * 100);
    },
  };
}

/** The least product of what is left and what is asked. */
export function dotProduct(fleet: Fleet): Policy {
  return {
    score: (slot, kind) => {
      const cpu = ((fleet.free.cpuMilli[slot] ?? 0) / cpuMilliMax) * (kind.cpuMilli / cpuMilliMax);
      const asked = (kind.gpuCount * kind.gpuMilli) / gpuMilliMax;
      const gpu = ((fleet.gpus.freeSum[slot] ?? 0) / gpuMilliMax) * asked;
      return Math.trunc(100 * (1 - 0.5 * (cpu + gpu)));
    },
  };
}

/** GPUs in use before free ones, hosts in use before free ones. */
export function gpuPacking(fleet: Fleet): Policy {
  return {
    score: (slot, kind) => {
      if (kind.gpuCount === 0) return 0;
      const count = fleet.gpus.count[slot] ?? 0;
      if (fleet.gpus.wholeFree[slot] === count) return Math.max(33 - count, count);
      const used = smallest(fleet, slot, kind);
      const opened = used.filter((left) => left === wholeGpu).length;
      if (opened > 0) return Math.max(50 - opened, 33);
      const percent = used.reduce((sum, left) => sum + Math.floor((100 * left) / wholeGpu), 0);
      return Math.max(100 - Math.floor(percent / 10), 50);
    },
  };
}

function smallest(fleet: Fleet, slot: number, kind: Kind): number[] {
  const from = slot * fleet.gpus.stride;
  return [...fleet.gpus.free.subarray(from, from + (fleet.gpus.count[slot] ?? 0))]
    .filter((left) => left >= kind.gpuMilli)
    .toSorted((a, b) => a - b)
    .slice(0, kind.gpuCount);
}
