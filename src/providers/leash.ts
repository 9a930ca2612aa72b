/**
 * The signal that a driver sees: it aborts when the caller's does, or when the time for the call is
 * over. A stream that came of the call `hold`s the leash: the time ends then, the caller stays.
 */
export class Leash {
  readonly #caller: AbortSignal;
  readonly #controller = new AbortController();
  readonly #abort = (): void => {
    this.#controller.abort(this.#caller.reason);
  };
  #timer: NodeJS.Timeout | undefined;
  #held = false;

  constructor(caller: AbortSignal) {
    this.#caller = caller;
    if (caller.aborted) this.#abort();
    else caller.addEventListener("abort", this.#abort, { once: true });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  endAfter(ms: number): void {
    this.#timer = setTimeout(() => {
      this.#controller.abort(new DOMException(`no answer within ${ms} ms`, "TimeoutError"));
    }, ms);
  }

  /** The call is over. */
  end(): void {
    clearTimeout(this.#timer);
    if (!this.#held) this.release();
  }

  hold(): void {
    this.#held = true;
  }

  release(): void {
    this.#caller.removeEventListener("abort", this.#abort);
  }
}
