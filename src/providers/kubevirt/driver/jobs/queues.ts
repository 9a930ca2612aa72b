/**
 * What stands in a cluster for jobs besides the jobs themselves, each kind kept by one watch, and what is
 * applied of it: only what is missing or is not as it should be, so that a thing that somebody deleted is
 * put back by whoever needs it next. And the tier of each tenant, which his quota follows.
 *
 * What must stay true: absence is believed only where every watch is whole and goes on; until then all is
 * applied that this process has not applied before.
 */
import type { KubeClient } from "#providers/kubevirt/client/client.ts";
import { apiVersion, type Kind } from "#providers/kubevirt/client/kind.ts";
import type { KubeObject, NewObject } from "#providers/kubevirt/client/object.ts";
import { labelKeys, ourSelector } from "#providers/kubevirt/compile/labels.ts";
import { Mirror } from "#providers/kubevirt/driver/mirror.ts";
import { worth } from "#providers/kubevirt/driver/upkeep/standing.ts";
import { scriptsName } from "#providers/kubevirt/jobs/entry.ts";
import type { Tier } from "#providers/kubevirt/jobs/model.ts";
import { agentPolicyName, tenantQueue, tierLabel } from "#providers/kubevirt/jobs/names.ts";
import { jobKinds } from "#providers/kubevirt/objects/jobs.ts";
import { kinds } from "#providers/kubevirt/objects/kinds.ts";
import { furniturePlan } from "#providers/kubevirt/tenants/furniture.ts";
import type { ReadCall } from "#providers/provider.ts";

import { Presence } from "./presence.ts";

/** More objects than this are forgotten and applied again. */
const keptMax = 50_000;

export interface QueuesOptions {
  readonly client: KubeClient;
  readonly controlPlaneId: string;
  readonly batch: "kueue" | "volcano";
  readonly hasTopology: boolean;
  readonly now: () => number;
  readonly onLost: (what: string, error: unknown) => void;
}

export class Queues {
  readonly #client: KubeClient;
  readonly #mirrors: ReadonlyMap<string, Mirror<KubeObject>>;
  readonly #queueKind: Kind;
  readonly #presence: Presence;
  /** The text of what this process applied last, by object. */
  readonly #applied = new Map<string, string>();
  #told: ReadonlyMap<string, Tier> = new Map();
  #listener: () => void = () => undefined;

  constructor(options: QueuesOptions) {
    const { client, controlPlaneId, batch, hasTopology, now, onLost } = options;
    this.#client = client;
    const isKueue = batch === "kueue";
    this.#queueKind = isKueue ? kinds.clusterQueue : jobKinds.volcanoQueue;
    const own: readonly Kind[] = isKueue
      ? [
          ...(hasTopology ? [jobKinds.topology] : []),
          kinds.resourceFlavor,
          kinds.workloadPriorityClass,
          kinds.cohort,
          kinds.clusterQueue,
          kinds.localQueue,
        ]
      : [jobKinds.volcanoQueue];
    const named = new Map([
      [kinds.configMap, scriptsName],
      [kinds.networkPolicy, agentPolicyName],
    ]);
    const all = [kinds.priorityClass, kinds.configMap, kinds.networkPolicy, ...own];
    this.#mirrors = new Map(
      all.map((kind) => {
        const name = named.get(kind);
        const mirror = new Mirror<KubeObject>({
          client,
          kind,
          now,
          selection: {
            labels: ourSelector(controlPlaneId),
            ...(name === undefined ? {} : { fields: `metadata.name=${name}` }),
          },
          keyOf: ({ metadata }) => `${metadata.namespace ?? ""}/${metadata.name}`,
          distill: worth,
          onChange: () => this.#listener(),
          onLost: (error) => onLost(kind.plural, error),
        });
        return [textOf(kind), mirror];
      }),
    );
    this.#presence = new Presence({ client, kinds: own, onLost });
  }

  /** Told that something may have changed. */
  listen(listener: () => void): void {
    this.#listener = listener;
  }

  /** Runs until the signal aborts; a queue that is not installed is waited for. */
  async follow(signal: AbortSignal): Promise<void> {
    await this.#presence.once(signal, async () => {
      await Promise.all([...this.#mirrors.values()].map((mirror) => mirror.follow(signal)));
    });
  }

  /** Whether what is not here is not there. */
  get isCurrent(): boolean {
    return [...this.#mirrors.values()].every(
      (mirror) => mirror.isWhole && mirror.lostSince === undefined,
    );
  }

  standing(): readonly KubeObject[] {
    return [...this.#mirrors.values()].flatMap((mirror) => [...mirror.values()]);
  }

  /** Of all tenants that have something here; the next one replaces it. */
  tell(tiers: ReadonlyMap<string, Tier>): void {
    this.#told = tiers;
    this.#listener();
  }

  /** As the control plane said last, else as his queue says, else as his job does that asks. */
  tierOf(tenantId: string, ofJob?: Tier): Tier {
    const told = this.#told.get(tenantId);
    if (told !== undefined) return told;
    const queue = this.#mirrors
      .get(textOf(this.#queueKind))
      ?.get(`/${tenantQueue(tenantId, false)}`);
    const written = tiers.find((tier) => tier === queue?.metadata.labels?.[tierLabel]);
    return written ?? ofJob ?? "ordinary";
  }

  /** Those that have a queue here. */
  tenants(): ReadonlySet<string> {
    const queues = [...(this.#mirrors.get(textOf(this.#queueKind))?.values() ?? [])];
    return new Set(queues.flatMap(({ metadata }) => metadata.labels?.[labelKeys.tenant] ?? []));
  }

  /** What of these is missing or otherwise, in their order. */
  lacking(wanted: readonly NewObject[]): readonly NewObject[] {
    return this.isCurrent
      ? furniturePlan(wanted, this.standing()).apply
      : wanted.filter((object) => !this.wasApplied(object));
  }

  /** By this process, in these words, last. */
  wasApplied(object: NewObject): boolean {
    return this.#applied.get(keyOf(object)) === JSON.stringify(object);
  }

  async apply(call: ReadCall, object: NewObject): Promise<void> {
    const mirror = this.#mirrors.get(`${object.apiVersion} ${object.kind}`);
    if (mirror === undefined) throw new Error(`no kind ${object.apiVersion} ${object.kind}`);
    const written = await this.#client.apply({ ...call, force: "take-over" }, mirror.kind, object);
    mirror.put(written.object);
    if (this.#applied.size >= keptMax) this.#applied.clear();
    this.#applied.set(keyOf(object), JSON.stringify(object));
  }

  async remove(call: ReadCall, object: KubeObject): Promise<void> {
    const { uid, name } = object.metadata;
    await this.#client.delete({ ...call, uid }, this.#queueKind, { name });
  }

  async furnish(call: ReadCall, wanted: readonly NewObject[]): Promise<void> {
    for (const object of this.lacking(wanted)) {
      // oxlint-disable-next-line no-await-in-loop -- queues name flavors, doors name queues
      await this.apply(call, object);
    }
  }
}

const tiers: readonly Tier[] = ["diamond", "gold", "ordinary"];

function textOf(kind: Kind): string {
  return `${apiVersion(kind)} ${kind.kind}`;
}

function keyOf({ apiVersion: version, kind, metadata }: NewObject): string {
  return `${version} ${kind} ${metadata.namespace ?? ""}/${metadata.name}`;
}
