/**
 * What goes when something else went: objects whose owners are gone, all that is in a namespace that is
 * being deleted, and at last the namespace. It works after the write that caused it, never within it.
 */
import type { Kind } from "#providers/kubevirt/client/kind.ts";

import type { Document } from "./document.ts";
import type { Objects } from "./objects.ts";
import { foregroundFinalizer, orphanFinalizer, remove } from "./removal.ts";
import type { Change } from "./store.ts";

interface Held {
  readonly kind: Kind;
  readonly document: Document;
}

export class Collector {
  readonly #objects: Objects;
  readonly #namespaceKind: Kind;
  /** What each owner owns, by uid and uid. */
  readonly #owned = new Map<string, Map<string, Held>>();
  readonly #alive = new Set<string>();
  /** How much is in each namespace. */
  readonly #inside = new Map<string, number>();
  /** Owners that wait for what they own, by uid. */
  readonly #waiting = new Map<string, Held>();
  #due: (() => void)[] = [];
  #busy = false;

  constructor(objects: Objects, namespaceKind: Kind) {
    this.#objects = objects;
    this.#namespaceKind = namespaceKind;
  }

  start(): void {
    this.#objects.store.listen((change) => {
      this.#note(change);
    });
  }

  #note({ kind, before, after }: Change): void {
    const object = after ?? before;
    if (object === undefined) return;
    const { uid, namespace, ownerReferences = [] } = object.metadata;
    for (const owner of before?.metadata.ownerReferences ?? []) {
      this.#owned.get(owner.uid)?.delete(uid);
    }
    if (after !== undefined) {
      for (const owner of ownerReferences) {
        const owned = this.#owned.get(owner.uid) ?? new Map<string, Held>();
        owned.set(uid, { kind, document: after });
        this.#owned.set(owner.uid, owned);
      }
    }
    if (before === undefined) this.#alive.add(uid);
    if (after === undefined) this.#alive.delete(uid);
    if (namespace !== undefined && (before === undefined || after === undefined)) {
      const more = before === undefined ? 1 : -1;
      this.#inside.set(namespace, (this.#inside.get(namespace) ?? 0) + more);
    }
    this.#follow({ kind, document: object }, after === undefined);
  }

  #follow(held: Held, gone: boolean): void {
    const { kind, document } = held;
    const { uid, namespace, deletionTimestamp, ownerReferences = [] } = document.metadata;
    if (gone && this.#owned.has(uid)) this.#later(() => this.#ownerGone(uid));
    if (gone) {
      for (const owner of ownerReferences) this.#later(() => this.#ownedGone(owner.uid));
      if (namespace !== undefined) this.#later(() => this.#emptied(namespace));
      return;
    }
    if (deletionTimestamp !== undefined) this.#later(() => this.#marked(held));
    else if (ownerReferences.length > 0) this.#later(() => this.#orphaned(held));
    if (kind === this.#namespaceKind && deletionTimestamp !== undefined) {
      this.#later(() => this.#clear(document.metadata.name));
    }
  }

  /** In the order of the changes, after the write in hand is done. */
  #later(work: () => void): void {
    this.#due.push(work);
    if (this.#busy) return;
    this.#busy = true;
    queueMicrotask(() => {
      while (this.#due.length > 0) {
        const works = this.#due;
        this.#due = [];
        for (const each of works) each();
      }
      this.#busy = false;
    });
  }

  #ownerGone(uid: string): void {
    const owned = this.#owned.get(uid)?.values() ?? [];
    this.#owned.delete(uid);
    for (const held of owned) this.#orphaned(held);
  }

  /** Goes if none of its owners is alive; otherwise it forgets those that are not. */
  #orphaned({ kind, document }: Held): void {
    const now = this.#objects.store.get(kind, document.metadata);
    if (now?.metadata.uid !== document.metadata.uid) return;
    const { ownerReferences = [], ...rest } = now.metadata;
    const left = ownerReferences.filter((owner) => this.#alive.has(owner.uid));
    if (left.length === ownerReferences.length) return;
    if (left.length === 0) remove(this.#objects, kind, now.metadata, { propagation: "Background" });
    else this.#objects.store.put(kind, { ...now, metadata: { ...rest, ownerReferences: left } });
  }

  /** An object that is marked deals with what it owns first, if it was told to. */
  #marked({ kind, document }: Held): void {
    const now = this.#objects.store.get(kind, document.metadata);
    if (now?.metadata.uid !== document.metadata.uid) return;
    const { uid, finalizers = [] } = now.metadata;
    const owned = [...(this.#owned.get(uid)?.values() ?? [])];
    if (finalizers.includes(orphanFinalizer)) {
      for (const each of owned) this.#disown(each, uid);
      this.#release(kind, now, orphanFinalizer);
    } else if (finalizers.includes(foregroundFinalizer)) {
      const blocking = owned.filter((each) => blocks(each.document, uid));
      for (const each of owned) this.#removeOwned(each);
      if (blocking.length === 0) this.#release(kind, now, foregroundFinalizer);
      else this.#waiting.set(uid, { kind, document: now });
    }
  }

  #ownedGone(ownerUid: string): void {
    const waiting = this.#waiting.get(ownerUid);
    if (waiting !== undefined) this.#marked(waiting);
  }

  #removeOwned({ kind, document }: Held): void {
    const now = this.#objects.store.get(kind, document.metadata);
    if (now === undefined || now.metadata.deletionTimestamp !== undefined) return;
    remove(this.#objects, kind, now.metadata, { propagation: "Foreground" });
  }

  #disown({ kind, document }: Held, uid: string): void {
    const { ownerReferences = [], ...rest } = document.metadata;
    const left = ownerReferences.filter((owner) => owner.uid !== uid);
    this.#objects.store.put(kind, {
      ...document,
      metadata: { ...rest, ...(left.length === 0 ? {} : { ownerReferences: left }) },
    });
  }

  #release(kind: Kind, document: Document, finalizer: string): void {
    this.#waiting.delete(document.metadata.uid);
    const { finalizers = [], ...rest } = document.metadata;
    const left = finalizers.filter((each) => each !== finalizer);
    const metadata = { ...rest, ...(left.length === 0 ? {} : { finalizers: left }) };
    const kept = this.#objects.store.put(kind, { ...document, metadata });
    if (left.length === 0) this.#objects.store.remove(kind, kept);
  }

  #clear(namespace: string): void {
    const { store } = this.#objects;
    for (const kind of store.kinds) {
      if (!kind.namespaced) continue;
      for (const { metadata } of store.all(kind, namespace)) {
        if (metadata.deletionTimestamp !== undefined) continue;
        remove(this.#objects, kind, metadata, { propagation: "Background" });
      }
    }
    this.#emptied(namespace);
  }

  #emptied(namespace: string): void {
    if ((this.#inside.get(namespace) ?? 0) > 0) return;
    const { store } = this.#objects;
    const found = store.get(this.#namespaceKind, { name: namespace });
    if (found?.metadata.deletionTimestamp === undefined) return;
    if ((found.metadata.finalizers ?? []).length === 0) store.remove(this.#namespaceKind, found);
  }
}

function blocks(document: Document, uid: string): boolean {
  return (document.metadata.ownerReferences ?? []).some(
    (owner) => owner.uid === uid && owner.blockOwnerDeletion === true,
  );
}
