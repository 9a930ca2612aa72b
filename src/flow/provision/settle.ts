/** What the end of a pending call means. Pure. */
import type { Reason } from "#kernel/reason.ts";
import type { ProviderError } from "#providers/provider.ts";

import type { EventNote, OperationEnd, PendingCall, View } from "./view.ts";

/** A call whose end the platform does not report is looked past after this. */
export const callPatienceMs = 15 * 60_000;
/** How long a create that found no capacity or no answer is repeated. */
export const createRetriesMs = 60_000;
/**
 * And how often in a row, where it found no answer: an order that waited for a platform to come back is
 * not given up because the first call after that finds it busy. With the rests between, about a minute.
 */
export const createUnansweredMax = 8;

export type Settled =
  | { readonly outcome: "wait" }
  | { readonly outcome: "give-up"; readonly reason: Reason }
  | {
      readonly outcome: "go-on";
      readonly endedOperations: readonly OperationEnd[];
      readonly events: readonly EventNote[];
    };

const goOn: Settled = { outcome: "go-on", endedOperations: [], events: [] };

export function settleCall(view: View): Settled {
  const { call } = view.instance;
  if (call === null) return goOn;
  const { callStatus: status, now } = view;
  if (status === undefined) return { outcome: "wait" };
  switch (status.state) {
    case "running":
      return now - call.issuedAt > callPatienceMs ? goOn : { outcome: "wait" };
    case "unknown":
      // No record of it: what the machine shows decides, and the call is made again if need be.
      return goOn;
    case "done":
      return finished(view, call, status.note);
    case "failed":
      return failed(view, call, status.error);
  }
}

function finished(view: View, call: PendingCall, note: string | undefined): Settled {
  // Start, stop, create and delete end when the machine shows it, not when the call returns.
  const operation = view.operations.find((each) => each.id === call.operationId);
  const endsWithCall =
    call.kind === "snapshot" ||
    call.kind === "revert" ||
    call.kind === "snapshot-delete" ||
    call.kind === "resize" ||
    call.kind === "move" ||
    call.kind === "reboot";
  if (operation === undefined || !endsWithCall) return goOn;
  // A guest that was restarted or set back answers a moment later: then it is done for the caller.
  const comesBack = call.kind === "reboot" || call.kind === "revert";
  if (comesBack && isComingUp(view) && view.now - call.issuedAt < callPatienceMs) {
    return { outcome: "wait" };
  }
  return {
    outcome: "go-on",
    endedOperations: [{ operation, outcome: { state: "succeeded", note } }],
    events: [],
  };
}

function isComingUp({ sight }: View): boolean {
  if (sight.seen !== "machine") return false;
  const { power, guest } = sight.machine;
  return power.value === "running" && !guest.ready;
}

function failed(view: View, call: PendingCall, error: ProviderError): Settled {
  const reason: Reason = {
    code: error.code,
    message: error.message,
    details: { call: call.kind, effect: error.effect },
  };
  const operation = view.operations.find((each) => each.id === call.operationId);
  const transient = error.code === "unavailable" || error.code === "throttled";
  // Once in a row of failures, not with each of them.
  const first = view.instance.pace.inRow === 0;
  switch (call.kind) {
    case "create":
      if (transient || error.code === "capacity") {
        if (view.now - view.instance.stateSince < createRetriesMs) return goOn;
      }
      if (transient && view.instance.pace.inRow < createUnansweredMax) return goOn;
      return { outcome: "give-up", reason };
    case "delete":
    case "shutdown":
    case "start":
      // The wish stands: it is tried again with the next look, and said.
      return {
        outcome: "go-on",
        endedOperations:
          operation === undefined || transient
            ? []
            : [{ operation, outcome: { state: "failed", reason } }],
        events: first ? [{ kind: "platform-error", message: error.message, at: view.now }] : [],
      };
    case "interrupt":
    case "go-on":
      // It is told again with the next look, until its notice has passed.
      return goOn;
    case "reboot":
    case "resize":
    case "move":
    case "snapshot":
    case "revert":
    case "snapshot-delete":
      return {
        outcome: "go-on",
        endedOperations:
          operation === undefined ? [] : [{ operation, outcome: { state: "failed", reason } }],
        events: [],
      };
  }
}
