/**
 * What the cluster has of one kind, kept by one watch: a pass over ten thousand machines asks nobody.
 * Only what the driver reads of an object stays in memory (`distill`). What must stay true:
 *
 * - An object is replaced only by a later version of itself, so what a write answered is not undone by
 *   an event that was on its way, and what was deleted does not come back.
 * - Absence is believed only of a mirror that is whole (`isWhole`) and fresh (`lostSince`).
 * - What cannot be read (somebody edited it) is neither absent nor new: it stays as it was read last, and
 *   is named (`unreadable`).
 */
import type { KubeClient } from "#providers/kubevirt/client/client.ts";
import type { Kind } from "#providers/kubevirt/client/kind.ts";
import type { ListedPage, Selection } from "#providers/kubevirt/client/list.ts";
import type { KubeObject } from "#providers/kubevirt/client/object.ts";
import type { WatchEvent } from "#providers/kubevirt/client/watch.ts";

import type { Others } from "./others.ts";

export interface MirrorOptions<T> {
  readonly client: KubeClient;
  readonly kind: Kind;
  readonly selection: Selection;
  /** By which the object is asked for; `undefined`: none of ours. */
  readonly keyOf: (object: KubeObject) => string | undefined;
  /** Throws if the object cannot be read. */
  readonly distill: (object: KubeObject) => T;
  readonly now: () => number;
  /** `deleted`: a watch told so; otherwise it may also be missing from a list, or new. */
  readonly onChange: (key: string, how?: "deleted") => void;
  readonly onLost: (error: unknown) => void;
  /** Once for each version that cannot be read. */
  readonly onUnreadable?: (key: string, error: unknown) => void;
  /**
   * It matches the selection no more, but was not deleted: somebody took its label off. It stays as it
   * was seen last, until it is seen again or `forget` is called.
   */
  readonly onUnlabeled?: (key: string, object: KubeObject) => void;
  /** What is selected and has no key; nobody is told of it if absent. */
  readonly others?: Others;
  /**
   * Where two objects have one key, such as a copy that somebody made in another namespace: whether this
   * one is where it says that it belongs. The other stays out.
   */
  readonly isInPlace?: (object: KubeObject) => boolean;
  /** A watch that has told nothing for so long, not even a bookmark, is taken for old. */
  readonly quietMaxMs?: number;
}

interface Kept<T> {
  readonly version: bigint;
  readonly value: T;
  readonly place: string;
  readonly isInPlace: boolean;
}

/** The real server sends a bookmark every minute. */
const quietMaxMsDefault = 90_000;

export class Mirror<T> {
  readonly #options: MirrorOptions<T>;
  readonly #kept = new Map<string, Kept<T>>();
  readonly #unreadable = new Map<string, bigint>();
  /** Versions of what was deleted lately, against events that come late. */
  readonly #gone = new Map<string, bigint>();
  /** Named by the pages of a list so far. */
  readonly #listed = new Set<string>();
  /** All that there was at this version has been seen; what is older and unknown is gone. */
  #floor = -1n;
  #isWhole = false;
  /** Since when no watch is open: an instant, and by a clock that nobody sets. */
  #lostAt: number | undefined;
  #lostOn: number | undefined;
  /** The last word of the server: an instant, and when that was by a clock that nobody sets. */
  #heard: { readonly at: number; readonly on: number } | undefined;
  #knownUntil: number | undefined;
  /** All that happened while the watch was down has been told by now. */
  #isCaughtUp = false;
  #lastError: unknown;
  #whole: Promise<void>;
  #becameWhole: () => void = () => undefined;

  constructor(options: MirrorOptions<T>) {
    this.#options = options;
    this.#whole = new Promise((resolve) => {
      this.#becameWhole = resolve;
    });
  }

  get kind(): Kind {
    return this.#options.kind;
  }

  /** Runs until the signal aborts. Never throws: what goes wrong is told and tried again. */
  async follow(signal: AbortSignal): Promise<void> {
    const { client, kind, selection } = this.#options;
    for await (const event of client.watch({ signal }, kind, { selection })) this.take(event);
  }

  /** What the watch tells. */
  take(event: WatchEvent): void {
    if (event.type === "lost") {
      this.#lostAt ??= this.#options.now();
      this.#lostOn ??= performance.now();
      this.#isCaughtUp = false;
      this.#lastError = event.error;
      this.#options.onLost(event.error);
      return;
    }
    if (event.type === "page") this.#takePage(event);
    // Of what stands on the pages to come nothing newer is known yet.
    if (event.type === "page" && !event.isLast) return;
    this.#lostAt = undefined;
    this.#lostOn = undefined;
    if (event.type === "resumed") return;
    this.#heard = { at: this.#options.now(), on: performance.now() };
    if (event.type === "changed") this.put(event.object);
    else if (event.type === "deleted") this.#delete(event.object, BigInt(event.resourceVersion));
    // What is told again after a break happened long ago, until a list or a bookmark says that it is all.
    this.#isCaughtUp ||= event.type === "page" || event.type === "bookmark";
    if (this.#isCaughtUp) this.#knownUntil = this.#heard.at;
  }

  /** Within `onChange`: up to when what was known before it was true; epoch milliseconds. */
  get knownUntil(): number | undefined {
    return this.#knownUntil;
  }

  /** Resolves when all that there is has been seen once. */
  whole(): Promise<void> {
    return this.#whole;
  }

  get isWhole(): boolean {
    return this.#isWhole;
  }

  /** For how long no watch has been open, or nothing came of it, by a clock that nobody sets. */
  get lostMs(): number {
    if (this.#lostOn !== undefined) return performance.now() - this.#lostOn;
    return this.#heard === undefined || !this.#isQuiet() ? 0 : performance.now() - this.#heard.on;
  }

  /**
   * Epoch milliseconds up to which what is known was true, once it is old; `undefined` while the watch
   * goes on. A watch is believed when the server has said something on it lately.
   */
  get lostSince(): number | undefined {
    if (this.#heard === undefined) return this.#lostAt;
    return this.#lostAt !== undefined || this.#isQuiet() ? this.#heard.at : undefined;
  }

  #isQuiet(): boolean {
    const { quietMaxMs = quietMaxMsDefault } = this.#options;
    return this.#heard !== undefined && performance.now() - this.#heard.on > quietMaxMs;
  }

  get lastError(): unknown {
    return this.#lastError;
  }

  /** Of what cannot be read. */
  get unreadable(): Iterable<string> {
    return this.#unreadable.keys();
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
    const key = this.#options.keyOf(object);
    if (key === undefined) this.#options.others?.put(object);
    else this.#take(key, object, this.#gone.get(key) ?? this.#floor);
  }

  /** It is not there any more, as somebody found out who asked. */
  forget(key: string): void {
    if (this.#drop(key)) this.#options.onChange(key);
  }

  /** `floor`: if it is unknown, nothing up to this version is news. */
  #take(key: string, object: KubeObject, floor: bigint): void {
    const { distill, onChange, onUnreadable } = this.#options;
    const version = versionOf(object);
    const place = placeOf(object);
    const isInPlace = this.#options.isInPlace?.(object) ?? true;
    const kept = this.#kept.get(key);
    const isOther = kept !== undefined && kept.place !== place;
    if (isOther ? kept.isInPlace || !isInPlace : version <= (this.#versionOf(key) ?? floor)) return;
    this.#gone.delete(key);
    try {
      this.#kept.set(key, { version, value: distill(object), place, isInPlace });
      this.#unreadable.delete(key);
    } catch (error) {
      this.#unreadable.set(key, version);
      onUnreadable?.(key, error);
    }
    onChange(key);
  }

  #versionOf(key: string): bigint | undefined {
    return this.#unreadable.get(key) ?? this.#kept.get(key)?.version;
  }

  /** Each is taken as it comes, so that a list is never held beside what it replaces. */
  #takePage({ items, isFirst, isLast, resourceVersion }: ListedPage): void {
    const { keyOf, others } = this.#options;
    if (isFirst) {
      this.#listed.clear();
      others?.beginList();
    }
    for (const item of items) {
      const key = keyOf(item);
      if (key === undefined) {
        others?.list(item);
        continue;
      }
      this.#listed.add(key);
      this.#take(key, item, -1n);
    }
    if (isLast) this.#endList(BigInt(resourceVersion));
  }

  /** What was written after the list was made is not in it, and stays. */
  #endList(listed: bigint): void {
    for (const key of new Set([...this.#kept.keys(), ...this.#unreadable.keys()])) {
      if (this.#listed.has(key) || (this.#versionOf(key) ?? 0n) > listed) continue;
      this.#drop(key);
      this.#options.onChange(key);
    }
    this.#listed.clear();
    this.#options.others?.endList();
    this.#gone.clear();
    this.#floor = listed;
    if (this.#isWhole) return;
    this.#isWhole = true;
    this.#becameWhole();
  }

  #delete(object: KubeObject, version: bigint): void {
    const { keyOf, others, onChange, onUnlabeled } = this.#options;
    const key = keyOf(object);
    others?.delete(object);
    if (key === undefined) return;
    const known = this.#versionOf(key);
    if (known === undefined || known > version) return;
    if ((this.#kept.get(key)?.place ?? placeOf(object)) !== placeOf(object)) return;
    // What has finalizers is first marked as going, and then goes.
    const { deletionTimestamp, finalizers = [] } = object.metadata;
    if (onUnlabeled !== undefined && deletionTimestamp === undefined && finalizers.length > 0) {
      onUnlabeled(key, object);
      return;
    }
    this.#drop(key);
    if (this.#gone.size >= goneMax) this.#gone.clear();
    this.#gone.set(key, version);
    onChange(key, "deleted");
  }

  #drop(key: string): boolean {
    const wasUnreadable = this.#unreadable.delete(key);
    return this.#kept.delete(key) || wasUnreadable;
  }
}

const goneMax = 20_000;

function placeOf({ metadata: { namespace = "", name } }: KubeObject): string {
  return `${namespace}/${name}`;
}

/** Versions of one server are numbers that grow (Kubernetes 1.35 promises it, all before kept it). */
function versionOf({ metadata }: KubeObject): bigint {
  return BigInt(metadata.resourceVersion);
}
