/**
 * One instance, one look, one step. Pure: it is handed everything, the time included, and says
 * which rows change and which one call to the platform follows. It may be run twice, late, or by
 * another process: calls are named by keys made from stored facts, so a repeat has no second
 * effect.
 */
import type { Reason } from "#kernel/reason.ts";
import type { Machine } from "#providers/provider.ts";

import { attemptGone, attemptSeen, ourEnd } from "./attempt.ts";
import { drive, goalOf } from "./drive.ts";
import { afterAttempt, toldBy } from "./interruption.ts";
import { closeAll, observeMachine } from "./observe.ts";
import { paced } from "./pace.ts";
import { settleCall } from "./settle.ts";
import type { AttemptEnd, AttemptStatus, Step, View } from "./view.ts";

/** How long a machine may be missing from complete listings before it counts as lost. */
export const missingGraceMs = 10_000;

/** A guest that has not answered by then will not; what it holds is given back. */
const bootPatienceMs = 15 * 60_000;
const guestNotReady: Reason = {
  code: "guest_not_ready",
  message: `The guest did not answer within ${bootPatienceMs / 60_000} minutes of being made, so it was taken away.`,
};

export function decide(view: View): Step {
  return paced(view, nextStep(view));
}

function nextStep(view: View): Step {
  const { instance, sight } = view;
  if (instance.state === "gone") return rest(view);
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
  const seen = observeMachine(view, machine);
  const stopped = seen.stopped !== undefined && view.instance.metering.ready;
  const workload = attemptSeen(view, machine);
  return {
    ...rest(view),
    patch: {
      missingSince: null,
      seenUntil: null,
      endpoints: machine.endpoints,
      ...(workload === undefined ? {} : { workload }),
      ...(seen.ready ? { readyAt: machine.guest.readyAt ?? null, startKind: machine.start } : {}),
      ...(stopped ? { readyAt: null } : {}),
    },
    transitions: seen.transitions,
    events: seen.events,
  };
}

function absent(view: View, base: Step): Step {
  const { instance, now } = view;
  if (instance.state === "deleting") return gone(view, base, null);
  if (goalOf(view) === "gone" && !instance.metering.created) {
    return gone(view, base, null);
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
  return gone(
    view,
    {
      ...base,
      events: [...base.events, { kind: "lost", message: reason.message, at: now }],
    },
    reason,
  );
}

/** The end of an instance: books are closed, capacity is given back, the request goes on or ends. */
function gone(view: View, base: Step, lost: Reason | null): Step {
  const { instance, now } = view;
  const end: AttemptEnd =
    lost === null ? ourEnd(view) : { kind: "platform_fault", detail: lost.message };
  const attempt = instance.kind === "job" ? attemptGone(view, end, now) : undefined;
  // Nobody knows when the platform lost it; what it held ends when it was seen last.
  const transitions = closeAll(view, {
    at: lost === null ? now : (instance.seenUntil ?? instance.missingSince ?? now),
    evidence: {
      reason: lost === null ? "released" : "lost",
      ...(attempt?.end === undefined ? {} : { end: attempt.end }),
    },
  });
  return {
    ...base,
    state: "gone",
    patch: {
      ...base.patch,
      call: null,
      readyAt: null,
      endpoints: [],
      reason: lost,
      ...(attempt === undefined ? {} : { workload: attempt }),
    },
    transitions,
    placement: "none",
    request: afterGone(view, lost, attempt),
    endedOperations: [
      ...base.endedOperations,
      ...view.operations.map((operation) => ({
        operation,
        outcome:
          operation.kind === "release"
            ? ({ state: "succeeded" } as const)
            : ({
                state: "failed",
                reason: lost ?? { code: "released", message: "The machine was released." },
              } as const),
      })),
    ],
    events: [
      ...base.events,
      { kind: "released", message: "The machine and its disks are gone.", at: now },
    ],
  };
}

function afterGone(
  view: View,
  lost: Reason | null,
  attempt: AttemptStatus | undefined,
): NonNullable<Step["request"]> {
  const { instance, request } = view;
  if (instance.kind === "lease") return { set: "ended", reason: lost };
  const end = attempt?.end;
  if (end === undefined || request.wanted === "released") return { set: "ended", reason: null };
  return afterAttempt(view, end);
}

function present(view: View, base: Step, machine: Machine): Step {
  const { instance, now } = view;
  const neverReady =
    instance.state === "creating" &&
    !machine.guest.ready &&
    now - instance.stateSince > bootPatienceMs &&
    goalOf(view) !== "gone";
  if (neverReady) return giveUp(view, guestNotReady);
  const watched = watch(view, machine);
  return drive(
    view,
    {
      ...base,
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
