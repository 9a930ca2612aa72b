/**
 * One attempt as its cluster shows it: each member's state and end in the contract's words, why it
 * waits, and what metering needs. The objects, the last look and the time go in; nothing is remembered
 * here. A look that missed a pod's end finds it later, because an ended pod waits for our finalizer.
 */
import type { Explanation } from "#providers/kubevirt/observe/explanation.ts";

import { type Eviction, evictionOf, explainWait } from "./admission.ts";
import { type Ending, lost, preempted, timedOut } from "./ending.ts";
import { type JobEnd, type MembersAsk, type MemberSight, membersSeen } from "./members.ts";
import { explainStart } from "./starting.ts";
import {
  isFalse,
  isTrue,
  type SeenCondition,
  type SeenJob,
  type SeenPod,
  type SeenPodGroup,
  type SeenVolcanoJob,
  type SeenWorkload,
} from "./seen.ts";
import { type JobTransition, podTransitions, workloadTransitions } from "./transitions.ts";
import { volcanoRank } from "./volcano.ts";

export interface JobSight {
  /** `waiting` for quota, `starting` with pods that do not run yet. */
  readonly state: "waiting" | "starting" | "running" | "ended";
  readonly members: readonly MemberSight[];
  /** Why it waits, or what is wrong; of an end, see the members. */
  readonly condition: Explanation | null;
  readonly transitions: readonly JobTransition[];
  /** What took the attempt as a whole away: to be written down before its job is deleted. */
  readonly taken?: TakenAway;
}

export interface TakenAway {
  readonly at: number;
  /** What began from then on is not the attempt any more: the cluster had let the job in again. */
  readonly until?: number;
  readonly ending: Ending;
}

export interface SightFacts {
  readonly size: number;
  readonly pods: readonly SeenPod[];
  readonly before: readonly MemberSight[];
  readonly now: number;
  readonly logBytes: (rank: number) => number;
  /** Of Volcano's event `Evict` on a pod of it: the node may overwrite what stood on the pod itself. */
  readonly evictSaid?: string;
  /** It was taken away, as is known already: its job may be gone. */
  readonly told?: TakenAway;
}

/** `undefined`: the cluster answered, and does not have it. */
export function kueueSight(
  job: SeenJob | undefined,
  workload: SeenWorkload | undefined,
  facts: SightFacts,
): JobSight {
  const taken = facts.told ?? takenByKueue(workload, facts);
  const again = taken?.until;
  // What began after that is not the attempt any more.
  const mine = again === undefined ? facts.pods : facts.pods.filter((pod) => isBefore(pod, again));
  const pods = Map.groupBy(mine, indexOf);
  const jobEnd = taken ?? kueueEnd(job, facts);
  const seenWith = (by: TakenAway | undefined) => {
    const end = by ?? jobEnd;
    return membersSeen({
      ...facts,
      pods,
      ...(by === undefined ? {} : { evicted: by.ending }),
      ...(end === undefined ? {} : { jobEnd: end }),
    });
  };
  const first = seenWith(taken);
  const lostAway = jobEnd === undefined ? lostMember(first) : undefined;
  return sight(lostAway === undefined ? first : seenWith(lostAway), {
    waits: () => explainWait(workload),
    pods: mine,
    transitions: [
      ...workloadTransitions(workload),
      ...podTransitions(pods, (taken ?? lostAway)?.ending),
    ],
    taken: taken ?? lostAway,
  });
}

/**
 * A pod on a node that is silent does not end, and its Job waits for that: the others would run on
 * without it for as long as the node stays away.
 */
function lostMember(members: readonly MemberSight[]): TakenAway | undefined {
  if (members.every(({ workload }) => workload.state === "ended")) return undefined;
  const culprit = members.find(({ by }) => by === "platform");
  const { endedAt: at, end } = culprit?.workload ?? {};
  if (culprit === undefined || at === undefined || end === undefined) return undefined;
  if (end.kind !== "platform_fault")
    return { at, ending: { end, by: "platform", why: culprit.why } };
  const detail = `member ${culprit.rank} was lost: ${end.detail}`;
  return { at, ending: lost("member_lost", detail, "Look at that member's node.") };
}

function takenByKueue(
  workload: SeenWorkload | undefined,
  facts: SightFacts,
): TakenAway | undefined {
  const eviction = endingEviction(workload, facts);
  if (eviction === undefined) return undefined;
  const { at = facts.now, admittedAgainAt: until, ending } = eviction;
  return { at, ending, ...(until === undefined ? {} : { until }) };
}

/** Taken off before any program ran, it stands in line again: that is no attempt's end. */
function endingEviction(
  workload: SeenWorkload | undefined,
  { pods, before }: SightFacts,
): Eviction | undefined {
  const eviction = evictionOf(workload);
  if (eviction === undefined || eviction.final) return eviction;
  const until = eviction.admittedAgainAt ?? Number.POSITIVE_INFINITY;
  const began =
    pods.some((pod) => hasBegun(pod) && isBefore(pod, until)) ||
    before.some((member) => (member.workload.startedAt ?? until) < until);
  return began ? eviction : undefined;
}

function isBefore({ metadata }: SeenPod, until: number): boolean {
  return (metadata.creationTimestamp ?? 0) < until;
}

function indexOf({ metadata }: SeenPod): number {
  const key = "batch.kubernetes.io/job-completion-index";
  return Number(metadata.annotations[key] ?? metadata.labels[key] ?? 0);
}

function hasBegun({ status }: SeenPod): boolean {
  return status.containerStatuses.some(
    ({ state }) => (state.running ?? state.terminated) !== undefined,
  );
}

function kueueEnd(job: SeenJob | undefined, { now, before }: SightFacts): JobEnd | undefined {
  if (job === undefined) return before.length === 0 ? undefined : { at: now, ending: removed };
  const failed =
    isTrue(job.status.conditions, "Failed") ?? isTrue(job.status.conditions, "FailureTarget");
  if (failed === undefined) return undefined;
  return { at: failed.lastTransitionTime ?? now, ending: failedJob(failed) };
}

const removed: Ending = lost(
  "job_gone",
  "its job was deleted in the cluster, and not by the control plane",
  "Find out who did; its next attempt is a new job.",
);

/** Of a member that shows no end of its own: it was ended because of another. */
function failedJob({ reason, message }: SeenCondition): Ending {
  if (message.includes("DisruptionTarget")) {
    return lost("member_lost", `a member was lost (${message})`, "Look at that member's node.");
  }
  if (reason === "DeadlineExceeded") return timedOut("It reached its time limit.");
  return { end: { kind: "interrupted" }, by: "order", why: null };
}

export function volcanoSight(
  job: SeenVolcanoJob | undefined,
  group: SeenPodGroup | undefined,
  facts: SightFacts,
): JobSight {
  const pods = Map.groupBy(facts.pods, ({ metadata }) => {
    const { annotations: told, labels } = metadata;
    const index = told["volcano.sh/task-index"] ?? labels["volcano.sh/task-index"];
    return volcanoRank(told["volcano.sh/task-spec"], Number(index ?? 0));
  });
  const evicted = facts.told?.ending ?? volcanoEviction(facts);
  const jobEnd = facts.told ?? volcanoEnd(job, facts, evicted);
  const taken =
    evicted === undefined ? undefined : { at: jobEnd?.at ?? facts.now, ending: evicted };
  const ask: MembersAsk = {
    ...facts,
    pods,
    ...(evicted === undefined ? {} : { evicted }),
    ...(jobEnd === undefined ? {} : { jobEnd }),
  };
  return sight(membersSeen(ask), {
    waits: () => explainGroup(job, group),
    pods: facts.pods,
    transitions: podTransitions(pods, evicted),
    taken: facts.told ?? taken,
  });
}

/** Volcano writes onto a pod that it takes away why it does so. */
function volcanoEviction({ pods, evictSaid }: SightFacts): Ending | undefined {
  const told = pods
    .flatMap(({ status }) => status.conditions)
    .find(({ reason }) => reason === "Evict");
  const said = told?.message ?? evictSaid;
  return said === undefined ? undefined : preempted(`It made room for other work (${said}).`);
}

const overPhases = new Set(["Aborted", "Terminated", "Failed"]);

function volcanoEnd(
  job: SeenVolcanoJob | undefined,
  { now, before }: SightFacts,
  evicted: Ending | undefined,
): JobEnd | undefined {
  if (job === undefined) return before.length === 0 ? undefined : { at: now, ending: removed };
  const { phase, reason, message, lastTransitionTime } = job.status.state;
  if (!overPhases.has(phase)) return undefined;
  const at = lastTransitionTime ?? now;
  if (evicted !== undefined) return { at, ending: evicted };
  const order: Ending = { end: { kind: "interrupted" }, by: "order", why: null };
  if (phase === "Terminated") return { at, ending: order };
  const detail = `Volcano ended it: ${reason} ${message}`.trim();
  return { at, ending: lost("volcano", detail, "Look at the job's events.") };
}

function explainGroup(
  job: SeenVolcanoJob | undefined,
  group: SeenPodGroup | undefined,
): Explanation | undefined {
  if (job === undefined || group === undefined) {
    const message = "Volcano has not taken notice of the job yet.";
    const action = "If it stays so, look whether Volcano's controllers run.";
    return { code: "not_seen_yet", for: "nobody", message, action };
  }
  const { phase, conditions } = group.status;
  if (phase === "Running" || phase === "Completed") return undefined;
  const said = (isTrue(conditions, "Unschedulable") ?? isFalse(conditions, "Scheduled"))?.message;
  const details = { phase, ...(said === undefined ? {} : { said }) };
  if (phase === "Pending") {
    const message = `Its queue has no room for it yet${said === undefined ? "" : `: ${said}`}.`;
    const action = "It starts when work of the same share ends, or the share grows.";
    return { code: "quota", for: "nobody", message, action, details };
  }
  const message = `Its members cannot all start at once yet${said === undefined ? "" : `: ${said}`}.`;
  const action = "It starts once there is room for all of them together.";
  return { code: "gang_waits", for: "operator", message, action, details };
}

function sight(
  members: readonly MemberSight[],
  of: {
    readonly waits: () => Explanation | undefined;
    readonly pods: readonly SeenPod[];
    readonly transitions: readonly JobTransition[];
    readonly taken: TakenAway | undefined;
  },
): JobSight {
  const { transitions, taken } = of;
  const seen = { members, transitions, ...(taken === undefined ? {} : { taken }) };
  if (members.every(({ workload }) => workload.state === "ended")) {
    return { ...seen, state: "ended", condition: null };
  }
  const starting = explainStart(of.pods);
  if (members.some(({ workload }) => workload.state !== "pending")) {
    return { ...seen, state: "running", condition: starting ?? null };
  }
  const waits = of.waits();
  if (waits !== undefined && of.pods.length === 0) {
    return { ...seen, state: "waiting", condition: waits };
  }
  return { ...seen, state: "starting", condition: starting ?? waits ?? null };
}
