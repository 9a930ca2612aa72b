/** Kueue's rules beside quota: whom work pushes out of its own queue, and which flavor takes it. */
import { kinds } from "#providers/kubevirt/objects/kinds.ts";
import type { Document } from "#test/kube/api/document.ts";
import { at, listAt, textAt, textsAt } from "#test/kube/api/json.ts";
import type { Store } from "#test/kube/api/store.ts";

import { ownerName } from "./writing.ts";

/**
 * For what is above its queue's own quota Kueue looks for nobody to push out, not even in the same
 * queue, unless the queue may push out while it borrows.
 */
export function mayPushOut(queue: Document): boolean {
  const preemption = ["spec", "preemption"] as const;
  return (
    textAt(queue, ...preemption, "withinClusterQueue") === "LowerPriority" &&
    textAt(queue, ...preemption, "borrowWithinCohort", "policy") === "LowerPriority"
  );
}

/** Who speaks of a topology is taken by no flavor without one. */
export function isBarred(store: Store, workload: Document, flavor: string): boolean {
  const [set] = listAt(workload, "spec", "podSets");
  const said = textsAt(set, "template", "metadata", "annotations");
  if (said["kueue.x-k8s.io/podset-preferred-topology"] === undefined) return false;
  return textAt(store.get(kinds.resourceFlavor, { name: flavor }), "spec", "topologyName") === "";
}

/** By the class that its Job names; 0 without. */
export function priorityOf(store: Store, workload: Document): number {
  const { namespace } = workload.metadata;
  const job = store.get(kinds.job, { namespace, name: ownerName(workload, "Job") ?? "" });
  const name = job?.metadata.labels?.["kueue.x-k8s.io/priority-class"] ?? "";
  return Number(at(store.get(kinds.workloadPriorityClass, { name }), "value") ?? 0);
}
