/**
 * Spread: the host that has the most left, as a share of what it has, of the resource that would be
 * the scarcest there. For pools where a host's fault should cost little, and a busy neighbor too.
 */
import { wholeGpu } from "./amounts.ts";
import type { Fleet } from "./fleet.ts";
import type { Kind } from "./kind.ts";
import type { Policy } from "./policy.ts";

/** Steps of a share; what is equal by them goes to the first host. */
const steps = 1000;

export function spread({ free, total, gpus }: Fleet): Policy {
  return {
    score: (slot: number, kind: Kind) => {
      const shares = [
        share((free.cpuMilli[slot] ?? 0) - kind.cpuMilli, total.cpuMilli[slot] ?? 0),
        share((free.memoryMiB[slot] ?? 0) - kind.memoryMiB, total.memoryMiB[slot] ?? 0),
      ];
      if (kind.gpuCount > 0) {
        const left = (gpus.freeSum[slot] ?? 0) - kind.gpuCount * kind.gpuMilli;
        shares.push(share(left, (gpus.count[slot] ?? 0) * wholeGpu));
      }
      return Math.min(...shares);
    },
  };
}

function share(left: number, whole: number): number {
  return whole === 0 ? 0 : Math.floor((left * steps) / whole);
}
