/**
 * Pods of jobs as evidence: held by a finalizer until what they tell is written down, and let go of then.
 * Volcano hands no finalizers on, so there the pods are held when they are first seen; and it tells of an
 * eviction by an event.
 */
import { z } from "zod";

import { isConflict } from "#providers/kubevirt/driver/errors.ts";
import type { MemberSight } from "#providers/kubevirt/jobs/members.ts";
import { meteringFinalizer } from "#providers/kubevirt/jobs/names.ts";
import { mainContainer, reportContainer } from "#providers/kubevirt/jobs/pod.ts";
import { kinds } from "#providers/kubevirt/objects/kinds.ts";
import type { ReadCall } from "#providers/provider.ts";

import type { JobHands } from "./hands.ts";
import type { AttemptSeen, KeptPod } from "./view.ts";

/** A log and results that have not come home by then will not. */
const homeMsMax = 360_000;
/** A node that does not answer keeps nobody waiting longer. */
const silentMsMax = 300_000;

/** Whether all that an ended member left behind is home, or will not come. */
export async function isHome(
  { exchange }: JobHands,
  of: {
    readonly seen: AttemptSeen;
    readonly shown: MemberSight;
    readonly name: string;
    readonly now: number;
  },
): Promise<boolean> {
  const { seen, shown, name, now } = of;
  const { end, endedAt = now } = shown.workload;
  if (end === undefined) return false;
  const pod = seen.pods.find((each) => each.seen.metadata.name === shown.pod)?.seen;
  if (pod === undefined || now - endedAt > homeMsMax) return true;
  const { phase, containerStatuses, initContainerStatuses } = pod.status;
  if (phase === "Succeeded" || phase === "Failed") return true;
  const main = containerStatuses.find((each) => each.name === mainContainer);
  // It ended without its node's word: nothing will come from there.
  if (main?.state.terminated === undefined) return true;
  const report = initContainerStatuses.find((each) => each.name === reportContainer);
  if (report?.state.terminated !== undefined) return true;
  return (await exchange.report(seen.attemptId, name)) !== undefined;
}

/** True if some pod is held still although it is to go. */
export async function letGo(hands: JobHands, call: ReadCall, seen: AttemptSeen): Promise<boolean> {
  let holds = false;
  for (const pod of seen.pods) {
    if (!pod.finalizers.includes(meteringFinalizer)) continue;
    if (mayGo(pod, seen, hands.base.now())) {
      const finalizers = pod.finalizers.filter((each) => each !== meteringFinalizer);
      // oxlint-disable-next-line no-await-in-loop -- a few
      await setFinalizers(hands, call, pod, finalizers);
    } else if (pod.seen.metadata.deletionTimestamp !== undefined) {
      holds = true;
    }
  }
  return holds;
}

function mayGo({ seen: pod }: KeptPod, { members }: AttemptSeen, now: number): boolean {
  const { deletionTimestamp: deletedAt, name } = pod.metadata;
  const { phase } = pod.status;
  const isOver =
    phase === "Succeeded" ||
    phase === "Failed" ||
    (deletedAt !== undefined && !isRunning(pod)) ||
    (deletedAt !== undefined && now - deletedAt > silentMsMax);
  const member = members.find(({ run }) => run?.pod === name);
  if (member?.run?.ended !== undefined) return isOver || deletedAt !== undefined;
  // What was never seen to run tells of no time; a second run is nobody's.
  if (member === undefined) return isOver && (!hasRun(pod) || members.every(isWritten));
  return false;
}

function isWritten({ run }: AttemptSeen["members"][number]): boolean {
  return run?.ended !== undefined;
}

function hasRun({ status }: KeptPod["seen"]): boolean {
  return status.containerStatuses.some(
    ({ state }) => (state.running ?? state.terminated) !== undefined,
  );
}

function isRunning({ status }: KeptPod["seen"]): boolean {
  const all = [...status.containerStatuses, ...status.initContainerStatuses];
  return all.some(({ state }) => state.running !== undefined);
}

/** Volcano's pods, before they can end. */
export async function holdPods(
  hands: JobHands,
  call: ReadCall,
  { pods, members }: AttemptSeen,
): Promise<void> {
  if (members.every(isWritten)) return;
  for (const pod of pods) {
    const { deletionTimestamp, name } = pod.seen.metadata;
    if (deletionTimestamp !== undefined || pod.finalizers.includes(meteringFinalizer)) continue;
    if (members.some(({ run }) => run?.pod === name && run.ended !== undefined)) continue;
    // oxlint-disable-next-line no-await-in-loop -- a few
    await setFinalizers(hands, call, pod, [...pod.finalizers, meteringFinalizer]);
  }
}

async function setFinalizers(
  { base, view }: JobHands,
  { signal }: ReadCall,
  { seen: { metadata } }: KeptPod,
  finalizers: readonly string[],
): Promise<void> {
  const { namespace, name, resourceVersion } = metadata;
  const patch = { metadata: { resourceVersion, finalizers } };
  try {
    const change = { name: { namespace, name }, patch };
    const written = await base.client.patch({ signal }, kinds.pod, change);
    if (written !== undefined) view.pods.put(written.object);
  } catch (error) {
    // Its status changed meanwhile, which is told and looked at again.
    if (!isConflict(error)) throw error;
  }
}

const event = z.object({
  reason: z.string().default(""),
  message: z.string().default(""),
  involvedObject: z.object({ name: z.string().default("") }).prefault({}),
});

const endedPhases = new Set(["Aborted", "Terminated", "Failed"]);

/** Asked once a Job of Volcano has ended as a whole, or a pod of it goes: either may be told first. */
export async function volcanoEvictSaid(
  { base }: JobHands,
  { signal }: ReadCall,
  { volcanoJob, pods, members }: AttemptSeen,
): Promise<string | undefined> {
  const phase = volcanoJob?.status.state.phase ?? "";
  const namespace = members[0]?.namespace;
  const goes = pods.some(({ seen }) => seen.metadata.deletionTimestamp !== undefined);
  const hasEnded = endedPhases.has(phase) || goes;
  if (!hasEnded || namespace === undefined || members.every(isWritten)) return undefined;
  const fields = "reason=Evict";
  const { items } = await base.client.list({ signal }, kinds.event, { namespace, fields });
  const names = new Set(pods.map(({ seen }) => seen.metadata.name));
  return items
    .map((each) => event.parse(each))
    .find(({ involvedObject }) => names.has(involvedObject.name))?.message;
}
