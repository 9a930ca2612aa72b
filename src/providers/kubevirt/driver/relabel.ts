/**
 * Puts back the labels that somebody took off a machine or off its run: what does not bear them is not
 * watched, and would be taken for gone while it runs.
 */
import { setTimeout as after } from "node:timers/promises";

import type { KubeClient } from "#providers/kubevirt/client/client.ts";
import type { Kind } from "#providers/kubevirt/client/kind.ts";
import type { KubeObject } from "#providers/kubevirt/client/object.ts";

const againMs = 30_000;
const atOnceMax = 1_000;

interface Unlabeled {
  readonly kind: Kind;
  /** As it was when it bore them. */
  readonly object: KubeObject;
  /** Called when it is not there any more, or is another of the same name. */
  readonly isGone: () => void;
}

export class Relabeler {
  readonly #client: KubeClient;
  readonly #onMended: (object: KubeObject) => void;
  readonly #busy = new Set<string>();

  constructor(client: KubeClient, onMended: (object: KubeObject) => void) {
    this.#client = client;
    this.#onMended = onMended;
  }

  /** Resolves when it bears them again, is gone, or the signal aborts. Never throws. */
  async mend({ kind, object, isGone }: Unlabeled, signal: AbortSignal): Promise<void> {
    const { uid } = object.metadata;
    if (this.#busy.has(uid) || this.#busy.size >= atOnceMax) return;
    this.#busy.add(uid);
    while (!signal.aborted) {
      // oxlint-disable-next-line no-await-in-loop -- until it is done
      const outcome = await this.#putBack(kind, object, signal);
      if (outcome === "gone") isGone();
      if (outcome !== "unknown") break;
      // oxlint-disable-next-line no-await-in-loop -- as above
      await after(againMs, undefined, { signal }).catch(() => undefined);
    }
    this.#busy.delete(uid);
  }

  async #putBack(
    kind: Kind,
    { metadata: { uid, namespace = "", name, labels = {} } }: KubeObject,
    signal: AbortSignal,
  ): Promise<"mended" | "gone" | "unknown"> {
    try {
      const at = { namespace, name };
      const now = await this.#client.get({ signal }, kind, at);
      if (now?.metadata.uid !== uid) return "gone";
      const written = await this.#client.patch({ signal }, kind, {
        name: at,
        patch: { metadata: { labels } },
      });
      if (written === undefined) return "gone";
      this.#onMended(written.object);
      return "mended";
    } catch {
      // The cluster is away, or does not let us: it is tried again.
      return "unknown";
    }
  }
}
