/**
 * Runs a reconciler: one pass at a time, again when nudged, and in any case after its period.
 * A pass takes no input, so a lost or doubled nudge changes nothing. One that fails is tried again
 * after a rest that doubles (backoff.ts), and is said when it begins to fail, seldom while it goes
 * on, and when it is over.
 */
import { setTimeout as wait } from "node:timers/promises";

import type { Nudges } from "#db/listen.ts";
import type { Observer } from "#observe/observer.ts";

import { nudgedRestMs, restAfterMs, worthSaying, type Said } from "./backoff.ts";
import { loopMeters } from "./meters.ts";

/**
 * What follows a pass. `again`: another at once, because a limit cut this one short. `restMs`: one after so
 * long, if that is sooner than the loop's period, because something that it read is due then.
 */
export type AfterPass = "rest" | "again" | { readonly restMs: number };

export interface LoopDefinition {
  readonly name: string;
  /** Longest time between two passes. */
  readonly periodMs: number;
  /** Channels whose nudge starts a pass at once. */
  readonly channels: readonly string[];
  /** Shortest time from one pass to the next: what a stream of nudges costs has a bound. */
  readonly pauseMs?: number;
  readonly pass: (signal: AbortSignal) => Promise<AfterPass>;
}

/** Whatever a pass says is due, and however far the clock was set. */
const shortestRestMs = 100;

export interface LoopStatus {
  readonly name: string;
  readonly periodMs: number;
  readonly lastStartedAt: number | null;
  readonly lastEndedAt: number | null;
  readonly lastError: string | null;
  readonly runs: number;
  readonly failures: number;
  /** Failed passes since the last one that did its work. */
  readonly failuresInRow: number;
  readonly failingSince: number | null;
}

export interface Loop {
  readonly status: () => LoopStatus;
  readonly nudge: () => void;
  /** Lets the pass in hand finish (or abort), then ends. */
  readonly stop: () => Promise<void>;
}

export function startLoop(
  definition: LoopDefinition,
  context: { readonly nudges: Nudges; readonly observer: Observer; readonly now: () => number },
): Loop {
  const { observer, now } = context;
  const stopping = new AbortController();
  const status: { -readonly [Field in keyof LoopStatus]: LoopStatus[Field] } = {
    name: definition.name,
    periodMs: definition.periodMs,
    lastStartedAt: null,
    lastEndedAt: null,
    lastError: null,
    runs: 0,
    failures: 0,
    failuresInRow: 0,
    failingSince: null,
  };
  const meters = loopMeters(observer, definition.name);
  let said: Said | undefined;
  let wanted = true;
  let wake: (() => void) | undefined;
  const nudge = (): void => {
    wanted = true;
    wake?.();
  };
  const unsubscribe = definition.channels.map((channel) => context.nudges.on(channel, nudge));

  const rest = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        wake = undefined;
        stopping.signal.removeEventListener("abort", done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      stopping.signal.addEventListener("abort", done, { once: true });
      wake = done;
    });

  const failed = (error: unknown): void => {
    status.failures += 1;
    status.failuresInRow += 1;
    status.failingSince ??= now();
    status.lastError = error instanceof Error ? error.message : String(error);
    meters.failed(status.failuresInRow);
    if (stopping.signal.aborted) return;
    const saying = { message: status.lastError, atMs: performance.now() };
    if (!worthSaying(said, saying)) return;
    said = { ...saying, isOver: false };
    const fields = { loop: definition.name, err: error, failuresInRow: status.failuresInRow };
    observer.log.error(fields, "loop pass failed");
  };

  const worked = (): void => {
    if (said?.isOver === false) {
      said = { ...said, isOver: true };
      const { failuresInRow } = status;
      const seconds = Math.round((now() - (status.failingSince ?? now())) / 1000);
      observer.log.info({ loop: definition.name, failuresInRow, seconds }, "loop works again");
    }
    status.lastError = null;
    status.failuresInRow = 0;
    status.failingSince = null;
    meters.worked();
  };

  const pass = async (): Promise<AfterPass | "failed"> => {
    wanted = false;
    status.lastStartedAt = now();
    const stopTimer = meters.startTimer();
    try {
      const next = await definition.pass(stopping.signal);
      worked();
      return next;
    } catch (error) {
      failed(error);
      return "failed";
    } finally {
      stopTimer();
      status.runs += 1;
      status.lastEndedAt = now();
    }
  };

  /** Nothing ends it early but the end of the loop. */
  const pause = (ms: number): Promise<void> =>
    wait(ms, undefined, { signal: stopping.signal }).catch(() => undefined);

  /** A nudge may end it early, but not at once: a storm of them must not become one of failures. */
  const restAfterFailure = async (): Promise<void> => {
    const restMs = restAfterMs(status.failuresInRow);
    const atLeastMs = Math.min(restMs, nudgedRestMs);
    await pause(atLeastMs);
    if (!wanted && restMs > atLeastMs && !stopping.signal.aborted) await rest(restMs - atLeastMs);
    wanted = true;
  };

  const boundedRest = (ms: number): number =>
    Math.min(definition.periodMs, Math.max(shortestRestMs, ms));

  const running = (async (): Promise<void> => {
    let restMs = definition.periodMs;
    while (!stopping.signal.aborted) {
      if (!wanted) {
        await rest(restMs);
        wanted = true;
        continue;
      }
      const next = await pass();
      if (stopping.signal.aborted) return;
      restMs = typeof next === "object" ? boundedRest(next.restMs) : definition.periodMs;
      if (next === "failed") await restAfterFailure();
      else if (next === "again") wanted = true;
      else if (definition.pauseMs !== undefined) await pause(definition.pauseMs);
    }
  })();

  return {
    status: () => ({ ...status }),
    nudge,
    stop: async () => {
      for (const each of unsubscribe) each();
      stopping.abort();
      await running;
    },
  };
}
