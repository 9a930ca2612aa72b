/**
 * From what is seen of a machine's run to what is written down of it, and to its power. Pure. See
 * run-record.ts for why anything is written down.
 */
import {
  conditionOf,
  endPhases,
  isTrue,
  type SeenInstance,
  type SeenMachine,
} from "#providers/kubevirt/observe/seen.ts";
import type { Machine } from "#providers/machine.ts";

import type { RunEnd, RunRecord } from "./run-record.ts";

export interface MachineAndRun {
  readonly seen: SeenMachine;
  readonly run: RunRecord | undefined;
}

/** The record as it should be now; the same object where nothing is to be written. */
export function nextRun(
  { seen, run }: MachineAndRun,
  instance: SeenInstance | undefined,
  now: number,
): RunRecord | undefined {
  if (instance === undefined) return run && ended(run, seen, now);
  if (run !== undefined && run.uid === instance.metadata.uid) return sameRun(run, seen, instance);
  const since = phaseSince(instance, "Running");
  // It has not begun, or it was never seen to run: nothing of it was used.
  if (since === undefined) return run && ended(run, seen, now);
  const { uid, resourceVersion: version } = instance.metadata;
  const before = run && (run.end ?? unseenEnd(run, instance, since));
  return sameRun(
    { uid, since, version, ...(before === undefined ? {} : { before }) },
    seen,
    instance,
  );
}

/** Of a run whose end nobody saw: it was over when the next was made, and nothing later is certain. */
function unseenEnd(run: RunRecord, next: SeenInstance, nextSince: number): RunEnd {
  return {
    at: Math.max(run.readyAt ?? run.since, next.metadata.creationTimestamp ?? nextSince),
    reason: "crashed",
    detail: "KubeVirt started it anew; how the run before it ended was not seen",
  };
}

function sameRun(run: RunRecord, machine: SeenMachine, instance: SeenInstance): RunRecord {
  const readyAt = run.readyAt ?? readySince(instance);
  const phase = instance.status?.phase ?? "";
  const end = run.end ?? (endPhases.has(phase) ? endOf(machine, instance, run) : undefined);
  if (readyAt === run.readyAt && end === run.end) return run;
  return {
    ...run,
    version: instance.metadata.resourceVersion,
    ...(readyAt === undefined ? {} : { readyAt }),
    ...(end === undefined ? {} : { end }),
  };
}

/** Once the guest's agent has answered: keys are in place then. */
function readySince(instance: SeenInstance): number | undefined {
  const agent = conditionOf(instance, "AgentConnected");
  return agent?.status === "True" ? (agent.lastTransitionTime ?? undefined) : undefined;
}

function endOf(machine: SeenMachine, instance: SeenInstance, run: RunRecord): RunEnd {
  const phase = instance.status?.phase ?? "";
  const at = phaseSince(instance, phase) ?? instance.metadata.deletionTimestamp ?? run.since;
  if (isHalted(machine)) return { at, reason: "requested", detail: "it was stopped" };
  if (instance.metadata.deletionTimestamp !== undefined) return { at, ...endedOutside };
  if (phase === "Succeeded") {
    return { at, reason: "guest", detail: "the guest switched itself off" };
  }
  const said = conditionOf(instance, "Ready")?.message ?? instance.status?.reason;
  return { at, reason: "crashed", detail: said ?? "its pod failed" };
}

const endedOutside = {
  reason: "crashed",
  detail: "its run was ended in the cluster, not by Millrace",
} as const;

/** Its instance is not there any more. */
function ended(run: RunRecord, machine: SeenMachine, now: number): RunRecord {
  if (run.end !== undefined) return run;
  const ready = conditionOf(machine, "Ready");
  // As long as it is said to be ready, that is the instant at which it began.
  const since = ready?.status === "True" ? undefined : ready?.lastTransitionTime;
  const at = Math.max(run.since, since ?? now);
  const end: RunEnd = isHalted(machine)
    ? { at, reason: "requested", detail: "it was stopped" }
    : { at, ...endedOutside };
  return { ...run, end };
}

function isHalted(machine: SeenMachine): boolean {
  return machine.spec.runStrategy === "Halted";
}

function phaseSince(instance: SeenInstance, phase: string): number | undefined {
  const told = instance.status?.phaseTransitionTimestamps ?? [];
  return told.find((each) => each.phase === phase)?.phaseTransitionTimestamp;
}

export type Power = Pick<Machine, "power" | "powerSince" | "stop" | "guest">;

/** `seenAt`: up to when the cluster is known to be like this. */
export function powerOf(
  machine: MachineAndRun,
  instance: SeenInstance | undefined,
  seenAt: number,
): Power {
  const run = nextRun(machine, instance, seenAt);
  const phase = instance?.status?.phase ?? "";
  const since = instance && phaseSince(instance, "Running");
  if (instance !== undefined && phase === "Unknown") {
    return {
      power: { value: "unknown", at: seenAt },
      powerSince: phaseSince(instance, "Unknown") ?? since ?? seenAt,
      guest: { ready: false },
    };
  }
  if (isUnsettled(machine, instance, run)) {
    return { power: { value: "unknown", at: seenAt }, powerSince: seenAt, guest: { ready: false } };
  }
  const isOn = phase === "Running" && since !== undefined && run?.uid === instance?.metadata.uid;
  if (instance === undefined || !isOn || run === undefined) return off(machine, run, seenAt);
  const paused = isTrue(instance, "Paused")
    ? (conditionOf(instance, "Paused")?.lastTransitionTime ?? since)
    : undefined;
  const { before, readyAt } = run;
  return {
    power: { value: paused === undefined ? "running" : "paused", at: seenAt },
    powerSince: paused ?? since,
    // A start that somebody asked for ends the story of the stop before it.
    ...(before?.reason === "crashed" ? { stop: before } : {}),
    guest:
      readyAt === undefined
        ? { ready: false }
        : {
            ready: true,
            readyAt,
            ...(isTrue(instance, "AgentConnected") ? { heardAt: seenAt } : {}),
          },
  };
}

/**
 * It was ended from outside, and the machine does not say that it was to be: what told the end may be
 * ahead of what tells the machine. Who writes the end down finds out, because he writes against the
 * machine's latest version.
 */
function isUnsettled(
  { seen, run: written }: MachineAndRun,
  instance: SeenInstance | undefined,
  run: RunRecord | undefined,
): boolean {
  if (isHalted(seen) || run?.end === undefined || written?.end !== undefined) return false;
  return instance === undefined || instance.metadata.deletionTimestamp !== undefined;
}

function off({ seen }: MachineAndRun, run: RunRecord | undefined, seenAt: number): Power {
  const end = run?.end ?? run?.before;
  return {
    power: { value: "stopped", at: seenAt },
    powerSince: end?.at ?? seen.metadata.creationTimestamp ?? seenAt,
    ...(end === undefined ? {} : { stop: end }),
    // Of the run that ended so: whoever was away meanwhile learns of all of it.
    guest: {
      ready: false,
      ...(run?.end === undefined || run.readyAt === undefined ? {} : { readyAt: run.readyAt }),
    },
  };
}
