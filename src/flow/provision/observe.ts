/**
 * From what the platform shows to what happened: the transitions that metering rests on. Pure.
 * Instants are the platform's, from one clock, and never run backwards within one instance,
 * whatever clocks do (`notBefore`).
 */
import type { Machine } from "#providers/provider.ts";

import { attemptSeen } from "./attempt.ts";
import { evictedEvent } from "./event-words.ts";
import { evictionSeen } from "./interruption.ts";
import type { AttemptStatus, EventNote, InstanceView, Step, Transition, View } from "./view.ts";

export interface Observation {
  readonly transitions: readonly Transition[];
  readonly events: readonly EventNote[];
  /** The machine is up and the customer can use it. */
  readonly ready: boolean;
  /** It ran and does not any more; by whose doing. */
  readonly stopped: "requested" | "guest" | "crashed" | undefined;
  readonly evicted: Step["evicted"];
}

export function observeMachine(view: View, machine: Machine): Observation {
  const { instance } = view;
  const clock = notBefore(instance.metering.lastAt, view.now);
  const transitions: Transition[] = [];
  const events: EventNote[] = [];
  const add = (kind: Transition["kind"], at: number, evidence: Transition["evidence"]): void => {
    transitions.push({ kind, at: clock(at), shape: instance.shape, evidence });
  };

  if (!instance.metering.created) {
    add("created", createdAt(instance, machine), { seenAt: machine.power.at });
  }
  const open = addPast(instance, machine, add);
  const up = machine.power.value === "running" || machine.power.value === "paused";
  const ready = up && machine.guest.ready;
  // A crash and a restart between two looks: the run that ended must be closed first.
  const restartedUnseen =
    open.ready &&
    ready &&
    open.readyAt !== null &&
    machine.stop !== undefined &&
    machine.stop.at > open.readyAt &&
    machine.powerSince >= machine.stop.at;
  if (restartedUnseen && machine.stop !== undefined) {
    add("stopped", machine.stop.at, { reason: machine.stop.reason, detail: machine.stop.detail });
  }
  const stopped = stopSeen(instance, machine);
  // It came up and went down between two looks; what it showed of that is metered all the same.
  const readyAt = stopped === undefined ? undefined : readyUnseen(instance, open, machine);
  if (readyAt !== undefined) add("ready", readyAt, { start: machine.start });
  if (ready && (!open.ready || restartedUnseen)) {
    add("ready", readySince(restartedUnseen ? undefined : open, machine, view.now), {
      start: machine.start,
      powerSince: machine.powerSince,
    });
  }
  const attempt = attemptSeen(view, machine);
  addWorkload(instance, attempt, add);
  const evicted = evictionSeen(view, machine, attempt?.end);
  if (evicted !== undefined) events.push(evictedEvent(evicted, instance.turn));
  if (stopped !== undefined) {
    const at = machine.stop?.at ?? machine.powerSince;
    if (open.ready || readyAt !== undefined) {
      add("stopped", at, { reason: stopped, detail: machine.stop?.detail ?? "" });
    }
    // Said once, by the look that closes the run; a crash before it was ready is told by the restart.
    if (stopped === "crashed" && instance.metering.ready) {
      events.push({
        kind: "crashed",
        at,
        message: `The machine stopped by itself: ${machine.stop?.detail ?? "no reason is known"}`,
      });
    }
  }
  return { transitions, events, ready, stopped, evicted };
}

/**
 * A run that the books have as over and that goes on is one of a platform that was set back to a backup: it
 * counts from where it is seen, as nothing ran meanwhile. That is now: of what the platform says, a part may
 * be as it was before.
 */
function readySince(closed: Open | undefined, { guest, power }: Machine, now: number): number {
  const at = guest.readyAt ?? power.at;
  return closed !== undefined && at < closed.lastAt - sameSecondMs ? now : at;
}

/** Platforms tell whole seconds, our own instants are finer. */
const sameSecondMs = 1_000;

/** What is metered so far: whether a run is open, since when, and the last instant of all. */
interface Open {
  readonly ready: boolean;
  readonly readyAt: number | null;
  readonly lastAt: number;
}

/**
 * Runs that ended while nobody looked, and after which another began: each is metered by itself, so that
 * nobody pays for the time between two of them.
 */
function addPast(
  { kind, metering, readyAt }: InstanceView,
  { past = [] }: Machine,
  add: (kind: Transition["kind"], at: number, evidence: Transition["evidence"]) => void,
): Open {
  let open: Open = { ready: metering.ready, readyAt, lastAt: metering.lastAt };
  if (kind !== "lease") return open;
  for (const run of past) {
    const isOpen = open.ready && run.readyAt === open.readyAt;
    // One that is metered ended at the last instant or before; the next may begin in that second.
    const isMetered = run.readyAt < open.lastAt || run.stop.at <= open.lastAt;
    if (!isOpen && (open.ready || isMetered)) continue;
    if (!isOpen) add("ready", run.readyAt, {});
    const { at, reason, detail } = run.stop;
    add("stopped", at, { reason, detail });
    open = { ready: false, readyAt: null, lastAt: at };
  }
  return open;
}

/** When the run that has ended was ready, if that was not seen before. */
function readyUnseen(
  { kind }: InstanceView,
  metering: Open,
  { guest, stop }: Machine,
): number | undefined {
  const { readyAt } = guest;
  if (kind !== "lease" || metering.ready || readyAt === undefined || stop === undefined) {
    return undefined;
  }
  // One that was metered ended after it was ready.
  const isLater = readyAt >= metering.lastAt && stop.at > metering.lastAt;
  return isLater && readyAt <= stop.at ? readyAt : undefined;
}

function addWorkload(
  instance: InstanceView,
  workload: AttemptStatus | undefined,
  add: (kind: Transition["kind"], at: number, evidence: Transition["evidence"]) => void,
): void {
  if (workload?.startedAt === undefined) return;
  if (!instance.metering.workloadStarted) add("workload_started", workload.startedAt, {});
  if (workload.endedAt !== undefined && !instance.metering.workloadEnded) {
    add("workload_ended", workload.endedAt, { end: workload.end });
  }
}

function stopSeen(instance: InstanceView, machine: Machine): Observation["stopped"] {
  if (machine.power.value !== "stopped") return undefined;
  switch (instance.state) {
    case "running":
    case "stopping":
    case "starting":
      break;
    case "creating":
      // Accepted but not started yet is not a stop; an end that the platform reports is.
      if (machine.stop === undefined) return undefined;
      break;
    case "deleting":
      // It is down and not gone yet: what it held ended then.
      return instance.metering.ready ? stopWhileLeaving(instance, machine) : undefined;
    case "stopped":
    case "failed":
    case "gone":
      return undefined;
  }
  if (instance.state === "starting" && !isNewStop(instance, machine)) return undefined;
  if (instance.state === "stopping") return "requested";
  return machine.stop?.reason ?? "crashed";
}

/** A platform does not know who takes a machine away: what ends after we asked for that is our doing. */
function stopWhileLeaving({ stateSince }: InstanceView, { stop }: Machine): Observation["stopped"] {
  if (stop === undefined) return undefined;
  return stop.at < stateSince - sameSecondMs ? stop.reason : "requested";
}

/** Not the stop that was there when the start was asked for. Without evidence it is not new. */
export function isNewStop(instance: InstanceView, { stop }: Machine): boolean {
  return stop !== undefined && Math.trunc(stop.at) !== instance.stopBeforeStart;
}

/** It may have been there for a while when it is first seen; before its row it was not, but in the same second. */
function createdAt(instance: InstanceView, { power, powerSince }: Machine): number {
  const isOlder = powerSince <= instance.createdAt - sameSecondMs;
  return isOlder ? power.at : Math.min(Math.max(powerSince, instance.createdAt), power.at);
}

/** It is gone: what it held ends then, but not before what is written down already. */
export function closeAll(
  { instance }: View,
  end: Pick<Transition, "at" | "evidence">,
): Transition[] {
  const { shape } = instance;
  const { evidence } = end;
  const at = Math.max(instance.metering.lastAt, end.at);
  const transitions: Transition[] = [];
  const { metering } = instance;
  if (metering.workloadStarted && !metering.workloadEnded) {
    transitions.push({ kind: "workload_ended", at, shape, evidence });
  }
  if (metering.ready) transitions.push({ kind: "stopped", at, shape, evidence });
  if (metering.created && !metering.deleted) {
    transitions.push({ kind: "deleted", at, shape, evidence });
  }
  return transitions;
}

/** Evidence this much older than what is known already comes from a clock that was set back. */
const clockStepMs = 60_000;

/** Instants as they are, but never before `floor`; the ones of a clock that was set back are now. */
export function notBefore(floor: number, now: number): (at: number) => number {
  let last = floor;
  return (at) => {
    last = Math.max(last, at < last - clockStepMs ? now : at);
    return last;
  };
}
