/**
 * What bears our labels and a name that we give nothing: a machine of a pool that somebody made with the
 * labels of ours copied. It is nobody's lease, so nothing of it is kept but whose it may be.
 */
import type { KubeObject } from "#providers/kubevirt/client/object.ts";

/** Beyond that one more tells nobody anything. */
const othersMax = 1_000;

export interface Other {
  readonly namespace: string;
  readonly name: string;
  /** Who made it, of those that Kubernetes knows. */
  readonly owners: readonly { readonly kind: string; readonly name: string }[];
}

export class Others {
  readonly #seen = new Map<string, Other>();
  /** Named by the pages of a list so far. */
  readonly #listed = new Set<string>();

  values(): Iterable<Other> {
    return this.#seen.values();
  }

  put(object: KubeObject): void {
    const other = otherOf(object);
    const place = placeOf(other);
    if (this.#seen.size < othersMax || this.#seen.has(place)) this.#seen.set(place, other);
  }

  beginList(): void {
    this.#listed.clear();
  }

  list(object: KubeObject): void {
    this.put(object);
    if (this.#listed.size < othersMax) this.#listed.add(placeOf(otherOf(object)));
  }

  /** What no page named is gone. */
  endList(): void {
    for (const place of this.#seen.keys()) if (!this.#listed.has(place)) this.#seen.delete(place);
    this.#listed.clear();
  }

  delete(object: KubeObject): void {
    this.#seen.delete(placeOf(otherOf(object)));
  }
}

export function otherOf({ metadata }: KubeObject): Other {
  const { namespace = "", name, ownerReferences = [] } = metadata;
  const owners = ownerReferences.map((owner) => ({ kind: owner.kind, name: owner.name }));
  return { namespace, name, owners };
}

function placeOf({ namespace, name }: Other): string {
  return `${namespace}/${name}`;
}
