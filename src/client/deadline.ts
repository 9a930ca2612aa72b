/** Time limits of calls: every call to a server ends by itself. */
import { Failure } from "#kernel/failure.ts";

export interface Deadline {
  /** Aborts when the time is up, with a `timeout` failure, or when the caller's signal does. */
  readonly signal: AbortSignal;
  readonly remainingMs: () => number;
  /** The time is no longer limited; the caller's signal still counts. */
  readonly lift: () => void;
}

export function deadline(timeoutMs: number, outer: AbortSignal | undefined): Deadline {
  const startedAt = performance.now();
  const controller = new AbortController();
  const timer = setTimeout(() => {
    const seconds = Math.round(timeoutMs / 100) / 10;
    controller.abort(
      new Failure("timeout", `The server did not answer within ${seconds} s. Try again later.`),
    );
  }, timeoutMs);
  return {
    signal: outer === undefined ? controller.signal : AbortSignal.any([controller.signal, outer]),
    remainingMs: () => timeoutMs - (performance.now() - startedAt),
    lift: () => {
      clearTimeout(timer);
    },
  };
}

/** Rejects with the signal's reason when it aborts first. */
export async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  signal?.throwIfAborted();
  await new Promise<void>((resolve, reject) => {
    const onAbort = (): void => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    }, ms);
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}
