/**
 * The members of an attempt as their pods show them. What must stay true: an end that was seen stays as
 * it was; the first run of a member is the attempt, whatever the cluster starts again after it; and what
 * the platform did to one member is not taken for what the others did because of it.
 */
import type { WorkloadEnd, WorkloadStatus } from "#providers/machine.ts";
import type { Explanation } from "#providers/kubevirt/observe/explanation.ts";

import { type EndedBy, type Ending, lost } from "./ending.ts";
import { podRun, type PodRun } from "./pod-end.ts";
import type { SeenPod } from "./seen.ts";

export interface MemberSight {
  readonly rank: number;
  readonly pod?: string;
  readonly node?: string;
  readonly workload: WorkloadStatus;
  /** Whose doing its end was, once it has ended. */
  readonly by?: EndedBy;
  readonly why: Explanation | null;
}

/** What ends all that still run, and since when. */
export interface JobEnd {
  readonly at: number;
  readonly ending: Ending;
}

export interface MembersAsk {
  readonly size: number;
  /** By rank, in no order; a member may have had several. */
  readonly pods: ReadonlyMap<number, readonly SeenPod[]>;
  /** What took the whole job away. */
  readonly evicted?: Ending;
  /** The job has ended as an object: whoever has no end of its own has this one. */
  readonly jobEnd?: JobEnd;
  /** The last look, by rank. */
  readonly before: readonly MemberSight[];
  readonly now: number;
  readonly logBytes: (rank: number) => number;
}

export function membersSeen(ask: MembersAsk): readonly MemberSight[] {
  const first = Array.from({ length: ask.size }, (_, rank) => memberSeen(ask, rank));
  const culprit = first
    .filter((member) => member.by !== undefined && isOwn(member))
    .toSorted((a, b) => (a.workload.endedAt ?? 0) - (b.workload.endedAt ?? 0))[0];
  return first.map((member) => (culprit === undefined ? member : inGang(member, culprit)));
}

/** An end of which others' ends may come: not one that was told, nor one that went well. */
function isOwn({ by, workload }: MemberSight): boolean {
  const well = workload.end?.kind === "exited" && workload.end.exitCode === 0;
  if (by === "program") return !well;
  return by === "limit" || by === "platform" || by === "preemption";
}

/** Ended because another one was: by his fault, by the platform's, or for other work. */
function inGang(member: MemberSight, culprit: MemberSight): MemberSight {
  if (member.by !== "order" || member.rank === culprit.rank) return member;
  const message = `It was ended because member ${culprit.rank} of the job had ended.`;
  const why: Explanation = { code: "gang", for: "nobody", message, action: "Look at that member." };
  const { by, end } = endBecauseOf(culprit, message);
  return { ...member, by, why, workload: { ...member.workload, end } };
}

/** As the culprit's where that was taken from him. What his program did, the others pay for as well. */
function endBecauseOf(
  { by, workload }: MemberSight,
  detail: string,
): { readonly by: EndedBy; readonly end: WorkloadEnd } {
  const { end } = workload;
  if (end?.kind === "evicted") return { by: by ?? "platform", end };
  if (by === "platform") return { by, end: { kind: "platform_fault", detail } };
  if (end?.kind === "timed_out") return { by: "gang", end };
  return { by: "gang", end: { kind: "signaled", signal: "SIGTERM" } };
}

function memberSeen(ask: MembersAsk, rank: number): MemberSight {
  const before = ask.before.find((each) => each.rank === rank);
  const logBytes = ask.logBytes(rank);
  if (before?.workload.end !== undefined) {
    return { ...before, workload: { ...before.workload, logBytes } };
  }
  const chosen = firstRun(ask.pods.get(rank) ?? [], ask.evicted);
  const startedAt = chosen?.run.startedAt ?? before?.workload.startedAt;
  const ended = chosen?.run.ended ?? endWithoutPod(ask, { chosen, startedAt });
  const node = chosen?.pod.spec.nodeName;
  return {
    rank,
    ...(chosen === undefined ? {} : { pod: chosen.pod.metadata.name }),
    ...(node === undefined ? {} : { node }),
    workload: {
      state: stateOf(startedAt, ended),
      ...(startedAt === undefined ? {} : { startedAt }),
      ...(ended === undefined
        ? {}
        : { endedAt: Math.max(ended.at, startedAt ?? 0), end: ended.end }),
      logBytes,
    },
    ...(ended === undefined ? {} : { by: ended.by }),
    why: ended?.why ?? null,
  };
}

function stateOf(startedAt: number | undefined, ended: unknown): WorkloadStatus["state"] {
  if (ended !== undefined) return "ended";
  return startedAt === undefined ? "pending" : "running";
}

interface Chosen {
  readonly pod: SeenPod;
  readonly run: PodRun;
}

/** The oldest that ran its program; else the newest, which is still to do so. */
function firstRun(pods: readonly SeenPod[], evicted: Ending | undefined): Chosen | undefined {
  const inOrder = pods.toSorted(
    (a, b) => (a.metadata.creationTimestamp ?? 0) - (b.metadata.creationTimestamp ?? 0),
  );
  const runs = inOrder.map((pod) => ({ pod, run: podRun(pod, evicted) }));
  return runs.find(({ run }) => run.startedAt !== undefined) ?? runs.at(-1);
}

function endWithoutPod(
  { jobEnd, now }: MembersAsk,
  seen: { readonly chosen: Chosen | undefined; readonly startedAt: number | undefined },
): (Ending & { readonly at: number }) | undefined {
  const { chosen, startedAt } = seen;
  const shown = chosen !== undefined && chosen.run.startedAt !== undefined;
  // Its pod still tells of it, and will tell its end.
  if (shown) return undefined;
  if (jobEnd !== undefined) return { ...jobEnd.ending, at: jobEnd.at };
  if (startedAt === undefined || chosen !== undefined) return undefined;
  const action = "Nobody but the control plane should delete pods of jobs.";
  return { ...lost("pod_gone", "its pod was removed while it ran", action), at: now };
}
