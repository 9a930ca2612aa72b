/**
 * How calls to the platform are repeated. Pure. What must stay true:
 *
 * - A platform answers a key that it knows with the old result, for ever. So a call that failed, or
 *   that ended without what it was for, is made again under a new key; one that nobody has a record
 *   of (a crash between writing it down and making it) under the same.
 * - Between two there is a rest that grows, so that a platform in trouble is not stormed.
 */
import type { Pace, Step, View } from "./view.ts";

const restMs = 500;
export const restMaxMs = 30_000;

export function paced(view: View, step: Step): Step {
  const { now } = view;
  const pace = paceAfter(view, step);
  const changed = pace === view.instance.pace ? step : { ...step, patch: { ...step.patch, pace } };
  if (step.call === undefined) return changed;
  const waitMs = pace.of === step.call.key ? pace.notBefore - now : 0;
  // A longer wait than there is means that the clock was set back.
  if (waitMs > 0 && waitMs <= restMaxMs) {
    const { call: _later, ...rest } = changed;
    return { ...rest, lookAgainAt: Math.min(step.lookAgainAt ?? Infinity, pace.notBefore) };
  }
  return { ...changed, call: { ...step.call, key: keyOf(step.call.key, pace) } };
}

function paceAfter({ instance, callStatus, now }: View, step: Step): Pace {
  const { call, pace } = instance;
  if (call === null || step.patch.call !== null) return pace;
  const work = workOf(call.key);
  const inRow = pace.of === work ? pace.inRow : 0;
  const again = step.call?.key === work;
  switch (callStatus?.state) {
    case "failed":
      return { keys: pace.keys + 1, ...resting(work, inRow + 1, now) };
    case "done":
      return again
        ? { keys: pace.keys + 1, ...resting(work, inRow + 1, now) }
        : { ...pace, of: null, inRow: 0, notBefore: 0 };
    case "unknown":
      // At once the first time: it is what follows a crash.
      return again
        ? { keys: pace.keys, of: work, inRow: inRow + 1, notBefore: now + restAfter(inRow) }
        : pace;
    case "running":
    case undefined:
      return pace;
  }
}

function resting(of: string, inRow: number, now: number): Omit<Pace, "keys"> {
  return { of, inRow, notBefore: now + restAfter(inRow) };
}

function restAfter(inRow: number): number {
  return inRow === 0 ? 0 : Math.min(restMaxMs, restMs * 2 ** (inRow - 1));
}

function keyOf(work: string, { keys }: Pace): string {
  return keys === 0 ? work : `${work}~${keys}`;
}

/** What a key stands for, whichever of its repeats it is. */
function workOf(key: string): string {
  return key.replace(/~\d+$/, "");
}
