/** Waiting for a condition with a deadline: nothing in this driver waits for ever. */
import { setTimeout as delay } from "node:timers/promises";

/** Calls `probe` until it gives a value, or gives undefined after `timeoutMs`. */
export async function waitFor<T>(
  probe: () => Promise<T | undefined> | T | undefined,
  options: { readonly timeoutMs: number; readonly everyMs: number; readonly signal?: AbortSignal },
): Promise<T | undefined> {
  const until = performance.now() + options.timeoutMs;
  for (;;) {
    options.signal?.throwIfAborted();
    const value = await probe();
    if (value !== undefined) return value;
    if (performance.now() >= until) return undefined;
    await delay(options.everyMs, undefined, options.signal && { signal: options.signal });
  }
}

/** The promise's value, or an error that says what took too long. */
export async function withDeadline<T>(
  promise: Promise<T>,
  timeoutMs: number,
  what: string,
): Promise<T> {
  const timer = new AbortController();
  const late = delay(timeoutMs, undefined, { signal: timer.signal, ref: false }).then(() => {
    throw new Error(`${what} took longer than ${timeoutMs} ms`);
  });
  late.catch(() => {});
  try {
    return await Promise.race([promise, late]);
  } finally {
    timer.abort();
  }
}
