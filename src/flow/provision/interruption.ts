/**
 * An attempt that makes room for other work, or leaves what is sick: it is told, saves its work, ends,
 * and its job queues again at its old place. Pure. What must stay true: nobody is told without a row
 * that says so; what was called off in time goes on; what a guest does not do by itself is done for it.
 */
import type { Reason } from "#kernel/reason.ts";
import type { Machine, WorkloadEnd } from "#providers/provider.ts";

import type { AttemptEnd, InterruptionView, Step, View } from "./view.ts";

/** A guest that could not be told by the end of the notice is not waited for much longer. */
const untoldGraceMs = 30_000;
/** Beyond its notice a guest may take this long to pack what it saved. */
const packMsMax = 5 * 60_000;
/** Who made room waits so long, so that he for whom it was made comes first. */
export const makingRoomMs = 30_000;
const firstRestMs = 5_000;
const restMsMax = 300_000;

/** The call that tells the guest; at most one of each kind for an interruption. */
export function interruptCall(view: View, step: Step, machine: Machine): Pick<Step, "call"> {
  const { interruption: it, now, instance } = view;
  if (instance.kind !== "job" || it === null || machine.workload?.state !== "running") return {};
  if (step.patch.workload?.end !== undefined) return {};
  if (!it.calledOff) {
    if (it.toldAt !== null || step.told !== undefined || now >= it.noticeUntil) return {};
    // A stored fact, so that a repeat asks the same.
    const graceSeconds = Math.ceil((it.noticeUntil - it.askedAt) / 1000);
    const how = { to: "end", graceSeconds } as const;
    return { call: { kind: "interrupt", key: `${it.id}:interrupt`, operationId: null, how } };
  }
  const wasTold = it.toldAt !== null || step.told?.what === "interrupt";
  if (!wasTold || it.takenBackAt !== null || step.told?.what === "go-on") return {};
  const how = { to: "go-on" } as const;
  return { call: { kind: "go-on", key: `${it.id}:go-on`, operationId: null, how } };
}

/** What the end of the pending call says of it. */
export function toldBy({ instance, interruption, callStatus }: View): Pick<Step, "told"> {
  const { call } = instance;
  if (call === null || interruption === null || callStatus?.state !== "done") return {};
  if (call.kind !== "interrupt" && call.kind !== "go-on") return {};
  return { told: { id: interruption.id, what: call.kind } };
}

/** When the machine is taken away, if its guest does not end the program itself. */
export function interruptionWall(it: InterruptionView | null): number {
  if (it === null || it.calledOff) return Number.POSITIVE_INFINITY;
  if (it.toldAt === null) return it.noticeUntil + untoldGraceMs;
  return it.toldAt + (it.noticeUntil - it.askedAt) + packMsMax;
}

/** What it is called when the program ended because it was interrupted. */
export function interruptedEnd({ request, interruption }: View): AttemptEnd {
  if (request.wanted === "released") return { kind: "canceled" };
  if (interruption === null) {
    return { kind: "platform_fault", detail: "it was interrupted, and nobody knows by whom" };
  }
  if (interruption.cause === "preemption") return { kind: "preempted" };
  return { kind: "platform_fault", detail: interruption.reason.message, moved: true };
}

type Eviction = Extract<WorkloadEnd, { readonly kind: "evicted" }>;

/**
 * What it is called when the platform's own queue took it away, whom nobody here had asked. For other
 * work it is a preemption, billed as one; for the platform's own sake it is a fault of ours (R-PAYG-7).
 */
export function evictedEnd({ request }: View, { by, detail }: Eviction): AttemptEnd {
  switch (by) {
    case "preempted":
    case "reclaimed":
      return request.wanted === "released" ? { kind: "canceled" } : { kind: "preempted", detail };
    case "node":
    case "queue":
      return { kind: "platform_fault", detail, moved: true };
  }
}

/** For the look that sees it first: what is recorded already was told. */
export function evictionSeen(
  { instance, now }: View,
  machine: Machine,
  end: AttemptEnd | undefined,
): Step["evicted"] {
  const isNew = instance.kind === "job" && instance.workload?.end === undefined;
  const { workload } = machine;
  if (!isNew || workload?.end?.kind !== "evicted") return undefined;
  // By our doing after all, such as a cancel before it: nothing was taken from anybody.
  const isTaken =
    end?.kind === "preempted" || (end?.kind === "platform_fault" && end.moved === true);
  if (!isTaken) return undefined;
  const { detail } = workload.end;
  return { billed: end.kind === "preempted", detail, at: workload.endedAt ?? now };
}

/** What becomes of a job that is wanted still, once the machine of its attempt is gone. */
export function afterAttempt(view: View, end: AttemptEnd): NonNullable<Step["request"]> {
  const { instance, request, interruption, faultsBefore, now } = view;
  if (request.inGang) return { set: "as-its-gang" };
  const attempt = { attempt: instance.turn };
  switch (end.kind) {
    case "preempted": {
      const reason = preemptedReason(interruption, end.detail);
      const heldUntil = now + makingRoomMs;
      return { set: "next-turn", reason: { ...reason, details: attempt }, heldUntil };
    }
    case "platform_fault": {
      if (end.moved === true) {
        const reason = { code: "moved", message: end.detail, details: attempt };
        return { set: "next-turn", reason, heldUntil: null };
      }
      const retriesMax = request.workload?.platformRetriesMax ?? 0;
      const retry = faultsBefore + 1;
      const details = { ...attempt, retriesMax };
      if (retry > retriesMax) {
        const message = `The platform lost the attempt (${end.detail}), and no retry is left.`;
        return { set: "ended", reason: { code: "platform_fault", message, details } };
      }
      const message = `The platform lost the attempt (${end.detail}); retry ${retry} of ${retriesMax} follows.`;
      const reason = { code: "platform_fault", message, details };
      return { set: "next-turn", reason, heldUntil: retryAt(retry, now) };
    }
    case "exited":
    case "signaled":
    case "timed_out":
    case "canceled":
      return { set: "ended", reason: null };
  }
}

/** The first retry at once; the ones after it rest longer and longer. */
export function retryAt(retry: number, now: number): number | null {
  if (retry === 1) return null;
  return now + Math.min(restMsMax, firstRestMs * 2 ** (retry - 2));
}

function preemptedReason(told: InterruptionView | null, detail: string | undefined): Reason {
  if (detail !== undefined) {
    const message = `${detail} Its next attempt goes on from what it had saved.`;
    return { code: "preempted", message };
  }
  if (told !== null) return told.reason;
  return {
    code: "preempted",
    message: "It made room for other work; its next attempt goes on from what it had saved.",
  };
}
