/**
 * The typical requests of a trace: the most frequent specifications that make up 95 % of its pods,
 * from the original list, before anything arrives, as FGD gets it.
 */
import type { Names } from "#flow/place/engine/names.ts";
import type { Demand } from "#flow/place/engine/policy.ts";

import type { Pod } from "./trace.ts";

const typicalShare = 0.95;

export function demandOf(pods: readonly Pod[], models: Names): Demand {
  const counts = new Map<string, { readonly pod: Pod; count: number }>();
  for (const pod of pods) {
    const key = `${pod.cpuMilli} ${pod.gpuMilli} ${pod.gpuCount} ${pod.spec}`;
    const seen = counts.get(key);
    if (seen === undefined) counts.set(key, { pod, count: 1 });
    else seen.count += 1;
  }
  const typical: { readonly pod: Pod; readonly count: number }[] = [];
  let covered = 0;
  for (const entry of [...counts.values()].toSorted(byFrequency)) {
    if (covered >= typicalShare * pods.length) break;
    typical.push(entry);
    covered += entry.count;
  }
  return typical.map(({ pod, count }) => ({
    cpuMilli: pod.cpuMilli,
    gpuCount: pod.gpuCount,
    gpuMilli: pod.gpuMilli,
    models: pod.spec === "" ? -1 : models.known(pod.spec.split("|")).bits,
    // Divided twice, because the published figures were and hang on the last bit.
    share: count / pods.length / (covered / pods.length),
  }));
}

function byFrequency(
  a: { readonly pod: Pod; readonly count: number },
  b: { readonly pod: Pod; readonly count: number },
): number {
  return (
    b.count - a.count ||
    b.pod.cpuMilli - a.pod.cpuMilli ||
    b.pod.gpuMilli - a.pod.gpuMilli ||
    b.pod.gpuCount - a.pod.gpuCount ||
    (a.pod.spec < b.pod.spec ? 1 : -1)
  );
}
