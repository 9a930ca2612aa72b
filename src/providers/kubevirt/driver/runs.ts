/**
 * From what is seen of a machine's run to what is written down of it, and to its power. Pure. See
 * run-record.ts for why anything is written down.
 */
import {
  conditionOf,
  endPhases,
  isTrue,
  phaseSince,
  type SeenInstance,
  type SeenMachine,
} from "#providers/kubevirt/observe/seen.ts";
import { staysOff } from "#providers/kubevirt/observe/starts.ts";
import type { Machine } from "#providers/machine.ts";

import { isSwitchedOn, type OperationRecord } from "./records.ts";
import { pastMax, type RunEnd, type RunRecord } from "./run-record.ts";
import type { Witnessed } from "./witness.ts";

export interface MachineAndRun {
  readonly seen: SeenMachine;
  readonly run: RunRecord | undefined;
  readonly records: readonly OperationRecord[];
}

/** The record as it should be now; the same object where nothing is to be written. */
export function nextRun(
  { seen, run, records }: MachineAndRun,
  instance: SeenInstance | undefined,
  witnessed: Witnessed,
): RunRecord | undefined {
  const machine = { seen, records };
  if (instance !== undefined && run?.uid === instance.metadata.uid) {
    return sameRun(run, machine, instance, witnessed);
  }
  const since = instance && phaseSince(instance, "Running");
  // Without one it has not begun, or it was never seen to run: nothing of it was used.
  if (instance === undefined || since === undefined) return run && ended(run, machine, witnessed);
  const { uid, resourceVersion: version } = instance.metadata;
  const before = run && endBefore(run, { machine, next: instance, nextSince: since, witnessed });
  const past = run && pastOf(run, before);
  return sameRun(
    {
      uid,
      since,
      version,
      ...(before === undefined ? {} : { before }),
      ...(past === undefined ? {} : { past }),
    },
    machine,
    instance,
    witnessed,
  );
}

type MachineAsked = Omit<MachineAndRun, "run">;

/** How the run before ended: as it was seen; if nobody saw it, where it was certainly still there. */
function endBefore(
  run: RunRecord,
  of: {
    readonly machine: MachineAsked;
    readonly next: SeenInstance;
    readonly nextSince: number;
    readonly witnessed: Witnessed;
  },
): RunEnd {
  if (run.end !== undefined) return run.end;
  const { aliveAt = 0, last } = of.witnessed;
  if (last !== undefined) return endOf(of.machine, last, run, of.witnessed);
  const overAt = of.next.metadata.creationTimestamp ?? of.nextSince;
  return {
    at: Math.max(run.readyAt ?? run.since, Math.min(aliveAt, overAt)),
    reason: "crashed",
    detail: "KubeVirt started it anew; how the run before it ended was not seen",
  };
}

/** The same run, with the one before it as that is written by now. */
export function afterThat(run: RunRecord, before: RunRecord): RunRecord {
  const { end } = before;
  const past = pastOf(before, end);
  return {
    ...run,
    ...(end === undefined ? {} : { before: end }),
    ...(past === undefined ? {} : { past }),
  };
}

function pastOf(run: RunRecord, end: RunEnd | undefined): RunRecord["past"] {
  const { readyAt, past = [] } = run;
  if (readyAt === undefined || end === undefined) return run.past;
  return [...past, { readyAt, end }].slice(-pastMax);
}

function sameRun(
  run: RunRecord,
  machine: MachineAsked,
  instance: SeenInstance,
  witnessed: Witnessed,
): RunRecord {
  const readyAt = run.readyAt ?? readySince(instance);
  const phase = instance.status?.phase ?? "";
  const over = endPhases.has(phase) ? (witnessed.last ?? instance) : undefined;
  const end = run.end ?? (over && endOf(machine, over, run, witnessed));
  if (readyAt === run.readyAt && end === run.end) return run;
  return {
    ...run,
    version: instance.metadata.resourceVersion,
    ...(readyAt === undefined ? {} : { readyAt }),
    ...(end === undefined ? {} : { end }),
  };
}

/**
 * Once the guest's agent has answered: keys are in place then. KubeVirt 1.9 writes the condition once, when
 * that is, with the time of that look (`lastProbeTime`) and none of a transition; it takes it off when the
 * agent goes silent.
 */
function readySince(instance: SeenInstance): number | undefined {
  const agent = conditionOf(instance, "AgentConnected");
  if (agent?.status !== "True") return undefined;
  return agent.lastTransitionTime ?? agent.lastProbeTime ?? undefined;
}

/** KubeVirt takes away what has ended by itself; what is taken away before that was ended by somebody. */
function endOf(
  machine: MachineAsked,
  instance: SeenInstance,
  run: RunRecord,
  { wasToldToGo }: Witnessed,
): RunEnd {
  const phase = instance.status?.phase ?? "";
  const { deletionTimestamp } = instance.metadata;
  const at = phaseSince(instance, phase) ?? deletionTimestamp ?? run.since;
  if (isHalted(machine.seen)) return { at, ...switchedOff(machine) };
  if (wasToldToGo === true || (deletionTimestamp !== undefined && at > deletionTimestamp)) {
    return { at, ...endedOutside };
  }
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

/** `Halted` stands there: because we were asked for it, or because somebody wrote it by hand. */
function switchedOff({ records }: MachineAsked): Omit<RunEnd, "at"> {
  return isSwitchedOn(records)
    ? { reason: "requested", detail: "it was switched off in the cluster, not by Millrace" }
    : { reason: "requested", detail: "it was stopped" };
}

/**
 * Its instance is not there any more. The machine itself says since when it is not ready, which is when the
 * run ended, if no other run can have come after it. Otherwise nothing later is certain than that it was
 * seen: then it is billed to there, and no second more.
 */
function ended(run: RunRecord, machine: MachineAsked, witnessed: Witnessed): RunRecord {
  if (run.end !== undefined) return run;
  if (witnessed.last !== undefined) {
    return { ...run, end: endOf(machine, witnessed.last, run, witnessed) };
  }
  const ready = conditionOf(machine.seen, "Ready");
  // What tells of the machine is behind what tells of its run.
  if (witnessed.isLatest && ready?.status === "True") return run;
  const told = witnessed.isLatest ? notReadySince(ready?.lastTransitionTime, witnessed) : 0;
  const seen = witnessed.aliveAt ?? 0;
  // It was not ready long before it ended: paused, or shutting down.
  const last = told === 0 || seen - told > unreadyMs ? seen : told;
  const at = Math.max(run.readyAt ?? run.since, last);
  if (isHalted(machine.seen)) return { ...run, end: { at, ...switchedOff(machine) } };
  const wasWatched = witnessed.isLatest || witnessed.wasToldToGo === true;
  return { ...run, end: { at, ...(wasWatched ? endedOutside : endedUnseen) } };
}

/**
 * Of a run whose going was watched; 0 where it is not told. KubeVirt writes it when it notices that the run
 * is gone, which is later than that was told here if its controllers were away.
 */
function notReadySince(since: number | null | undefined, { goneAt = Infinity }: Witnessed): number {
  const told = since ?? 0;
  return told - goneAt > unreadyMs ? goneAt : told;
}

/** KubeVirt itself starts again what crashed; so it is not for us to start it. */
const endedUnseen = {
  reason: "guest",
  detail: "while nobody watched, the guest switched itself off or its run was ended in the cluster",
} as const;

/** A difference of clocks is not taken for a time that was seen. */
const unreadyMs = 5_000;

function isHalted(machine: SeenMachine): boolean {
  return machine.spec.runStrategy === "Halted";
}

export type Power = Pick<Machine, "power" | "powerSince" | "stop" | "guest" | "past">;

export interface RunSight {
  readonly seen: SeenMachine;
  readonly instance: SeenInstance | undefined;
  /** As it stands on the machine. */
  readonly written: RunRecord | undefined;
  /** As it should stand there now (`nextRun`). */
  readonly run: RunRecord | undefined;
  /** Up to when the cluster is known to be like this. */
  readonly seenAt: number;
}

export function powerOf(sight: RunSight): Power {
  const { seen, instance, run, seenAt } = sight;
  const phase = instance?.status?.phase ?? "";
  const since = instance && phaseSince(instance, "Running");
  if (instance !== undefined && phase === "Unknown") {
    return {
      power: { value: "unknown", at: seenAt },
      powerSince: phaseSince(instance, "Unknown") ?? since ?? seenAt,
      guest: { ready: false },
    };
  }
  if (isUnsettled(sight)) {
    return { power: { value: "unknown", at: seenAt }, powerSince: seenAt, guest: { ready: false } };
  }
  const isOn = phase === "Running" && since !== undefined && run?.uid === instance?.metadata.uid;
  if (instance === undefined || !isOn || run === undefined) {
    return off(seen, run, seenAt);
  }
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
    ...pastRuns(run),
  };
}

/**
 * How a run ended that is not there any more is certain only once it is written, because it is written
 * against the machine's latest version: what told the end may be ahead of what tells the machine.
 */
function isUnsettled({ seen, instance, run, written }: RunSight): boolean {
  if (run === undefined) return false;
  const isWritten = written?.uid === run.uid;
  if (run.uid !== instance?.metadata.uid) return !isWritten || written.end === undefined;
  const isGuess = run.before !== undefined && run.before.at !== written?.end?.at;
  if (isGuess && !isWritten) return true;
  const isGoing = instance.metadata.deletionTimestamp !== undefined;
  return isGoing && !isHalted(seen) && run.end !== undefined && written?.end === undefined;
}

function off(seen: SeenMachine, run: RunRecord | undefined, seenAt: number): Power {
  const end = run === undefined ? endBeforeRunning(seen) : (run.end ?? run.before);
  return {
    power: { value: "stopped", at: seenAt },
    powerSince: end?.at ?? seen.metadata.creationTimestamp ?? seenAt,
    ...(end === undefined ? {} : { stop: end }),
    // Of the run that ended so: whoever was away meanwhile learns of all of it.
    guest: {
      ready: false,
      ...(run?.end === undefined || run.readyAt === undefined ? {} : { readyAt: run.readyAt }),
    },
    ...pastRuns(run),
  };
}

/**
 * No run of it was ever seen, and none is to come: told as an end, since the instant at which its last one was
 * missed, or whoever waits for its first would wait for ever. One that never got as far as to run was taken away
 * by somebody; of any other it is not known whether it ran and ended while nobody watched.
 */
function endBeforeRunning(seen: SeenMachine): RunEnd | undefined {
  if (!staysOff(seen)) return undefined;
  const at = conditionOf(seen, "Ready")?.lastTransitionTime ?? seen.metadata.creationTimestamp;
  if (at === undefined || at === null) return undefined;
  const failed = (seen.status?.startFailure?.consecutiveFailCount ?? 0) > 0;
  return { at, ...(failed ? endedOutside : endedUnseen) };
}

function pastRuns(run: RunRecord | undefined): Pick<Machine, "past"> {
  const past = run?.past?.map(({ readyAt, end }) => ({ readyAt, stop: end })) ?? [];
  return past.length === 0 ? {} : { past };
}
