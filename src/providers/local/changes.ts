/** Who listens for changes in this process. Ids are told once until they are taken. */
export class Changes {
  readonly #listeners = new Set<Listener>();

  tell(machineId: string): void {
    for (const listener of this.#listeners) listener.add(machineId);
  }

  /** From the call on, not from the first read, so that nothing in between is missed. */
  listen(signals: readonly AbortSignal[]): AsyncIterable<string> {
    const listener = new Listener();
    this.#listeners.add(listener);
    const signal = AbortSignal.any([...signals]);
    const end = (): void => {
      this.#listeners.delete(listener);
      listener.end();
    };
    if (signal.aborted) end();
    else signal.addEventListener("abort", end, { once: true });
    return listener.ids();
  }
}

class Listener {
  readonly #waiting = new Set<string>();
  #ended = false;
  #wake = Promise.withResolvers<void>();

  add(machineId: string): void {
    this.#waiting.add(machineId);
    this.#wake.resolve();
  }

  end(): void {
    this.#ended = true;
    this.#wake.resolve();
  }

  async *ids(): AsyncGenerator<string> {
    while (!this.#ended) {
      await this.#wake.promise;
      this.#wake = Promise.withResolvers<void>();
      const ids = [...this.#waiting];
      this.#waiting.clear();
      if (this.#ended) return;
      yield* ids;
    }
  }
}
