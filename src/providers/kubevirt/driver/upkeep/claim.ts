/**
 * Which installation may work under a control plane's name on a cluster. The name is on every object, so
 * two installations with the same name would each take the other's machines for its own. The first one
 * makes a namespace with its id, which Kubernetes makes for one of them only; the other stands by, and
 * says so. What must stay true:
 *
 * - Nothing is written, and nothing of a listing is concluded, before it is known whose the name is.
 * - A cluster that cannot be reached changes nothing: who held the name holds it.
 */
import { z } from "zod";

import type { KubeClient } from "#providers/kubevirt/client/client.ts";
import { ourLabels } from "#providers/kubevirt/compile/labels.ts";
import { isConflict, providerError, refused } from "#providers/kubevirt/driver/errors.ts";
import { kinds } from "#providers/kubevirt/objects/kinds.ts";
import { ProviderError, type ReadCall, type SiteFinding } from "#providers/provider.ts";

import { rest } from "./rest.ts";

export const installationKey = "millrace.dev/installation";

/** A handover, or an object that somebody deleted, is noticed so soon. */
const checkMs = 30_000;
const firstRetryMs = 1_000;

export interface ClaimOptions {
  readonly client: KubeClient;
  readonly controlPlane: string;
  readonly installation: string;
}

type Known = { readonly by: string | undefined } | undefined;

const claimed = z.object({
  metadata: z.object({ annotations: z.record(z.string(), z.string()).default({}) }),
});

export function claimName(controlPlane: string): string {
  return `millrace-control-plane-${controlPlane}`;
}

export class Claim {
  readonly #options: ClaimOptions;
  readonly #name: string;
  #known: Known;
  #error: unknown;
  #settled: Promise<void>;
  #settle: () => void = () => undefined;

  constructor(options: ClaimOptions) {
    this.#options = options;
    this.#name = claimName(options.controlPlane);
    this.#settled = new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  get isHeld(): boolean {
    return this.#known !== undefined && this.#known.by === this.#options.installation;
  }

  /** Looks now and then until the signal aborts. */
  async keep(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      // oxlint-disable-next-line no-await-in-loop -- one look after the other
      await this.look(signal);
      // oxlint-disable-next-line no-await-in-loop -- as above
      await rest(this.#known === undefined ? firstRetryMs : checkMs, signal);
    }
  }

  /** Whose it is now; takes it if it is nobody's. Never throws. */
  async look(signal: AbortSignal): Promise<void> {
    try {
      this.#known = { by: await this.#holder(signal) };
      this.#error = undefined;
      this.#settle();
    } catch (error) {
      this.#error = error;
    }
  }

  /** ProviderError `refused` if it is another's, `unavailable` if nobody knows yet. */
  async demand({ signal }: ReadCall): Promise<void> {
    if (this.#known === undefined) await settledOr(this.#settled, signal);
    if (this.#known === undefined) {
      const cause = this.#error === undefined ? undefined : providerError(this.#error);
      const why = cause === undefined ? "" : `: ${cause.message}`;
      throw new ProviderError("unavailable", `It is not known yet whose the cluster is${why}`, {
        effect: "none",
        ...(cause === undefined ? {} : { cause }),
      });
    }
    if (!this.isHeld) throw refused(`${this.#taken()} ${this.#advice()}`);
  }

  findings(): readonly SiteFinding[] {
    if (this.#known !== undefined && !this.isHeld) {
      return [{ severity: "problem", message: this.#taken(), advice: this.#advice() }];
    }
    return [];
  }

  #taken(): string {
    const by = this.#known?.by ?? "somebody who does not say who";
    return `The name ${this.#options.controlPlane} is used on this cluster by another installation of Millrace (${by}): this one does nothing here.`;
  }

  #advice(): string {
    const { installation } = this.#options;
    return `Give one of the two another controlPlane in its settings. If the other is gone for good: kubectl annotate namespace ${this.#name} --overwrite ${installationKey}=${installation}`;
  }

  async #holder(signal: AbortSignal): Promise<string | undefined> {
    const { client, controlPlane, installation } = this.#options;
    const name = this.#name;
    const there = await client.get({ signal }, kinds.namespace, { name });
    if (there !== undefined) return holderIn(there);
    const labels = {
      ...ourLabels(controlPlane),
      "pod-security.kubernetes.io/enforce": "restricted",
    };
    const metadata = { name, labels, annotations: { [installationKey]: installation } };
    const object = { apiVersion: "v1", kind: "Namespace", metadata };
    try {
      return holderIn((await client.create({ signal }, kinds.namespace, object)).object);
    } catch (error) {
      // Somebody else was faster, or our answer was lost: whoever stands there has it.
      const now = isConflict(error)
        ? await client.get({ signal }, kinds.namespace, { name })
        : undefined;
      if (now === undefined) throw error;
      return holderIn(now);
    }
  }
}

function holderIn(object: unknown): string | undefined {
  return claimed.parse(object).metadata.annotations[installationKey];
}

function settledOr(settled: Promise<void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      signal.removeEventListener("abort", done);
      resolve();
    };
    if (signal.aborted) done();
    signal.addEventListener("abort", done, { once: true });
    void settled.then(done);
  });
}
