/**
 * A bound on how many calls a platform gets at once, and on how many wait for their turn. First
 * come, first served; who gives up while waiting leaves the queue.
 */
import { ProviderError } from "./provider.ts";

export class Gate {
  readonly #insideMax: number;
  readonly #waitingMax: number;
  readonly #waiting = new Set<() => void>();
  #inside = 0;

  constructor(insideMax: number, waitingMax: number) {
    this.#insideMax = insideMax;
    this.#waitingMax = waitingMax;
  }

  /** Resolves to the function that leaves again. Throws ProviderError, always with effect `none`. */
  async enter(signal: AbortSignal): Promise<() => void> {
    if (signal.aborted) throw gaveUp(signal);
    if (this.#inside < this.#insideMax) this.#inside += 1;
    else await this.#turn(signal);
    let left = false;
    return () => {
      if (left) return;
      left = true;
      this.#leave();
    };
  }

  /** The place of who leaves goes to the next in the queue without ever being free. */
  #leave(): void {
    for (const next of this.#waiting) {
      this.#waiting.delete(next);
      next();
      return;
    }
    this.#inside -= 1;
  }

  #turn(signal: AbortSignal): Promise<void> {
    if (this.#waiting.size >= this.#waitingMax) {
      throw new ProviderError("throttled", `${this.#waiting.size} calls are waiting already`, {
        effect: "none",
      });
    }
    return new Promise((resolve, reject) => {
      const abort = (): void => {
        this.#waiting.delete(enter);
        reject(gaveUp(signal));
      };
      const enter = (): void => {
        signal.removeEventListener("abort", abort);
        resolve();
      };
      this.#waiting.add(enter);
      signal.addEventListener("abort", abort, { once: true });
    });
  }
}

function gaveUp(signal: AbortSignal): ProviderError {
  return new ProviderError("unavailable", "the call ended before it was the platform's turn", {
    effect: "none",
    cause: signal.reason,
  });
}
