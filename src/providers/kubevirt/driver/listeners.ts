/** Tells whoever listens which keys may have changed; what is told twice before it is heard is heard once. */
export class Listeners {
  readonly #waiting = new Set<Listener>();

  tell(key: string): void {
    for (const each of this.#waiting) each.add(key);
  }

  /** Ends when the signal aborts. */
  async *listen(signal: AbortSignal): AsyncGenerator<string, void, undefined> {
    const listener = new Listener();
    const wake = (): void => listener.wake();
    this.#waiting.add(listener);
    signal.addEventListener("abort", wake, { once: true });
    try {
      while (!signal.aborted) {
        yield* listener.take();
        // oxlint-disable-next-line no-await-in-loop -- one after the other is what a stream is
        if (!signal.aborted) await listener.more();
      }
    } finally {
      this.#waiting.delete(listener);
      signal.removeEventListener("abort", wake);
    }
  }
}

class Listener {
  readonly #keys = new Set<string>();
  #wake: () => void = () => undefined;

  add(key: string): void {
    this.#keys.add(key);
    this.#wake();
  }

  wake(): void {
    this.#wake();
  }

  take(): readonly string[] {
    const keys = [...this.#keys];
    this.#keys.clear();
    return keys;
  }

  more(): Promise<void> {
    if (this.#keys.size > 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}
