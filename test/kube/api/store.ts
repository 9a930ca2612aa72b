/**
 * All objects, by kind, with one counter of versions and the changes since the last compaction. What
 * must stay true: a list is of one version, and a watch from that version misses nothing, or is told
 * that the version is gone.
 */
import type { Kind } from "#providers/kubevirt/client/kind.ts";

import { type Document, keyOf, resourceOf } from "./document.ts";
import { expired } from "./refusal.ts";

export interface Change {
  readonly version: number;
  readonly kind: Kind;
  /** Absent when the object is new. */
  readonly before: Document | undefined;
  /** Absent when it is gone. */
  readonly after: Document | undefined;
}

interface Table {
  readonly kind: Kind;
  readonly objects: Map<string, Document>;
  changes: Change[];
}

/** More changes of a kind than these are compacted by themselves. */
const changesMax = 100_000;

export class Store {
  readonly #tables = new Map<string, Table>();
  readonly #listeners = new Set<(change: Change) => void>();
  #version = 1000;
  /** Versions before this one are forgotten. */
  #oldest = 1000;

  constructor(kinds: readonly Kind[]) {
    for (const kind of kinds) {
      this.#tables.set(resourceOf(kind), { kind, objects: new Map(), changes: [] });
    }
  }

  get version(): number {
    return this.#version;
  }

  get kinds(): readonly Kind[] {
    return [...this.#tables.values()].map(({ kind }) => kind);
  }

  get(kind: Kind, at: { namespace?: string | undefined; name: string }): Document | undefined {
    return this.#table(kind).objects.get(keyOf(at));
  }

  all(kind: Kind, namespace?: string): Document[] {
    const objects = [...this.#table(kind).objects.values()];
    if (namespace === undefined) return objects;
    return objects.filter(({ metadata }) => metadata.namespace === namespace);
  }

  /** Keeps it under a new version. */
  put(kind: Kind, document: Document): Document {
    const table = this.#table(kind);
    const key = keyOf(document.metadata);
    const before = table.objects.get(key);
    const version = this.#next();
    const after = {
      ...document,
      metadata: { ...document.metadata, resourceVersion: String(version) },
    };
    table.objects.set(key, after);
    this.#tell(table, { version, kind, before, after });
    return after;
  }

  /** The version of a removal is the one that its last event bears. */
  remove(kind: Kind, document: Document): void {
    const table = this.#table(kind);
    const before = table.objects.get(keyOf(document.metadata));
    if (before === undefined) return;
    table.objects.delete(keyOf(document.metadata));
    this.#tell(table, { version: this.#next(), kind, before, after: undefined });
  }

  /** Throws `Refusal` 410 if that version is gone. */
  changesSince(kind: Kind, version: number): readonly Change[] {
    if (version < this.#oldest) {
      throw expired(`too old resource version: ${version} (${this.#oldest})`);
    }
    const { changes } = this.#table(kind);
    let from = changes.length;
    while (from > 0 && (changes[from - 1]?.version ?? 0) > version) from -= 1;
    return changes.slice(from);
  }

  isForgotten(version: number): boolean {
    return version < this.#oldest;
  }

  /** Called for each change after it is kept, in order; returns what ends that. */
  listen(listener: (change: Change) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /** As etcd does every five minutes: all versions before this one are forgotten. */
  compact(): void {
    this.#oldest = this.#version;
    for (const table of this.#tables.values()) table.changes = [];
  }

  #next(): number {
    this.#version += 1;
    return this.#version;
  }

  #tell(table: Table, change: Change): void {
    table.changes.push(change);
    if (table.changes.length > changesMax) {
      const dropped = table.changes.splice(0, changesMax / 2);
      this.#oldest = Math.max(this.#oldest, dropped.at(-1)?.version ?? 0);
    }
    for (const listener of this.#listeners) listener(change);
  }

  #table(kind: Kind): Table {
    const table = this.#tables.get(resourceOf(kind));
    if (table === undefined) throw new Error(`this server has no ${resourceOf(kind)}`);
    return table;
  }
}
