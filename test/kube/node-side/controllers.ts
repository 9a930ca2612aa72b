/**
 * The loop that all controllers of the node side share: a change of an object makes its controller look
 * at it again, once, as it is by then. Nothing is decided from the change itself.
 */
import type { Kind } from "#providers/kubevirt/client/kind.ts";
import { type Document, keyOf, resourceOf } from "#test/kube/api/document.ts";
import type { Objects, Place } from "#test/kube/api/objects.ts";

export type Reconcile = (document: Document) => void;

/** Objects looked at before others get their turn. */
const atOnceMax = 200;

export class Controllers {
  readonly objects: Objects;
  readonly #reconcilers = new Map<string, Reconcile>();
  readonly #due = new Map<string, { readonly kind: Kind; readonly place: Place }>();
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #forget: () => void;
  #scheduled = false;
  #closed = false;

  constructor(objects: Objects) {
    this.objects = objects;
    this.#forget = objects.store.listen(({ kind, before, after }) => {
      const metadata = (after ?? before)?.metadata;
      if (metadata === undefined) return;
      if (after !== undefined) this.look(kind, metadata);
      this.#others(kind, after ?? before);
    });
  }

  /** What is to be done when an object of the kind is new or has changed. */
  on(kind: Kind, reconcile: Reconcile): void {
    this.#reconcilers.set(resourceOf(kind), reconcile);
  }

  /** A change of one object may concern another: an owner, say. */
  readonly concerns = new Set<(kind: Kind, document: Document) => void>();

  look(kind: Kind, place: Place): void {
    if (this.#closed || !this.#reconcilers.has(resourceOf(kind))) return;
    this.#due.set(`${resourceOf(kind)} ${keyOf(place)}`, { kind, place });
    this.#schedule();
  }

  lookAfter(ms: number, kind: Kind, place: Place): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.look(kind, place);
    }, ms);
    this.#timers.add(timer);
  }

  close(): void {
    this.#closed = true;
    this.#forget();
    for (const timer of this.#timers) clearTimeout(timer);
    this.#due.clear();
  }

  #others(kind: Kind, document: Document | undefined): void {
    if (document === undefined) return;
    for (const concern of this.concerns) concern(kind, document);
  }

  #schedule(): void {
    if (this.#scheduled || this.#due.size === 0) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      let left = atOnceMax;
      for (const [key, { kind, place }] of this.#due) {
        if (left === 0) break;
        left -= 1;
        this.#due.delete(key);
        const found = this.objects.store.get(kind, place);
        if (found !== undefined) this.#reconcilers.get(resourceOf(kind))?.(found);
      }
      if (!this.#closed) this.#schedule();
    });
  }
}
