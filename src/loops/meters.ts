/** Metrics of loops: made once for each observer, with the name of the loop as label. */
import { Counter, Gauge, Histogram } from "prom-client";

import type { Observer } from "#observe/observer.ts";

export interface LoopMeters {
  /** Of a pass; the function that it gives ends it. */
  startTimer(): () => void;
  failed(failuresInRow: number): void;
  worked(): void;
}

export function loopMeters(observer: Observer, loop: string): LoopMeters {
  const { seconds, failures, failing } = metersOf(observer);
  failures.inc({ loop }, 0);
  failing.set({ loop }, 0);
  return {
    startTimer: () => seconds.startTimer({ loop }),
    failed: (failuresInRow) => {
      failures.inc({ loop });
      failing.set({ loop }, failuresInRow);
    },
    worked: () => failing.set({ loop }, 0),
  };
}

interface Meters {
  readonly seconds: Histogram<"loop">;
  readonly failures: Counter<"loop">;
  readonly failing: Gauge<"loop">;
}

const metersOfObserver = new WeakMap<Observer, Meters>();

function metersOf(observer: Observer): Meters {
  const known = metersOfObserver.get(observer);
  if (known !== undefined) return known;
  const registers = [observer.metrics];
  const meters: Meters = {
    seconds: new Histogram({
      name: "millrace_loop_pass_seconds",
      help: "Duration of one pass of a loop",
      labelNames: ["loop"],
      buckets: [0.002, 0.01, 0.05, 0.25, 1, 5, 30],
      registers,
    }),
    failures: new Counter({
      name: "millrace_loop_failures_total",
      help: "Passes of a loop that failed",
      labelNames: ["loop"],
      registers,
    }),
    failing: new Gauge({
      name: "millrace_loop_failures_in_row",
      help: "Failed passes of a loop since the last one that did its work; 0 when it works",
      labelNames: ["loop"],
      registers,
    }),
  };
  metersOfObserver.set(observer, meters);
  return meters;
}
