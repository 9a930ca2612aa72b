/**
 * The end of an attempt in the cluster. A member that is taken away before its program has ended takes
 * the Job with it, at once; what is left of the others is theirs: their ends are told as what they are.
 * The record goes last, when nothing of the member runs any more: until then the machine is there.
 */
import { isConflict } from "#providers/kubevirt/driver/errors.ts";
import { noteGone } from "#providers/kubevirt/driver/removal.ts";
import type { Kind } from "#providers/kubevirt/client/kind.ts";
import { namespaceName } from "#providers/kubevirt/compile/names.ts";
import type { Ending } from "#providers/kubevirt/jobs/ending.ts";
import type { TakenAway } from "#providers/kubevirt/jobs/observe.ts";
import { accessName, jobName } from "#providers/kubevirt/jobs/names.ts";
import { jobKinds } from "#providers/kubevirt/objects/jobs.ts";
import { kinds } from "#providers/kubevirt/objects/kinds.ts";
import type { Call, OperationRef, ReadCall } from "#providers/provider.ts";

import { demandOwner, type JobHands } from "./hands.ts";
import { goingAnnotation, type MemberRecord } from "./record.ts";
import { runNoteAnnotation } from "./run-note.ts";
import type { AttemptSeen } from "./view.ts";

/** What a program that was ended by us gets; the kubelet takes no less. */
const graceSeconds = 1;
/** Somebody else may write at the same time; not for ever. */
const triesMax = 6;

export const orderedAway: Ending = { end: { kind: "interrupted" }, by: "order", why: null };

export async function removeMember(
  hands: JobHands,
  call: Call,
  machineId: string,
): Promise<OperationRef> {
  const ref = { id: call.operationId, machineId, native: "delete" };
  await hands.base.demandClaim(call);
  const found = await hands.find(call, machineId);
  if (found === undefined) return ref;
  demandOwner(found, call);
  const { base } = hands;
  const namespace = namespaceName(call.owner.projectId);
  await noteGone(base, call, { namespace, machineId });
  const { going } = found;
  if (!going) await markGoing(hands, call, found);
  const seen = hands.attemptOf(found);
  const isWhole = found.run?.ended === undefined;
  if (isWhole) await stopAttempt(hands, call, seen);
  await finishMember(hands, call, found.machineId);
  return ref;
}

async function markGoing(hands: JobHands, call: Call, member: MemberRecord): Promise<void> {
  const { client, now } = hands.base;
  const patch = { metadata: { annotations: goingAnnotation(now()) } };
  const name = { namespace: member.namespace, name: member.name };
  const written = await client.patch(call, kinds.configMap, { name, patch });
  if (written !== undefined) hands.view.members.put(written.object);
}

/** Nothing of it begins any more, and what runs is ended. Twice is the same as once. */
export async function stopAttempt(
  hands: JobHands,
  call: ReadCall,
  seen: AttemptSeen,
): Promise<void> {
  await hands.exchange.over(seen.attemptId);
  await noteTold(hands, call, seen, { at: hands.base.now(), ending: orderedAway });
  await removeJob(hands, call, seen);
  const { client } = hands.base;
  for (const { seen: pod } of seen.pods) {
    const { namespace, name, deletionTimestamp, uid } = pod.metadata;
    if (deletionTimestamp !== undefined) continue;
    // oxlint-disable-next-line no-await-in-loop -- a few
    await client.delete({ ...call, uid, graceSeconds }, kinds.pod, { namespace, name });
  }
}

/** Before the Job goes, and the cluster's word for why with it. */
export async function noteTold(
  hands: JobHands,
  call: ReadCall,
  seen: AttemptSeen,
  told: TakenAway,
): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    const { members } = hands.view.attempt(seen.attemptId);
    const member = members.find(({ run }) => run?.ended === undefined);
    const isTold = members.some(({ run }) => run?.told !== undefined);
    if (member === undefined || isTold) return;
    try {
      // oxlint-disable-next-line no-await-in-loop -- again only where somebody else wrote
      await hands.annotate(call, member, runNoteAnnotation({ ...member.run, told }));
      return;
    } catch (error) {
      if (!isConflict(error) || tries === triesMax) throw error;
      // oxlint-disable-next-line no-await-in-loop -- as above
      await hands.look(call, member);
    }
  }
}

export async function removeJob(
  hands: JobHands,
  call: ReadCall,
  { attemptId, members, job, volcanoJob }: AttemptSeen,
): Promise<void> {
  const { client } = hands.base;
  const namespace = members[0]?.namespace ?? (job ?? volcanoJob)?.metadata.namespace;
  if (namespace === undefined) return;
  const name = jobName(attemptId);
  await client.delete(call, kindOfJob(hands), { namespace, name });
  const parts = [
    [kinds.secret, accessName(attemptId)],
    ...((members[0]?.size ?? 1) > 1 ? [[kinds.service, name] as const] : []),
  ] as const;
  for (const [kind, part] of parts) {
    // oxlint-disable-next-line no-await-in-loop -- two
    await client.delete(call, kind, { namespace, name: part });
  }
}

/** Past the watch. */
export async function jobInCluster(
  hands: JobHands,
  { signal }: ReadCall,
  { attemptId, members }: AttemptSeen,
): Promise<boolean> {
  const { client } = hands.base;
  const name = { namespace: members[0]?.namespace ?? "", name: jobName(attemptId) };
  const object = await client.get({ signal }, kindOfJob(hands), name);
  if (object === undefined) return false;
  (hands.jobs.batch === "kueue" ? hands.view.jobs : hands.view.volcanoJobs).put(object);
  return true;
}

function kindOfJob({ jobs }: JobHands): Kind {
  return jobs.batch === "kueue" ? kinds.job : jobKinds.volcanoJob;
}

/** The record goes once nothing of the member is left in the cluster; else the keeper comes back to it. */
export async function finishMember(
  hands: JobHands,
  call: ReadCall,
  machineId: string,
): Promise<void> {
  const member = hands.view.members.get(machineId);
  if (member?.going !== true) return;
  const seen = hands.attemptOf(member);
  const isLast = seen.members.length === 1;
  if (isLast && (seen.job ?? seen.volcanoJob) !== undefined) await removeJob(hands, call, seen);
  // Of one that has ended there is no more to come; the last one takes all with it.
  const isOver = member.run?.ended !== undefined && !isLast;
  if (!isOver && hands.attemptOf(member).pods.length > 0) return;
  const { client } = hands.base;
  const { namespace, name } = member;
  await client.delete(call, kinds.configMap, { namespace, name });
  if (isLast) await hands.exchange.remove(seen.attemptId);
}
