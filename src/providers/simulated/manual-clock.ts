/**
 * A clock that stands still until a test moves it. `advance` lets every wait that falls due resume
 * in the order of its time, as a real clock would.
 */
import type { Clock } from "./clock.ts";

interface Waiting {
  readonly at: number;
  readonly resume: () => void;
}

export class ManualClock implements Clock {
  #now: number;
  #waiting: Waiting[] = [];

  constructor(now = Date.UTC(2026, 0, 1)) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  wait(ms: number, signal: AbortSignal): Promise<void> {
    if (ms <= 0 || signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const entry: Waiting = {
        at: this.#now + ms,
        resume: () => {
          signal.removeEventListener("abort", entry.resume);
          this.#waiting = this.#waiting.filter((other) => other !== entry);
          resolve();
        },
      };
      this.#waiting.push(entry);
      signal.addEventListener("abort", entry.resume);
    });
  }

  async advance(ms: number): Promise<void> {
    const until = this.#now + ms;
    for (;;) {
      const due = this.#waiting
        .filter((entry) => entry.at <= until)
        .toSorted((a, b) => a.at - b.at)[0];
      if (due === undefined) break;
      this.#now = Math.max(this.#now, due.at);
      due.resume();
      await settled();
    }
    this.#now = until;
    await settled();
  }

  /** As an operator's mistake or a time server does: without waking anybody. */
  stepBack(ms: number): void {
    this.#now -= ms;
  }
}

/** Lets everything that a resumed wait started run until it waits again. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
