/**
 * Reads now and then what KubeVirt's controller tells of when machines ran, and holds it against what is
 * written down (cross-check.ts): one request for each controller, whatever runs. A controller that cannot
 * be read is no finding: it is read again.
 */
import { text } from "node:stream/consumers";

import { kinds } from "#providers/kubevirt/objects/kinds.ts";
import type { SiteFinding } from "#providers/provider.ts";

import {
  crossCheckPrefix,
  differenceOf,
  findingsOf,
  toldBy,
  type Difference,
} from "./cross-check.ts";
import type { Hands } from "./hands.ts";
import { parseMetrics } from "./metrics-text.ts";
import { rest } from "./upkeep/rest.ts";

export const crossCheckEveryMs = 300_000;
const controllerSelector = "kubevirt.io=virt-controller";
const port = 8443;
const controllersMax = 8;

export class CrossChecker {
  readonly #hands: Hands;
  readonly #everyMs: number;
  #last: ReadonlyMap<string, Difference> = new Map();
  #lasting: readonly Difference[] = [];

  constructor(hands: Hands, everyMs: number) {
    this.#hands = hands;
    this.#everyMs = everyMs;
  }

  findings(): readonly SiteFinding[] {
    return findingsOf(this.#lasting);
  }

  /** Runs until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    await rest(this.#everyMs, signal);
    while (!signal.aborted) {
      try {
        // oxlint-disable-next-line no-await-in-loop -- one look after the other
        await this.#look(signal);
      } catch {
        // The cluster is away, or its controller is not to be read: it is looked at again.
      }
      // oxlint-disable-next-line no-await-in-loop -- as above
      await rest(this.#everyMs, signal);
    }
  }

  /** What was there at the look before as well: a single one may have been a matter of moments. */
  async #look(signal: AbortSignal): Promise<void> {
    const { view } = this.#hands;
    const told = toldBy(await this.#metrics(signal));
    const found = new Map<string, Difference>();
    for (const machine of view.machines.values()) {
      const run = view.runOf(machine);
      const key = `${machine.namespace}/${machine.name}`;
      const theirs = told.get(key);
      const difference = run && theirs && differenceOf(key, run, theirs);
      if (difference !== undefined) found.set(key, difference);
    }
    this.#lasting = [...found.values()].filter(
      ({ machine, of }) => this.#last.get(machine)?.of === of,
    );
    this.#last = found;
  }

  async #metrics(signal: AbortSignal) {
    const { client, settings } = this.#hands;
    const namespace = settings.kubevirtNamespace;
    const { items } = await client.list({ signal }, kinds.pod, {
      labels: controllerSelector,
      namespace,
    });
    const bodies = await Promise.all(
      items.slice(0, controllersMax).map(async ({ metadata }) => {
        const name = { namespace, name: `https:${metadata.name}:${port}` };
        return text(await client.bytes({ signal }, kinds.pod, { name, what: "proxy/metrics" }));
      }),
    );
    return bodies.flatMap((body) => parseMetrics(body, crossCheckPrefix));
  }
}
