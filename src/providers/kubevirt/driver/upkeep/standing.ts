/**
 * What stands of projects' furniture and of the site's own objects, each kind kept by one watch: to find
 * what somebody edited or deleted, nobody is asked. What must stay true: absence is believed only where
 * every watch of the kind is whole and goes on.
 */
import type { KubeClient } from "#providers/kubevirt/client/client.ts";
import { apiVersion, type Kind } from "#providers/kubevirt/client/kind.ts";
import type { KubeObject } from "#providers/kubevirt/client/object.ts";
import { labelKeys, ourSelector } from "#providers/kubevirt/compile/labels.ts";
import { Mirror } from "#providers/kubevirt/driver/mirror.ts";
import { kinds } from "#providers/kubevirt/objects/kinds.ts";

/** In the order in which they are applied: the namespace, then its walls. */
const projectKinds: readonly Kind[] = [
  kinds.namespace,
  kinds.networkPolicy,
  kinds.serviceAccount,
  kinds.role,
  kinds.roleBinding,
  kinds.resourceQuota,
  kinds.limitRange,
];
const siteKinds: readonly Kind[] = [kinds.admissionPolicy, kinds.admissionPolicyBinding];

const byName: ReadonlyMap<string, Kind> = new Map(
  [...projectKinds, ...siteKinds].map((kind) => [`${apiVersion(kind)} ${kind.kind}`, kind]),
);

/** Of what furniture and the site's objects are. */
export function kindOf(object: { readonly apiVersion: string; readonly kind: string }): Kind {
  const kind = byName.get(`${object.apiVersion} ${object.kind}`);
  if (kind === undefined) throw new Error(`no kind ${object.apiVersion} ${object.kind}`);
  return kind;
}

/** The project that a name is of: its namespace, or what it has in a namespace of images. */
export function projectIn(name: string): string | undefined {
  return /(?:^|[-/])p-([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?:$|\/)/u.exec(name)?.[1];
}

export class Standing {
  readonly #mirrors: ReadonlyMap<Kind, Mirror<KubeObject>>;
  readonly #listeners = new Set<(projectId: string | undefined) => void>();

  constructor(options: {
    readonly client: KubeClient;
    readonly controlPlane: string;
    readonly now: () => number;
    readonly onLost: (kind: string, error: unknown) => void;
  }) {
    const { client, controlPlane, now, onLost } = options;
    this.#mirrors = new Map(
      [...projectKinds, ...siteKinds].map((kind) => [
        kind,
        new Mirror({
          client,
          kind,
          now,
          selection: { labels: ourSelector(controlPlane) },
          keyOf: ({ metadata }) => `${metadata.namespace ?? ""}/${metadata.name}`,
          distill: worth,
          onChange: (key) => {
            for (const listener of this.#listeners) listener(projectIn(key));
          },
          onLost: (error) => onLost(kind.plural, error),
        }),
      ]),
    );
  }

  /** Told whose things changed; `undefined`: something of the site. */
  listen(listener: (projectId: string | undefined) => void): void {
    this.#listeners.add(listener);
  }

  /** Runs until the signal aborts. */
  async follow(signal: AbortSignal): Promise<void> {
    await Promise.all([...this.#mirrors.values()].map((mirror) => mirror.follow(signal)));
  }

  /** Whether what is not here is not there. */
  get isCurrent(): boolean {
    return projectKinds.every((kind) => this.#isCurrent(kind));
  }

  get arePoliciesCurrent(): boolean {
    return siteKinds.every((kind) => this.#isCurrent(kind));
  }

  /** Why one of these kinds cannot be looked at now; `undefined` if they can, or it is too early to tell. */
  get lost(): { readonly kind: string; readonly error: unknown } | undefined {
    return this.#lostOf(projectKinds);
  }

  get policiesLost(): { readonly kind: string; readonly error: unknown } | undefined {
    return this.#lostOf(siteKinds);
  }

  /** Of all projects, as long as they are there. */
  namespaces(): readonly KubeObject[] {
    return [...(this.#mirrors.get(kinds.namespace)?.values() ?? [])];
  }

  /** Everything that says whose project it is, and all that does not: the site's. */
  sorted(): {
    readonly projects: ReadonlyMap<string, readonly KubeObject[]>;
    readonly site: readonly KubeObject[];
  } {
    const projects = new Map<string, KubeObject[]>();
    const site: KubeObject[] = [];
    for (const mirror of this.#mirrors.values()) {
      for (const object of mirror.values()) {
        const project = object.metadata.labels?.[labelKeys.project];
        if (project === undefined) {
          site.push(object);
          continue;
        }
        const known = projects.get(project);
        if (known === undefined) projects.set(project, [object]);
        else known.push(object);
      }
    }
    return { projects, site };
  }

  /** What was written besides the watch. */
  put(object: KubeObject): void {
    this.#mirrors.get(kindOf(object))?.put(object);
  }

  #lostOf(some: readonly Kind[]): { readonly kind: string; readonly error: unknown } | undefined {
    for (const kind of some) {
      const mirror = this.#mirrors.get(kind);
      if (mirror?.lostSince !== undefined) return { kind: kind.plural, error: mirror.lastError };
    }
    return undefined;
  }

  #isCurrent(kind: Kind): boolean {
    const mirror = this.#mirrors.get(kind);
    return mirror !== undefined && mirror.isWhole && mirror.lostSince === undefined;
  }
}

/** What is compared, and whether it goes already. */
export function worth(object: KubeObject): KubeObject {
  const { status: _, ...rest } = object;
  const { name, namespace, uid, resourceVersion, creationTimestamp, deletionTimestamp, labels } =
    object.metadata;
  return {
    ...rest,
    apiVersion: object.apiVersion,
    kind: object.kind,
    metadata: {
      name,
      uid,
      resourceVersion,
      creationTimestamp,
      ...(namespace === undefined ? {} : { namespace }),
      ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }),
      ...(labels === undefined ? {} : { labels }),
    },
  };
}
