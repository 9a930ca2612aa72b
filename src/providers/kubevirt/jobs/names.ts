/** Names, labels and annotations of a job's objects: from stored facts, so a repeat finds what is there. */
import { createHash } from "node:crypto";

import { labelKeys, ourLabels, ownerLabels } from "#providers/kubevirt/compile/labels.ts";
import type { Labels } from "#providers/kubevirt/objects/meta.ts";

import type { JobAsk, JobSite, Tier } from "./model.ts";

export const attemptLabel = "millrace.dev/attempt";
/** The machines that the members stand for, by rank: what is in the cluster says whose it is. */
export const membersAnnotation = "millrace.dev/members";
/** On a tenant's queues: what his quota follows, as it was known last. */
export const tierLabel = "millrace.dev/tier";
export const agentPolicyName = "job-agents";
/** Says on every pod that what keeps its share of a card apart is software: no wall. */
export const softSharingLabel = "millrace.dev/soft-gpu-sharing";
/**
 * Keeps an ended pod until its times are recorded: Kueue's eviction and a Job's end delete pods, and
 * with them the only word of when the program ran. Who records them takes it off.
 */
export const meteringFinalizer = "millrace.dev/metering";

export function jobName(attemptId: string): string {
  return `j-${attemptId}`;
}

export function accessName(attemptId: string): string {
  return `${jobName(attemptId)}-access`;
}

/** What a tenant's jobs are charged to: what is his, or what others leave over. */
export function tenantQueue(tenantId: string, preemptible: boolean): string {
  return preemptible ? `t-${tenantId}-spot` : `t-${tenantId}`;
}

export function localQueueName(preemptible: boolean): string {
  return preemptible ? "spot" : "jobs";
}

/**
 * Of the order within a queue. Classes have no namespace: with the control plane's name in theirs, as the
 * site's policies have, two on one cluster do not take them from each other.
 */
export function tierClass({ controlPlaneId }: NameOf, tier: Tier): string {
  return `millrace-${controlPlaneId}-${tier}`;
}

/** Of pods. */
export function podClass({ controlPlaneId }: NameOf, tier: Tier): string {
  return `millrace-${controlPlaneId}-job-${tier}`;
}

type NameOf = Pick<JobSite, "controlPlaneId">;

/** The same text always under the same name, so that a running job never sees another one. */
export function contentName(prefix: string, texts: readonly string[]): string {
  const hash = createHash("sha256").update(JSON.stringify(texts)).digest("hex");
  return `${prefix}-${hash.slice(0, 12)}`;
}

export function jobLabels(site: JobSite, ask: JobAsk): Labels {
  return { ...ownerLabels(site.controlPlaneId, ask.owner), [attemptLabel]: ask.attemptId };
}

export function tenantLabels(site: JobSite, tenantId: string): Labels {
  return { ...ourLabels(site.controlPlaneId), [labelKeys.tenant]: tenantId };
}

/** The machines that a job's members stand for, by rank, as its object says. */
export function memberIdsOf(annotations: Labels): readonly string[] {
  return (annotations[membersAnnotation] ?? "").split(",").filter((id) => id !== "");
}
