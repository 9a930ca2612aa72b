/** The end of an instance: books are closed, capacity is given back, the request goes on or ends. Pure. */
import type { Reason } from "#kernel/reason.ts";

import { attemptGone, ourEnd } from "./attempt.ts";
import { afterAttempt } from "./interruption.ts";
import { closeAll } from "./observe.ts";
import type { AttemptEnd, AttemptStatus, EventNote, Step, View } from "./view.ts";

/** Nobody asked for it. */
export interface Loss {
  readonly reason: Reason;
  /** What it is to its attempt. */
  readonly end: AttemptEnd;
  /** When what it held ended. */
  readonly at: number;
}

/** Without a loss it is gone because we took it away. */
export function gone(view: View, base: Step, loss: Loss | undefined): Step {
  const { instance, now } = view;
  const end = loss?.end ?? ourEnd(view);
  const endedAt = loss === undefined ? takenAt(view) : now;
  const attempt = instance.kind === "job" ? attemptGone(view, end, endedAt) : undefined;
  const transitions = closeAll(view, {
    at: loss?.at ?? endedAt,
    evidence: {
      reason: loss?.reason.code ?? "released",
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
      reason: loss?.reason ?? null,
      ...(attempt === undefined ? {} : { workload: attempt }),
    },
    transitions,
    placement: "none",
    request: afterGone(view, loss?.reason ?? null, attempt),
    endedOperations: [
      ...base.endedOperations,
      ...view.operations.map((operation) => ({
        operation,
        outcome:
          operation.kind === "release"
            ? ({ state: "succeeded" } as const)
            : ({
                state: "failed",
                reason: loss?.reason ?? {
                  code: "released",
                  message: "The machine was released.",
                },
              } as const),
      })),
    ],
  };
}

/**
 * When what we took away was there for the last time, as far as is certain: however long nobody looked
 * since, nobody pays for that.
 */
function takenAt({ instance, lastSeenAt, now }: View): number {
  if (instance.state !== "deleting") return now;
  return Math.min(now, Math.max(instance.stateSince, lastSeenAt ?? 0));
}

export function released({ now }: View): EventNote {
  return { kind: "released", message: "The machine and its disks are gone.", at: now };
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
