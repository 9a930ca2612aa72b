/**
 * One pool during one pass: what starts now, and what is kept for those that could not. A reservation
 * is the first time at which the work fits if everything runs for all of its estimate; it is never
 * before the reservation made before it. Whoever starts afterwards either ends by its estimate before
 * a reservation begins or leaves it its hosts, so it cannot delay one.
 */
import { giveBack, sizeKey, spotFor, spotOf, take, type Hosts, type Spot } from "./room.ts";
import type { QueuedWork, RunningWork } from "./work.ts";

interface Release {
  readonly at: number;
  readonly spot: Spot;
}

interface Kept {
  readonly work: QueuedWork;
  readonly at: number;
  readonly spot: Spot;
  /** Units of each host that stay free once it, and all reserved before it, run. */
  readonly spare: Int32Array;
}

export type Attempt =
  | { readonly spot: Spot; readonly around: number | undefined }
  /** `fits` but for the reservation that begins at `around`. */
  | { readonly spot: undefined; readonly fits: boolean; readonly around: number | undefined };

export class PoolPass {
  readonly free: Int32Array;
  readonly kept: Kept[] = [];
  readonly #now: number;
  readonly #hosts: Hosts;
  /** By time; those before `#released` are in `#ahead`. */
  readonly #releases: Release[];
  #released = 0;
  /** Free units at `#aheadAt`, what is reserved by then taken. */
  readonly #ahead: Int32Array;
  #aheadAt: number;
  /** Room only shrinks during a pass, so what did not fit once does not fit again. */
  readonly #misses = new Map<string, Attempt>();
  /** Likewise what no end of anything that runs makes room for. */
  readonly #unreservable = new Set<string>();
  readonly #everFits = new Map<string, boolean>();

  constructor(now: number, hosts: Hosts, running: readonly RunningWork[]) {
    this.#now = now;
    this.#hosts = hosts;
    this.free = Int32Array.from(hosts.units);
    this.#releases = running
      // What has outrun its estimate may end at any moment, but it has not yet.
      .map(({ parts, endsAt }) => ({
        at: Math.max(now + 1, endsAt),
        spot: spotOf(hosts, parts),
      }))
      .toSorted((a, b) => a.at - b.at);
    for (const { spot } of this.#releases) take(this.free, spot);
    this.#ahead = Int32Array.from(this.free);
    this.#aheadAt = now;
  }

  attempt(work: QueuedWork): Attempt {
    const endsAt = this.#now + work.estimateMs;
    const crossed = this.kept.filter(({ at }) => at < endsAt);
    const key = `${sizeKey(work)} ${crossed.length}`;
    const missed = this.#misses.get(key);
    if (missed !== undefined) return missed;
    const spot = spotFor(this.#hosts, this.#roomUntil(crossed), work);
    if (spot !== undefined) {
      this.#start(spot, endsAt, crossed);
      return { spot, around: this.kept[0]?.at };
    }
    const fits = crossed.length > 0 && spotFor(this.#hosts, this.free, work) !== undefined;
    const miss = { spot, fits, around: crossed[0]?.at };
    this.#misses.set(key, miss);
    return miss;
  }

  /** Would it fit if nothing else ran? */
  couldEver(work: QueuedWork): boolean {
    const key = sizeKey(work);
    let fits = this.#everFits.get(key);
    if (fits === undefined) {
      fits = spotFor(this.#hosts, this.#hosts.units, work) !== undefined;
      this.#everFits.set(key, fits);
    }
    return fits;
  }

  /** For how many of the lane room is kept. */
  keptIn(lane: string | undefined): number {
    return this.kept.filter(({ work }) => work.lane === lane).length;
  }

  /** False if nobody knows a time at which it fits: what is in its way does not say when it ends. */
  reserve(work: QueuedWork): boolean {
    const key = sizeKey(work);
    if (this.#unreservable.has(key)) return false;
    const [aheadAt, released] = [this.#aheadAt, this.#released];
    const ahead = Int32Array.from(this.#ahead);
    for (;;) {
      const spot = spotFor(this.#hosts, this.#ahead, work);
      if (spot !== undefined && this.#aheadAt > this.#now) {
        take(this.#ahead, spot);
        const at = this.#aheadAt;
        this.kept.push({ work, at, spot, spare: Int32Array.from(this.#ahead) });
        this.#release({ at: at + work.estimateMs, spot });
        return true;
      }
      const next = this.#releases[this.#released];
      if (next === undefined || next.at === Infinity) {
        this.#ahead.set(ahead);
        [this.#aheadAt, this.#released] = [aheadAt, released];
        this.#unreservable.add(key);
        return false;
      }
      this.#advance(next.at);
    }
  }

  /** All that ends at one moment is free at it. */
  #advance(at: number): void {
    this.#aheadAt = at;
    for (;;) {
      const next = this.#releases[this.#released];
      if (next === undefined || next.at > at) return;
      giveBack(this.#ahead, next.spot);
      this.#released += 1;
    }
  }

  #roomUntil(crossed: readonly Kept[]): Int32Array {
    if (crossed.length === 0) return this.free;
    const room = Int32Array.from(this.free);
    for (const { spare } of crossed) {
      for (let host = 0; host < room.length; host += 1) {
        room[host] = Math.min(room[host] ?? 0, spare[host] ?? 0);
      }
    }
    return room;
  }

  #start(spot: Spot, endsAt: number, crossed: readonly Kept[]): void {
    take(this.free, spot);
    for (const { spare } of crossed) take(spare, spot);
    if (endsAt <= this.#aheadAt) return;
    take(this.#ahead, spot);
    this.#release({ at: endsAt, spot });
  }

  #release(release: Release): void {
    let low = this.#released;
    let high = this.#releases.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#releases[middle]?.at ?? 0) <= release.at) low = middle + 1;
      else high = middle;
    }
    this.#releases.splice(low, 0, release);
  }
}
