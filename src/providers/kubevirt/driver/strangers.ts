/**
 * Machines that Millrace did not make, in namespaces of its projects or with its labels: made by hand past
 * it, or by a pool of somebody's. The operator is told of them. What must stay true: nobody pays for one,
 * and nothing is done to one, whatever labels it bears.
 *
 * Those without our labels are followed by two more watches that leave out all that bears them, so that a
 * cluster full of our own machines costs nothing more; of those with labels the view tells.
 */
import type { KubeClient } from "#providers/kubevirt/client/client.ts";
import type { Kind } from "#providers/kubevirt/client/kind.ts";
import { labelKeys } from "#providers/kubevirt/compile/labels.ts";
import { machineIdOf } from "#providers/kubevirt/compile/names.ts";
import { kinds } from "#providers/kubevirt/objects/kinds.ts";
import type { SiteFinding } from "#providers/provider.ts";

import type { ClusterView } from "./cluster-view.ts";
import { Mirror } from "./mirror.ts";
import { type Other, otherOf } from "./others.ts";
import { projectIn, type Standing } from "./upkeep/standing.ts";

const namedMax = 5;

export class Strangers {
  readonly #view: ClusterView;
  readonly #standing: Standing;
  readonly #mirrors: readonly Mirror<Other>[];

  constructor(options: {
    readonly client: KubeClient;
    readonly view: ClusterView;
    readonly standing: Standing;
    readonly controlPlane: string;
    readonly now: () => number;
    readonly onLost: (what: string, error: unknown) => void;
  }) {
    const { client, controlPlane, now, onLost } = options;
    this.#view = options.view;
    this.#standing = options.standing;
    const watched = (kind: Kind): Mirror<Other> =>
      new Mirror({
        client,
        kind,
        now,
        selection: { labels: `${labelKeys.controlPlane}!=${controlPlane}` },
        // Of others' namespaces nothing is kept.
        keyOf: ({ metadata: { namespace = "", name } }) =>
          projectIn(namespace) === undefined ? undefined : `${namespace}/${name}`,
        distill: otherOf,
        onChange: () => undefined,
        onLost: (error) => onLost(`${kind.plural} of others`, error),
      });
    this.#mirrors = [watched(kinds.machine), watched(kinds.machineInstance)];
  }

  /** Runs until the signal aborts. */
  async follow(signal: AbortSignal): Promise<void> {
    await Promise.all(this.#mirrors.map((mirror) => mirror.follow(signal)));
  }

  findings(): readonly SiteFinding[] {
    const ours = new Set(this.#standing.namespaces().map(({ metadata }) => metadata.name));
    const unlabeled = this.#mirrors
      .flatMap((mirror) => [...mirror.values()])
      .filter(({ namespace, name }) => ours.has(namespace) && !this.#isKept(name));
    return strangersFinding([...unlabeled, ...this.#view.others()]);
  }

  /** Somebody took the labels off a machine of ours, which are being put back. */
  #isKept(name: string): boolean {
    const id = machineIdOf(name);
    return id !== undefined && this.#view.machines.get(id) !== undefined;
  }
}

/** Pure. A run that a machine made is told as the machine. */
export function strangersFinding(seen: readonly Other[]): readonly SiteFinding[] {
  const all = seen.filter(({ owners }) => !owners.some(({ kind }) => kind === "VirtualMachine"));
  if (all.length === 0) return [];
  const named = all.map(({ namespace, name, owners: [owner] }) =>
    owner === undefined
      ? `${namespace}/${name}`
      : `${namespace}/${name} (${owner.kind} ${owner.name})`,
  );
  const more = named.length > namedMax ? ", …" : "";
  return [
    {
      severity: "warning",
      message: `Machines that are not Millrace's own stand in its namespaces or bear its labels (${all.length}): ${named.toSorted().slice(0, namedMax).join(", ")}${more}. Nobody pays for them, and they take room that is sold.`,
      advice:
        "Remove them or their pool with kubectl, and rent them in Millrace. It never touches them; where its admission policies stand, the cluster refuses those without labels.",
    },
  ];
}
