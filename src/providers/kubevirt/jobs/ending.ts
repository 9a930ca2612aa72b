/**
 * By whose doing an attempt ended, which is what its price hangs on (R-PAYG-7). What must stay true:
 * only the cluster's own words make an attempt free. What the customer's container says of its end is
 * his word: it tells an exit from a time-out, both of which are billed.
 */
import type { EvictedBy, WorkloadEnd } from "#providers/machine.ts";
import type { Explanation } from "#providers/kubevirt/observe/explanation.ts";

/** `order`: it was told to end, by us or by hand; `gang`: another member's end was its own. */
export type EndedBy = "program" | "limit" | "order" | "preemption" | "gang" | "platform";

export interface Ending {
  readonly end: WorkloadEnd;
  readonly by: EndedBy;
  readonly why: Explanation | null;
}

/** R-PAYG-7. Who was told to end by our own order is billed as that order says. */
export function billingOf(by: EndedBy): "billed" | "free" | "as-ordered" {
  switch (by) {
    case "program":
    case "limit":
    case "preemption":
    case "gang":
      return "billed";
    case "platform":
      return "free";
    case "order":
      return "as-ordered";
  }
}

export function lost(code: string, detail: string, action: string): Ending {
  return {
    end: { kind: "platform_fault", detail },
    by: "platform",
    why: { code, for: "operator", message: `The platform lost the attempt: ${detail}`, action },
  };
}

/** Off for the platform's own sake, with the time to save its work: free, and no fault that is retried. */
export function takenOff(
  by: Extract<EvictedBy, "node" | "queue">,
  why: { readonly code: string; readonly message: string; readonly action: string },
): Ending {
  return {
    end: { kind: "evicted", by, detail: why.message },
    by: "platform",
    why: { ...why, for: "operator" },
  };
}

export function preempted(
  message: string,
  details?: Readonly<Record<string, unknown>>,
  by: Extract<EvictedBy, "preempted" | "reclaimed"> = "preempted",
): Ending {
  return {
    end: { kind: "evicted", by, detail: message },
    by: "preemption",
    why: {
      code: "preempted",
      for: "nobody",
      message,
      action: "Its next attempt goes on from what it had saved, once there is room again.",
      ...(details === undefined ? {} : { details }),
    },
  };
}

export function timedOut(message: string): Ending {
  return {
    end: { kind: "timed_out" },
    by: "limit",
    why: {
      code: "timed_out",
      for: "customer",
      message,
      action: "Submit it with a longer time limit, or let it save its work on the way.",
    },
  };
}
