/**
 * How an attempt of a job stands, and by whose doing it ended. Pure. The platform tells of exits,
 * signals, time-outs and its own faults; that *we* took the machine away only we know, and must not
 * be mistaken for a fault of the platform, because those are not billed (R-PAYG-7).
 */
import type { Machine } from "#providers/provider.ts";

import type { AttemptEnd, AttemptStatus, View } from "./view.ts";

/** Beyond its own time limit the guest may take this long to end the program and say so. */
export const limitGraceMs = 60_000;
/** From the order to the running program: boot and inputs, on a machine that is emulated. */
export const startMsMax = 30 * 60_000;

/** What is known of the attempt with this look at its machine. An end that was recorded stays. */
export function attemptSeen(view: View, machine: Machine): AttemptStatus | undefined {
  const { instance } = view;
  if (instance.kind === "lease" || instance.workload?.end !== undefined) {
    return instance.workload ?? undefined;
  }
  const ended = endSeen(view, machine);
  if (ended?.end?.kind !== "platform_fault") return ended ?? machine.workload;
  const byUs = instance.state === "deleting" && (ended.endedAt ?? view.now) >= instance.stateSince;
  return byUs ? { ...ended, end: ourEnd(view) } : ended;
}

function endSeen(view: View, machine: Machine): AttemptStatus | undefined {
  const { workload } = machine;
  if (workload?.end !== undefined) return workload;
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

/** What it is called when the machine is taken from under the program. */
export function ourEnd(view: View): AttemptEnd {
  const { instance, request } = view;
  if (request.wanted === "released") return { kind: "canceled" };
  if (instance.workload?.startedAt !== undefined) return { kind: "timed_out" };
  return { kind: "platform_fault", detail: "the machine did not start the program in time" };
}

/**
 * The second wall behind the guest's own time limit: a guest that does not keep it, or never starts
 * the program, cannot hold its machine for ever. Returns when that is.
 */
export function wallOf({ instance, request }: View): number {
  if (instance.workload?.startedAt === undefined) return instance.createdAt + startMsMax;
  const limitMs = (request.workload?.timeLimitSeconds ?? 0) * 1000;
  // Not the start alone: it is a time of the guest's clock, which may be slow.
  return Math.max(instance.workload.startedAt, instance.stateSince) + limitMs + limitGraceMs;
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
