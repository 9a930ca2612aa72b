/** The rest of a loop that compares every so often, and at once when a watch told of a change. */
import { rest } from "./rest.ts";

export class Nap {
  #wake: () => void = () => undefined;

  /** Ends the rest that is under way, if there is one. */
  wake(): void {
    this.#wake();
  }

  /** Waits so long, or until it is woken or the signal aborts; not at all where something is due. */
  take(
    ms: number,
    of: { readonly isDue: () => boolean; readonly signal: AbortSignal },
  ): Promise<void> {
    const woken = new AbortController();
    this.#wake = () => woken.abort();
    if (of.isDue()) return Promise.resolve();
    return rest(ms, AbortSignal.any([of.signal, woken.signal]));
  }
}
