/**
 * A project's namespace and what belongs into it, there before the first machine is: walls first. Applied
 * once by each process, and again where a network is new in it. What somebody else owns is left alone.
 */
import { z } from "zod";

import type { NamespaceFacts } from "#providers/kubevirt/compile/facts.ts";
import { kinds } from "#providers/kubevirt/objects/kinds.ts";
import { projectFurniture, type Furnishing } from "#providers/kubevirt/tenants/furniture.ts";
import { namespaceProblem } from "#providers/kubevirt/tenants/namespace.ts";
import type { Call, MachineSpec } from "#providers/provider.ts";

import { refusedBecause } from "./errors.ts";
import type { Hands } from "./hands.ts";
import { projectAsk } from "./project-ask.ts";
import { kindOf } from "./upkeep/standing.ts";

/** What this process has applied: the networks by namespace. */
export class Furnished {
  readonly #networks = new Map<string, Set<string>>();
  readonly #turns = new Map<string, Promise<void>>();

  has(namespace: string, network: string): boolean {
    return this.#networks.get(namespace)?.has(network) === true;
  }

  networks(namespace: string): readonly string[] {
    return [...(this.#networks.get(namespace) ?? [])];
  }

  add(namespace: string, network: string): void {
    const networks = this.#networks.get(namespace) ?? new Set();
    this.#networks.set(namespace, networks.add(network));
  }

  /** It turned out not to be there any more. */
  forget(namespace: string): void {
    this.#networks.delete(namespace);
  }

  /** One at a time in a namespace. */
  async inTurn(namespace: string, work: () => Promise<void>): Promise<void> {
    const before = this.#turns.get(namespace) ?? Promise.resolve();
    const turn = before.catch(() => undefined).then(work);
    this.#turns.set(namespace, turn);
    try {
      await turn;
    } finally {
      if (this.#turns.get(namespace) === turn) this.#turns.delete(namespace);
    }
  }
}

export async function ensureNamespace(
  hands: Hands,
  call: Call,
  { spec, facts }: { readonly spec: MachineSpec; readonly facts: NamespaceFacts },
): Promise<void> {
  const { furnished } = hands;
  const { name } = facts;
  if (furnished.has(name, spec.network)) return;
  await furnished.inTurn(name, async () => {
    if (furnished.has(name, spec.network)) return;
    const site = await hands.site();
    const networks = [...furnished.networks(name), spec.network];
    const seen = await seenNamespace(hands, call, name);
    const ask = projectAsk(hands, { owner: spec.owner, site, networks, labels: seen?.labels });
    const problem = namespaceProblem(seen, ask);
    if (problem !== undefined) throw refusedBecause([problem]);
    const [namespace, ...rest] = projectFurniture(ask);
    if (namespace !== undefined) await apply(hands, call, namespace);
    await Promise.all(rest.map((object) => apply(hands, call, object)));
    furnished.add(name, spec.network);
  });
}

async function apply(hands: Hands, call: Call, object: Furnishing): Promise<void> {
  const { signal } = call;
  const written = await hands.client.apply({ signal, force: "take-over" }, kindOf(object), object);
  hands.standing.put(written.object);
}

const namespaceObject = z.object({
  metadata: z.object({
    labels: z.record(z.string(), z.string()).default({}),
    deletionTimestamp: z.string().optional(),
  }),
});

async function seenNamespace(hands: Hands, call: Call, name: string) {
  const object = await hands.client.get(call, kinds.namespace, { name });
  if (object === undefined) return undefined;
  const { labels, deletionTimestamp } = namespaceObject.parse(object).metadata;
  return { labels, deleting: deletionTimestamp !== undefined };
}
