/** Lists: all of them at one version, in order of their names, in pages that stay at that version. */
import { apiVersion, type Kind } from "#providers/kubevirt/client/kind.ts";

import { type Document, keyOf } from "./document.ts";
import { badRequest, expired } from "./refusal.ts";
import { matcher } from "./selectors.ts";
import type { Store } from "./store.ts";

interface Rest {
  readonly version: number;
  readonly items: readonly Document[];
}

/** Unfinished lists that are remembered; older ones are gone, as if by compaction. */
const restsMax = 200;

export class Pages {
  readonly #store: Store;
  readonly #rests = new Map<string, Rest>();
  #tokens = 0;

  constructor(store: Store) {
    this.#store = store;
  }

  /** Throws `Refusal` 410 for a token whose version is gone. */
  list(kind: Kind, namespace: string | undefined, query: URLSearchParams): unknown {
    const token = query.get("continue") ?? "";
    const { version, items } =
      token === "" ? this.#first(kind, namespace, query) : this.#rest(token);
    const limit = Number(query.get("limit") ?? 0);
    const page = limit > 0 ? items.slice(0, limit) : items;
    const left = items.length - page.length;
    const next = left > 0 ? this.#keep({ version, items: items.slice(page.length) }) : "";
    return {
      kind: `${kind.kind}List`,
      apiVersion: apiVersion(kind),
      metadata: {
        resourceVersion: String(version),
        ...(next === "" ? {} : { continue: next, remainingItemCount: left }),
      },
      // The kinds of Kubernetes itself do not repeat in a list what they are.
      items: kind.group.includes(".k8s.io") || !kind.group.includes(".") ? page.map(bare) : page,
    };
  }

  #first(kind: Kind, namespace: string | undefined, query: URLSearchParams): Rest {
    const matches = matcher(query.get("labelSelector"), query.get("fieldSelector"));
    const items = this.#store.all(kind, namespace).filter(matches);
    items.sort((left, right) => (keyOf(left.metadata) < keyOf(right.metadata) ? -1 : 1));
    return { version: this.#store.version, items };
  }

  #rest(token: string): Rest {
    if (!token.startsWith("next-")) throw badRequest("continue key is not valid");
    const rest = this.#rests.get(token);
    if (rest === undefined || this.#store.isForgotten(rest.version)) {
      throw expired(
        "The provided continue parameter is too old to display a consistent list result. You must start a new list without the continue parameter.",
      );
    }
    return rest;
  }

  /** A token stays good until its version is gone: a page may be asked for again. */
  #keep(rest: Rest): string {
    this.#tokens += 1;
    const token = `next-${this.#tokens}`;
    this.#rests.set(token, rest);
    const [oldest] = this.#rests.keys();
    if (this.#rests.size > restsMax && oldest !== undefined) this.#rests.delete(oldest);
    return token;
  }
}

function bare({ apiVersion: _version, kind: _kind, ...rest }: Document): unknown {
  return rest;
}
