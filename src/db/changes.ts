/** Waiting for the next nudge, with a bound: for requests that wait. */
import type { Nudges } from "./listen.ts";

export interface Change {
  /** Resolves with the nudge, the time-out or the abort, whichever is first. Never rejects. */
  readonly happened: Promise<void>;
  readonly cancel: () => void;
}

export interface Changes {
  /** Listens from this moment on, so that a look made after it misses nothing. */
  next(
    channel: string,
    limit: { readonly signal: AbortSignal; readonly timeoutMs: number },
  ): Change;
}

export function changesOf(nudges: Nudges): Changes {
  return {
    next: (channel, { signal, timeoutMs }) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      const done = (): void => {
        clearTimeout(timer);
        unsubscribe();
        signal.removeEventListener("abort", done);
        resolve();
      };
      const unsubscribe = nudges.on(channel, done);
      const timer = setTimeout(done, timeoutMs);
      signal.addEventListener("abort", done, { once: true });
      if (signal.aborted) done();
      return { happened: promise, cancel: done };
    },
  };
}
