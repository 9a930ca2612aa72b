/**
 * What the cluster has of one kind, kept by one watch: a pass over ten thousand machines asks nobody.
 * Only what the driver reads of an object stays in memory (`distill`). What must stay true:
 *
 * - An object is replaced only by a later version of itself, so what a write answered is not undone by
 *   an event that was on its way.
 * - Absence is believed only of a mirror that is whole (`isWhole`) and fresh.
 */
import type { KubeClient } from "#providers/kubevirt/client/client.ts";
import type { Kind } from "#providers/kubevirt/client/kind.ts";
import type { Selection } from "#providers/kubevirt/client/list.ts";
import type { KubeObject } from "#providers/kubevirt/client/object.ts";

export interface MirrorOptions<T> {
  readonly client: KubeClient;
  readonly kind: Kind;
  readonly selection: Selection;
  /** By which the object is asked for; `undefined`: none of ours. */
  readonly keyOf: (object: KubeObject) => string | undefined;
  readonly distill: (object: KubeObject) => T;
  readonly now: () => number;
  readonly onChange: (key: string) => void;
  readonly onLost: (error: unknown) => void;
}

interface Kept<T> {
  readonly version: bigint;
  readonly value: T;
}

export class Mirror<T> {
  readonly #options: MirrorOptions<T>;
  readonly #kept = new Map<string, Kept<T>>();
  /** Versions of what was deleted lately, against events that come late. */
  readonly #gone = new Map<string, bigint>();
  #isWhole = false;
  #lostSince: number | undefined;
  #lastError: unknown;
  #whole: Promise<void>;
  #becameWhole: () => void = () => undefined;

  constructor(options: MirrorOptions<T>) {
    this.#options = options;
    this.#whole = new Promise((resolve) => {
      this.#becameWhole = resolve;
    });
  }

  /** Runs until the signal aborts. Never throws: what goes wrong is told and tried again. */
  async follow(signal: AbortSignal): Promise<void> {
    const { client, kind, selection, now, onLost } = this.#options;
    for await (const event of client.watch({ signal }, kind, { selection })) {
      if (event.type === "lost") {
        this.#lostSince ??= now();
        this.#lastError = event.error;
        onLost(event.error);
        continue;
      }
      this.#lostSince = undefined;
      if (event.type === "snapshot") this.#replaceAll(event.items);
      else if (event.type === "changed") this.put(event.object);
      else if (event.type === "deleted") this.#delete(event.object, BigInt(event.resourceVersion));
    }
  }

  /** Resolves when all that there is has been seen once. */
  whole(): Promise<void> {
    return this.#whole;
  }

  get isWhole(): boolean {
    return this.#isWhole;
  }

  /** Epoch milliseconds since when what is known grows old; `undefined` while the watch goes on. */
  get lostSince(): number | undefined {
    return this.#lostSince;
  }

  get lastError(): unknown {
    return this.#lastError;
  }

  get(key: string): T | undefined {
    return this.#kept.get(key)?.value;
  }

  *values(): IterableIterator<T> {
    for (const { value } of this.#kept.values()) yield value;
  }

  get size(): number {
    return this.#kept.size;
  }

  /** What was read or written besides the watch. */
  put(object: KubeObject): void {
    const { keyOf, distill, onChange } = this.#options;
    const key = keyOf(object);
    if (key === undefined) return;
    const version = versionOf(object);
    const known = this.#kept.get(key)?.version ?? this.#gone.get(key);
    if (known !== undefined && version <= known) return;
    this.#gone.delete(key);
    this.#kept.set(key, { version, value: distill(object) });
    onChange(key);
  }

  #replaceAll(items: readonly KubeObject[]): void {
    const before = new Set(this.#kept.keys());
    for (const item of items) {
      const key = this.#options.keyOf(item);
      if (key !== undefined) before.delete(key);
      this.put(item);
    }
    for (const key of before) {
      this.#kept.delete(key);
      this.#options.onChange(key);
    }
    this.#gone.clear();
    if (this.#isWhole) return;
    this.#isWhole = true;
    this.#becameWhole();
  }

  #delete(object: KubeObject, version: bigint): void {
    const key = this.#options.keyOf(object);
    if (key === undefined) return;
    const known = this.#kept.get(key);
    if (known === undefined || known.version > version) return;
    this.#kept.delete(key);
    if (this.#gone.size >= goneMax) this.#gone.clear();
    this.#gone.set(key, version);
    this.#options.onChange(key);
  }
}

const goneMax = 20_000;

/** Versions of one server are numbers that grow (Kubernetes 1.35 promises it, all before kept it). */
function versionOf({ metadata }: KubeObject): bigint {
  return BigInt(metadata.resourceVersion);
}
