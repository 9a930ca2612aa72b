/**
 * Who comes first. Two kinds of class bear the tiers: Kueue's order its queue, and the cluster's own
 * order the pods. The latter never push anything out by themselves under Kueue (it decides about that),
 * and all of them stay below machines, which would be powered off.
 */
import { ourLabels } from "#providers/kubevirt/compile/labels.ts";
import type { PriorityClass, WorkloadPriorityClass } from "#providers/kubevirt/objects/jobs.ts";

import type { JobSite, Tier } from "./model.ts";
import { podClass, tierClass } from "./names.ts";

/** Whoever has a package with credit comes as gold (R-PKG-8): for the caller to say. */
export const classValues: Readonly<Record<Tier, number>> = {
  diamond: 300,
  gold: 200,
  ordinary: 100,
};

const tiers: readonly Tier[] = ["diamond", "gold", "ordinary"];

export function workloadClasses(site: JobSite): readonly WorkloadPriorityClass[] {
  return tiers.map((tier) => ({
    apiVersion: "kueue.x-k8s.io/v1beta2",
    kind: "WorkloadPriorityClass",
    metadata: { name: tierClass(site, tier), labels: ourLabels(site.controlPlaneId) },
    value: classValues[tier],
    description: `Jobs of ${tier} customers.`,
  }));
}

export function podClasses(site: JobSite): readonly PriorityClass[] {
  return tiers.map((tier) => ({
    apiVersion: "scheduling.k8s.io/v1",
    kind: "PriorityClass",
    metadata: { name: podClass(site, tier), labels: ourLabels(site.controlPlaneId) },
    value: classValues[tier],
    // Volcano asks this class whether a job may push others out; which may be, their pods say.
    preemptionPolicy: site.batch === "volcano" ? "PreemptLowerPriority" : "Never",
    description: `Pods of jobs of ${tier} customers; below every machine.`,
  }));
}
