/**
 * Whether the cluster serves the kinds of its job queue: looked for now and then until it does, since an
 * operator may install Kueue or Volcano at any time, and at once where somebody is about to be told no.
 */
import { setTimeout as sleep } from "node:timers/promises";

import type { KubeClient } from "#providers/kubevirt/client/client.ts";
import type { Kind } from "#providers/kubevirt/client/kind.ts";

/** What is not installed is looked for so often. */
const absentMs = 30_000;

export class Presence {
  readonly #client: KubeClient;
  readonly #kinds: readonly Kind[];
  readonly #onLost: (what: string, error: unknown) => void;
  #missing: string | undefined;
  #came: () => void = () => undefined;

  constructor(of: {
    readonly client: KubeClient;
    readonly kinds: readonly Kind[];
    readonly onLost: (what: string, error: unknown) => void;
  }) {
    this.#client = of.client;
    this.#kinds = of.kinds;
    this.#onLost = of.onLost;
  }

  /** Those that the cluster does not serve, as of the last look; `undefined`: none, or nobody looked yet. */
  get missing(): string | undefined {
    return this.#missing;
  }

  /** The same after a look; what could not be looked at is as it was. */
  async look(signal: AbortSignal): Promise<string | undefined> {
    await this.#isThere(signal);
    return this.#missing;
  }

  /** Does the work once all of them are served, or never, if the signal aborts before. */
  async once(signal: AbortSignal, work: () => Promise<void>): Promise<void> {
    while (!signal.aborted) {
      // oxlint-disable-next-line no-await-in-loop -- until they are there
      if (await this.#isThere(signal)) return work();
      const found = new AbortController();
      this.#came = () => found.abort();
      const either = AbortSignal.any([signal, found.signal]);
      // oxlint-disable-next-line no-await-in-loop -- as above
      await sleep(absentMs, undefined, { signal: either }).catch(() => undefined);
    }
    return undefined;
  }

  async #isThere(signal: AbortSignal): Promise<boolean> {
    try {
      const lacking = await Promise.all(
        this.#kinds.map(async (kind) => {
          const names = await this.#client.served({ signal }, kind);
          return names.has(kind.plural) ? [] : [`${kind.plural}.${kind.group}/${kind.version}`];
        }),
      );
      const all = lacking.flat();
      this.#missing = all.length === 0 ? undefined : all.join(", ");
      if (all.length === 0) this.#came();
      return all.length === 0;
    } catch (error) {
      if (!signal.aborted) this.#onLost("the job queue's kinds", error);
      return false;
    }
  }
}
