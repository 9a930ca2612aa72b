/**
 * When to stop: each request has a signal that fires when its caller goes away, and streams and
 * waiting requests have one that also fires when this process closes.
 */
import type { ServerResponse } from "node:http";

export class Connections {
  readonly #long = new Set<AbortController>();
  #closing = false;

  /** `isLong`: would keep the process from closing, so it is told. */
  signalOf(response: ServerResponse, kind: "short" | "long"): AbortSignal {
    const controller = new AbortController();
    if (kind === "long") this.#long.add(controller);
    if (kind === "long" && this.#closing) controller.abort();
    response.once("close", () => {
      this.#long.delete(controller);
      if (!response.writableFinished) controller.abort();
    });
    return controller.signal;
  }

  close(): void {
    this.#closing = true;
    for (const controller of this.#long) controller.abort();
  }

  areClosing(): boolean {
    return this.#closing;
  }
}
