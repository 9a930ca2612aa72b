/**
 * What metering rests on: when a job was let in and taken off, and when each program began and ended, by
 * the cluster's own timestamps, each with the object and the version of it that told. A transition has
 * the same key however often it is read, so a watcher that was away neither loses nor repeats a second.
 */
import type { Ending } from "./ending.ts";
import { podRun } from "./pod-end.ts";
import { isTrue, type SeenPod, type SeenWorkload } from "./seen.ts";

export interface JobTransition {
  readonly key: string;
  readonly kind: "quota_reserved" | "admitted" | "evicted" | "started" | "ended";
  readonly at: number;
  readonly rank?: number;
  /** Which object told it, and in which version. */
  readonly object: string;
  readonly resourceVersion: string;
}

const kinds = [
  ["QuotaReserved", "quota_reserved"],
  ["Admitted", "admitted"],
  ["Evicted", "evicted"],
] as const;

export function workloadTransitions(workload: SeenWorkload | undefined): readonly JobTransition[] {
  if (workload === undefined) return [];
  const { metadata, status } = workload;
  return kinds.flatMap(([type, kind]) => {
    const at = isTrue(status.conditions, type)?.lastTransitionTime;
    if (at === undefined) return [];
    return [{ key: `${metadata.uid}/${kind}/${at}`, kind, at, ...told("Workload", metadata) }];
  });
}

export function podTransitions(
  pods: ReadonlyMap<number, readonly SeenPod[]>,
  evicted?: Ending,
): readonly JobTransition[] {
  return [...pods]
    .flatMap(([rank, all]) => all.map((pod) => ({ rank, pod })))
    .flatMap(({ rank, pod }): readonly JobTransition[] => {
      const { startedAt, ended } = podRun(pod, evicted);
      // A pod whose program never ran costs nothing, and has no time to tell.
      if (startedAt === undefined) return [];
      const of = { rank, ...told("Pod", pod.metadata) };
      const { uid } = pod.metadata;
      const began = { key: `${uid}/started`, kind: "started" as const, at: startedAt, ...of };
      if (ended === undefined) return [began];
      return [began, { key: `${uid}/ended`, kind: "ended", at: ended.at, ...of }];
    })
    .toSorted((a, b) => a.at - b.at);
}

function told(
  kind: string,
  metadata: SeenPod["metadata"],
): Pick<JobTransition, "object" | "resourceVersion"> {
  const { namespace, name, resourceVersion } = metadata;
  return { object: `${kind} ${namespace}/${name}`, resourceVersion };
}
