/**
 * One instance, one look, one step. Pure: it is handed everything, the time included, and says
 * which rows change and which one call to the platform follows. It may be run twice, late, or by
 * another process: calls are named by keys made from stored facts, so a repeat has no second
 * effect.
 */
import type { Reason } from "#kernel/reason.ts";
import type { Machine, Remark } from "#providers/provider.ts";

import { attemptGone, attemptSeen } from "./attempt.ts";
import { drive, goalOf } from "./drive.ts";
import { gone, released } from "./gone.ts";
import { toldBy } from "./interruption.ts";
import { observeMachine } from "./observe.ts";
import { paced } from "./pace.ts";
import { remarkEvents, remarksOf } from "./remarks.ts";
import { settleCall } from "./settle.ts";
import { strandedOn } from "./stranded.ts";
import type { AttemptEnd, InstanceView, Step, View } from "./view.ts";

/** How long a machine may be missing from complete listings before it counts as lost. */
export const missingGraceMs = 10_000;

/** A guest that has not answered by then will not; what it holds is given back. */
const bootPatienceMs = 15 * 60_000;
/** As long as the platform says that what it waits for goes by itself, such as a large image's copy. */
const slowPatienceMs = 4 * 60 * 60_000;

function goesByItself({ waiting }: { readonly waiting?: Remark | null }): boolean {
  return waiting?.who === "nobody";
}

/** A guest has its time to boot once nothing is in its way that goes by itself. */
function isPastPatience(instance: InstanceView, machine: Machine, seenAt: number): boolean {
  const { stateSince, waitedUntil } = instance;
  const ageMs = seenAt - stateSince;
  if (goesByItself(machine)) return ageMs > slowPatienceMs;
  const since = goesByItself(instance) ? seenAt : Math.max(stateSince, waitedUntil ?? 0);
  return seenAt - since > bootPatienceMs || ageMs > slowPatienceMs + bootPatienceMs;
}

function guestNotReady(afterMs: number, { waiting }: Machine): Reason {
  const message = `The guest did not answer within ${Math.floor(afterMs / 60_000)} minutes of being made, so it was taken away.`;
  if (waiting === undefined) return { code: "guest_not_ready", message };
  const { code: waitedFor, message: why, advice, who } = waiting;
  return {
    code: "guest_not_ready",
    message: `${message} ${why}`,
    details: { waitedFor, advice, who },
  };
}

export function decide(view: View): Step {
  return paced(view, nextStep(view));
}

function nextStep(view: View): Step {
  const { instance, sight } = view;
  if (instance.state === "gone") return rest(view);
  const stranded = strandedOn(view);
  if (stranded !== undefined) {
    const { message } = stranded.reason;
    const event = { kind: "host-down", message, at: view.now };
    return gone(view, { ...rest(view), patch: { call: null }, events: [event] }, stranded);
  }
  const settled = settleCall(view);
  const overtaken =
    goalOf(view) === "gone" && instance.call?.kind !== "delete" && sight.seen === "machine";
  if (settled.outcome === "wait" && !overtaken) {
    // Evidence is recorded also while a call is under way: a crash does not wait for it.
    return sight.seen === "machine" ? watch(view, sight.machine) : rest(view);
  }
  if (settled.outcome === "give-up") return giveUp(view, settled.reason);
  const base: Step = {
    ...rest(view),
    ...(instance.call === null ? {} : { patch: { call: null } }),
    ...toldBy(view),
    endedOperations: settled.outcome === "go-on" ? settled.endedOperations : [],
    events: settled.outcome === "go-on" ? settled.events : [],
  };
  switch (sight.seen) {
    case "unknown":
      return base;
    case "absent":
      return absent(view, base);
    case "machine":
      return present(view, base, sight.machine);
  }
}

function rest({ instance }: View): Step {
  return { state: instance.state, patch: {}, transitions: [], endedOperations: [], events: [] };
}

function watch(view: View, machine: Machine): Step {
  const remarks = remarksOf(machine);
  const seen = observeMachine(view, machine);
  const stopped = seen.stopped !== undefined && view.instance.metering.ready;
  const workload = attemptSeen(view, machine);
  return {
    ...rest(view),
    ...(seen.evicted === undefined ? {} : { evicted: seen.evicted }),
    patch: {
      missingSince: null,
      seenUntil: null,
      endpoints: machine.endpoints,
      ...(machine.address === undefined ? {} : { address: machine.address }),
      ...(workload === undefined ? {} : { workload }),
      ...(seen.ready ? { readyAt: machine.guest.readyAt ?? null, startKind: machine.start } : {}),
      ...(stopped ? { readyAt: null } : {}),
      ...remarks,
      ...(goesByItself(view.instance) && !goesByItself(remarks) ? { waitedUntil: view.now } : {}),
    },
    transitions: seen.transitions,
    events: [...seen.events, ...remarkEvents(view.instance, remarks, view.now)],
  };
}

function absent(view: View, base: Step): Step {
  const { instance, now } = view;
  if (instance.state === "deleting") return removed(view, base);
  if (goalOf(view) === "gone" && !instance.metering.created) {
    return removed(view, base);
  }
  if (instance.state === "creating" && !instance.metering.created) {
    return { ...base, call: { kind: "create", key: `${instance.id}:create`, operationId: null } };
  }
  // Anew also when the clock was set back behind the first sight of it.
  if (instance.missingSince === null || instance.missingSince > now) {
    const seenUntil = view.lastSeenAt === null ? null : Math.min(now, view.lastSeenAt);
    return {
      ...base,
      patch: { ...base.patch, missingSince: now, seenUntil },
      lookAgainAt: now + missingGraceMs,
    };
  }
  if (now - instance.missingSince < missingGraceMs) {
    return { ...base, lookAgainAt: instance.missingSince + missingGraceMs };
  }
  const reason: Reason = {
    code: "lost",
    message: "The platform no longer has this machine; nobody asked for its removal.",
    details: { missingSince: new Date(instance.missingSince).toISOString() },
  };
  const event = { kind: "lost", message: reason.message, at: now };
  return gone(
    view,
    { ...base, events: [...base.events, event, released(view)] },
    {
      reason,
      end: { kind: "platform_fault", detail: reason.message },
      // Nobody knows when the platform lost it; what it held ends when it was seen last.
      at: instance.seenUntil ?? instance.missingSince,
    },
  );
}

function removed(view: View, base: Step): Step {
  return gone(view, { ...base, events: [...base.events, released(view)] }, undefined);
}

function present(view: View, base: Step, machine: Machine): Step {
  const { instance, now } = view;
  // As far as it was seen: a platform that does not answer says nothing of its guests.
  const seenAt = Math.min(now, machine.power.at);
  const neverReady =
    instance.state === "creating" &&
    !machine.guest.ready &&
    isPastPatience(instance, machine, seenAt) &&
    goalOf(view) !== "gone";
  if (neverReady) return giveUp(view, guestNotReady(seenAt - instance.stateSince, machine));
  const watched = watch(view, machine);
  return drive(
    view,
    {
      ...base,
      ...(watched.evicted === undefined ? {} : { evicted: watched.evicted }),
      patch: { ...watched.patch, ...base.patch, pendingResize: machine.pendingResize },
      transitions: watched.transitions,
      events: [...base.events, ...watched.events],
    },
    machine,
  );
}

/** The platform will not make it: the ask fails with its words, and nothing is left behind. */
function giveUp(view: View, reason: Reason): Step {
  const { instance, now } = view;
  // A job that the platform could not start is tried again, as one that it lost (S-09).
  const fault = instance.kind === "job" && reason.code !== "refused" && reason.code !== "not_found";
  const end: AttemptEnd = { kind: "platform_fault", detail: reason.message };
  return {
    ...rest(view),
    state: "deleting",
    patch: {
      call: null,
      reason,
      ...(instance.kind === "job" ? { workload: attemptGone(view, end, now) } : {}),
    },
    endedOperations: view.operations
      .filter((operation) => operation.kind !== "release")
      .map((operation) => ({ operation, outcome: { state: "failed", reason } })),
    ...(fault ? {} : { request: { set: "ended", reason } as const }),
    transitions: [],
    events: [{ kind: "failed", message: reason.message, at: now }],
    call: { kind: "delete", key: `${instance.id}:delete`, operationId: null },
  };
}
