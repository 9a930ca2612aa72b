/**
 * Runs a reconciler: one pass at a time, again when nudged, and in any case after its period.
 * A pass takes no input, so a lost or doubled nudge changes nothing. A failed pass is logged and
 * tried again with the next; its period is its retry.
 */
import { Counter, Histogram } from "prom-client";

import type { Nudges } from "#db/listen.ts";
import type { Observer } from "#observe/observer.ts";

export interface LoopDefinition {
  readonly name: string;
  /** Longest time between two passes. */
  readonly periodMs: number;
  /** Channels whose nudge starts a pass at once. */
  readonly channels: readonly string[];
  /** One pass. `again` asks for another at once, because a limit cut this one short. */
  readonly pass: (signal: AbortSignal) => Promise<"rest" | "again">;
}

export interface LoopStatus {
  readonly name: string;
  readonly periodMs: number;
  readonly lastStartedAt: number | null;
  readonly lastEndedAt: number | null;
  readonly lastError: string | null;
  readonly runs: number;
  readonly failures: number;
}

export interface Loop {
  readonly status: () => LoopStatus;
  readonly nudge: () => void;
  /** Lets the pass in hand finish (or abort), then ends. */
  readonly stop: () => Promise<void>;
}

/** Between a failed pass and the next, so that a broken loop does not spin. */
const failureRestMs = 500;

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
  };
  const meters = metersOf(observer);
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

  const pass = async (): Promise<void> => {
    wanted = false;
    status.lastStartedAt = now();
    const stopTimer = meters.seconds.startTimer({ loop: definition.name });
    try {
      if ((await definition.pass(stopping.signal)) === "again") wanted = true;
      status.lastError = null;
    } catch (error) {
      status.failures += 1;
      status.lastError = error instanceof Error ? error.message : String(error);
      meters.failures.inc({ loop: definition.name });
      if (!stopping.signal.aborted) {
        observer.log.error({ loop: definition.name, err: error }, "loop pass failed");
        await rest(failureRestMs);
        wanted = true;
      }
    } finally {
      stopTimer();
      status.runs += 1;
      status.lastEndedAt = now();
    }
  };

  const running = (async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      if (wanted) await pass();
      else {
        await rest(definition.periodMs);
        wanted = true;
      }
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

interface Meters {
  readonly seconds: Histogram<"loop">;
  readonly failures: Counter<"loop">;
}

const metersOfObserver = new WeakMap<Observer, Meters>();

function metersOf(observer: Observer): Meters {
  const known = metersOfObserver.get(observer);
  if (known !== undefined) return known;
  const meters: Meters = {
    seconds: new Histogram({
      name: "millrace_loop_pass_seconds",
      help: "Duration of one pass of a loop",
      labelNames: ["loop"],
      buckets: [0.002, 0.01, 0.05, 0.25, 1, 5, 30],
      registers: [observer.metrics],
    }),
    failures: new Counter({
      name: "millrace_loop_failures_total",
      help: "Passes of a loop that failed",
      labelNames: ["loop"],
      registers: [observer.metrics],
    }),
  };
  metersOfObserver.set(observer, meters);
  return meters;
}
