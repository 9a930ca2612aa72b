/**
 * How an attempt of a job stands, and by whose doing it ended. Pure. The platform tells of exits,
 * signals, time-outs and its own faults; that *we* took the machine away only we know, and must not
 * be mistaken for a fault of the platform, because those are not billed (R-PAYG-7).
 */
import type { Machine, WorkloadEnd } from "#providers/provider.ts";

import { evictedEnd, interruptedEnd, interruptionWall } from "./interruption.ts";
import type { AttemptEnd, AttemptStatus, View } from "./view.ts";

/** Beyond its own time limit the guest may take this long to end the program and say so. */
export const limitGraceMs = 60_000;
/** From the order to the running program: boot and inputs, on a machine that is emulated. */
export const startMsMax = 30 * 60_000;
/** As long as the platform says that what it waits for goes by itself, such as quota of its own queue. */
const slowStartMsMax = 4 * 60 * 60_000;

/** What is known of the attempt with this look at its machine. An end that was recorded stays. */
export function attemptSeen(view: View, machine: Machine): AttemptStatus | undefined {
  const { instance } = view;
  if (instance.kind === "lease" || instance.workload?.end !== undefined) {
    return instance.workload ?? undefined;
  }
  const ended = endSeen(view, machine);
  const taken = ended?.end?.kind === "platform_fault" || machine.workload?.end?.kind === "evicted";
  if (ended === undefined || !taken) return ended ?? withoutEnd(machine);
  const byUs = instance.state === "deleting" && (ended.endedAt ?? view.now) >= instance.stateSince;
  return byUs ? { ...ended, end: ourEnd(view) } : ended;
}

function endSeen(view: View, machine: Machine): AttemptStatus | undefined {
  const { workload } = machine;
  if (workload?.end !== undefined) {
    return { ...workload, end: shownEnd(view, workload.end) };
  }
  const silent = silence(view, machine);
  if (silent !== undefined) {
    return {
      ...withoutEnd(machine),
      state: "ended",
      endedAt: view.now,
      end: { kind: "platform_fault", detail: silent },
      logBytes: workload?.logBytes ?? 0,
    };
  }
  if (machine.power.value !== "stopped") return undefined;
  // Accepted but not started yet is not a stop; an end that the platform reports is.
  if (view.instance.state === "creating" && machine.stop === undefined) return undefined;
  return {
    state: "ended",
    ...(workload?.startedAt === undefined ? {} : { startedAt: workload.startedAt }),
    endedAt: machine.stop?.at ?? machine.powerSince,
    end: { kind: "platform_fault", detail: machine.stop?.detail ?? "the machine stopped" },
    logBytes: workload?.logBytes ?? 0,
  };
}

function shownEnd(view: View, end: WorkloadEnd): AttemptEnd {
  switch (end.kind) {
    case "interrupted":
      return interruptedEnd(view);
    case "evicted":
      return evictedEnd(view, end);
    case "exited":
    case "signaled":
    case "timed_out":
    case "platform_fault":
      return end;
  }
}

function withoutEnd({ workload }: Machine): AttemptStatus | undefined {
  if (workload === undefined) return undefined;
  const { end: _, ...status } = workload;
  return status;
}

/**
 * A zombie: the machine is on and nobody in it answers, so that neither log nor results move (S-08).
 * By the platform's own clock; a machine that stood still is given the time again.
 */
function silence(
  { instance, silentMsMax }: View,
  { power, powerSince, guest, workload }: Machine,
): string | undefined {
  if (power.value !== "running" || workload?.state !== "running") return undefined;
  if (guest.heardAt === undefined || instance.readyAt === null) return undefined;
  const silentMs = power.at - Math.max(guest.heardAt, powerSince);
  if (silentMs <= silentMsMax) return undefined;
  return `its guest has not answered for ${Math.floor(silentMs / 1000)} s`;
}

/** What it is called when the machine is taken from under the program. */
export function ourEnd(view: View): AttemptEnd {
  const { instance, request, interruption, now } = view;
  if (request.wanted === "released") return { kind: "canceled" };
  if (instance.turn !== request.turn) {
    const detail = "its gang went back into the line as a whole";
    return { kind: "platform_fault", detail, moved: true };
  }
  if (interruption !== null && !interruption.calledOff && now >= interruption.noticeUntil) {
    return interruptedEnd(view);
  }
  if (instance.workload?.startedAt !== undefined) return { kind: "timed_out" };
  return { kind: "platform_fault", detail: "the machine did not start the program in time" };
}

/**
 * The second wall behind the guest's own time limit: a guest that does not keep it, or never starts
 * the program, cannot hold its machine for ever. Returns when that is.
 */
export function wallOf({ instance, request, interruption }: View): number {
  const end = interruptionWall(interruption);
  if (instance.workload?.startedAt === undefined) {
    const startMs = instance.waiting?.who === "nobody" ? slowStartMsMax : startMsMax;
    return Math.min(end, instance.createdAt + startMs);
  }
  const limitMs = (request.workload?.timeLimitSeconds ?? 0) * 1000;
  // Not the start alone: it is a time of the guest's clock, which may be slow.
  const from = Math.max(instance.workload.startedAt, instance.stateSince);
  return Math.min(end, from + limitMs + limitGraceMs);
}

/** The status of an attempt whose machine is gone. */
export function attemptGone(view: View, end: AttemptEnd, at: number): AttemptStatus {
  const { workload } = view.instance;
  if (workload?.end !== undefined) return workload;
  return {
    state: "ended",
    ...(workload?.startedAt === undefined ? {} : { startedAt: workload.startedAt }),
    endedAt: at,
    end,
    logBytes: workload?.logBytes ?? 0,
  };
}
