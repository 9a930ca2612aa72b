/** Long work in a process that answers others meanwhile. */
import { setImmediate } from "node:timers/promises";

import { Failure } from "#kernel/failure.ts";

/** Others wait no longer than this for their turn, a single step apart. */
const sliceMs = 10;

/** Throws `unavailable` after `limitMs` of the clock on the wall, and the signal's reason when it is aborted. */
export async function politely<T>(
  steps: Generator<undefined, T, undefined>,
  { limitMs, signal }: { readonly limitMs: number; readonly signal: AbortSignal },
): Promise<T> {
  const startedAt = performance.now();
  let sliceAt = startedAt;
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
    const now = performance.now();
    if (now - sliceAt < sliceMs) continue;
    if (now - startedAt > limitMs) {
      throw new Failure(
        "unavailable",
        `It would take longer than ${Math.round(limitMs / 1000)} s. Ask for a shorter stretch of time.`,
      );
    }
    // oxlint-disable-next-line no-await-in-loop -- that is what it is for
    await setImmediate();
    signal.throwIfAborted();
    sliceAt = performance.now();
  }
}
