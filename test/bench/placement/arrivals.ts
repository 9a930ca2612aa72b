/**
 * Who arrives in which order, and in which order ties are decided: the openb experiment's "tune 1.3",
 * drawn with the very generator of the published runs, so that results can be compared run by run.
 */
import { GoRandom } from "./go-random.ts";
import type { Pod } from "./trace.ts";

export interface Arrivals {
  readonly pods: readonly Pod[];
  /** Of the i-th node by name, its place in the order of nodes. */
  readonly ranks: readonly number[];
}

export interface Draw {
  readonly seed: number;
  readonly cooked: readonly bigint[];
  /** Sorted by name. */
  readonly pods: readonly Pod[];
  readonly nodeCount: number;
  /** GPU milli of the cluster. */
  readonly capacity: number;
  /** What arrives, as a share of the capacity. */
  readonly percent: number;
}

/** Draws that the published runs lose between arrivals and node order. */
const lostDraws = 10;

export function drawArrivals({ seed, cooked, pods, nodeCount, capacity, percent }: Draw): Arrivals {
  const random = new GoRandom(seed, cooked);
  random.next();
  const list = random.shuffled(pods);
  const target = (capacity * percent) / 100;
  let total = list.reduce((sum, pod) => sum + milliOf(pod), 0);
  if (total > target) {
    while (total > target) {
      const [gone] = list.splice(random.below(list.length), 1);
      if (gone === undefined) break;
      total -= milliOf(gone);
    }
  } else {
    for (;;) {
      const again = pods[random.below(pods.length)];
      // One GPU's worth is compared, whatever their number: so it was done when the figures were made.
      if (again === undefined || total + again.gpuMilli > target) break;
      list.push(again);
      total += milliOf(again);
    }
  }
  for (let lost = 0; lost < lostDraws; lost += 1) random.next();
  return { pods: list, ranks: random.permutation(nodeCount) };
}

export function milliOf(pod: Pod): number {
  return pod.gpuCount * pod.gpuMilli;
}
