/**
 * Up to when all runs of a site's machines were certainly seen, kept in the cluster: a run that ended while
 * no process watched, and left nothing that tells when, is billed to there. One small write now and then
 * for all machines together. What must stay true: it is never later than what was seen, and nothing is
 * marked as long as the end of any run is not written down.
 */
import { z } from "zod";

import type { KubeClient } from "#providers/kubevirt/client/client.ts";
import { ourLabels } from "#providers/kubevirt/compile/labels.ts";
import { kinds } from "#providers/kubevirt/objects/kinds.ts";

import type { ClusterView } from "./cluster-view.ts";
import type { Claim } from "./upkeep/claim.ts";
import { claimName } from "./upkeep/claim.ts";
import { rest } from "./upkeep/rest.ts";

export const runsSeenName = "millrace-runs-seen";
export const runsSeenEveryMs = 10_000;
const firstRetryMs = 1_000;

const mark = z.object({ data: z.object({ until: z.iso.datetime() }) });

export interface RunsSeenOptions {
  readonly client: KubeClient;
  readonly view: ClusterView;
  readonly claim: Claim;
  readonly controlPlane: string;
  readonly everyMs: number;
}

export class RunsSeen {
  readonly #options: RunsSeenOptions;
  #written = 0;

  constructor(options: RunsSeenOptions) {
    this.#options = options;
  }

  /** What the processes before this one saw; resolves when it is known, or the signal aborts. */
  async read(signal: AbortSignal): Promise<void> {
    const { client, view, claim } = this.#options;
    while (!signal.aborted) {
      try {
        // oxlint-disable-next-line no-await-in-loop -- until the cluster answers
        await claim.demand({ signal });
        // oxlint-disable-next-line no-await-in-loop -- as above
        const object = await client.get({ signal }, kinds.configMap, this.#name);
        view.learnSeenBefore(untilOf(object));
        return;
      } catch {
        // oxlint-disable-next-line no-await-in-loop -- as above
        await rest(firstRetryMs, signal);
      }
    }
  }

  /** Runs until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      // oxlint-disable-next-line no-await-in-loop -- one look after the other
      await rest(this.#options.everyMs, signal);
      // oxlint-disable-next-line no-await-in-loop -- as above
      if (!signal.aborted) await this.#mark(signal);
    }
  }

  async #mark(signal: AbortSignal): Promise<void> {
    const { client, view, claim, controlPlane } = this.#options;
    const until = claim.isHeld ? view.allRunsSeenAt() : undefined;
    if (until === undefined || until <= this.#written) return;
    const metadata = { ...this.#name, labels: ourLabels(controlPlane) };
    const data = { until: new Date(until).toISOString() };
    const object = { apiVersion: "v1", kind: "ConfigMap", metadata, data };
    try {
      await client.apply({ signal, force: "take-over" }, kinds.configMap, object);
      this.#written = until;
    } catch {
      // The next one says more.
    }
  }

  get #name(): { readonly namespace: string; readonly name: string } {
    return { namespace: claimName(this.#options.controlPlane), name: runsSeenName };
  }
}

/** Epoch milliseconds; nothing where there is none, or somebody edited it. */
export function untilOf(object: unknown): number | undefined {
  const { data } = mark.safeParse(object);
  return data === undefined ? undefined : Date.parse(data.data.until);
}
