/**
 * Work over a stretch of time, on paper: it comes when it came, runs for as long as it ran, and a pass
 * decides who starts whenever something came or ended. Pure: the same history under the same policy gives
 * the same answer. What must stay true: a piece starts once, after it came, and holds its place from then
 * until it ends.
 */
import type { PlaceAsk, Placed } from "#flow/place/ask.ts";
import type { Planner } from "#flow/place/planner.ts";
import type { WorkClass } from "#flow/queue/work.ts";
import type { Shape } from "#kernel/shape.ts";

/** One ask for capacity: a lease's start or an attempt of a job. Times are epoch milliseconds. */
export interface Piece {
  readonly id: string;
  readonly tenantId: string;
  readonly projectId: string;
  readonly kind: "lease" | "job";
  readonly workClass: WorkClass;
  readonly shape: Shape;
  readonly askedAt: number;
  /** What its owner said of its length; Infinity for a lease. */
  readonly estimateMs: number;
  readonly deadlineAt: number | undefined;
  /** Members of one gang start together or not at all; null for what stands alone. */
  readonly gang: {
    readonly id: string;
    readonly size: number;
    readonly how: "spread" | "pack";
  } | null;
  /** How long it really held its place; Infinity when it still does. */
  readonly ranMs: number;
  /** At the price of its admission; null where it is sold on request. */
  readonly fenPerHour: bigint | null;
}

export interface Running {
  readonly piece: Piece;
  readonly placed: Placed;
  readonly startedAt: number;
}

/** What holds a place already when the stretch begins. */
export interface Standing {
  readonly piece: Piece;
  readonly hostId: string;
  readonly startedAt: number;
}

export interface Moment {
  readonly now: number;
  readonly waiting: readonly Piece[];
  readonly running: readonly Running[];
}

/** Who starts now: it holds on the planner's paper what it answers. */
export type Pass = (moment: Moment, planner: Planner) => readonly Started[];

export interface Started {
  readonly piece: Piece;
  readonly placed: Placed;
}

export interface Stretch {
  readonly from: number;
  readonly until: number;
  readonly standing: readonly Standing[];
  /** In any order; those outside the stretch are left out. */
  readonly arrivals: readonly Piece[];
}

export interface Rehearsed {
  readonly ran: readonly Running[];
  /** Came, and had no place at the end. */
  readonly waiting: readonly Piece[];
  /** Of `standing`, those for which the hosts have no room: hosts were taken away since. */
  readonly displaced: readonly Piece[];
  readonly passes: number;
}

/** More passes than this and the stretch is cut by its caller, not run for ever. */
export const passesMax = 200_000;

export function rehearse(stretch: Stretch, planner: Planner, pass: Pass): Rehearsed {
  const steps = rehearsing(stretch, planner, pass);
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}

/** The same, a pass at a time, for who has other things to do between them. */
export function* rehearsing(
  stretch: Stretch,
  planner: Planner,
  pass: Pass,
): Generator<undefined, Rehearsed, undefined> {
  const { from, until } = stretch;
  const ran: Running[] = [];
  const displaced: Piece[] = [];
  /** By their end, the next last. */
  const active: Running[] = [];
  for (const { piece, hostId, startedAt } of stretch.standing.toSorted(byStart)) {
    const placed = planner.place({ ...askOf(piece), only: [hostId] });
    if (placed.placed) start({ piece, placed, startedAt });
    else displaced.push(piece);
  }
  const arrivals = stretch.arrivals
    .filter(({ askedAt }) => askedAt >= from && askedAt < until)
    .toSorted((a, b) => a.askedAt - b.askedAt || (a.id < b.id ? -1 : 1));
  // Who lost his host asks again at the beginning.
  let waiting: Piece[] = [...displaced];
  let arrived = 0;
  let passes = 0;
  let now = from;
  for (;;) {
    for (let last = active.at(-1); last !== undefined && endOf(last) <= now; last = active.at(-1)) {
      active.pop();
      planner.release(last.placed);
    }
    for (let next = arrivals[arrived]; next !== undefined && next.askedAt <= now;) {
      waiting.push(next);
      arrived += 1;
      next = arrivals[arrived];
    }
    if (waiting.length > 0 && passes < passesMax) {
      passes += 1;
      yield;
      const started = pass({ now, waiting, running: active }, planner);
      for (const each of started) start({ ...each, startedAt: now });
      const gone = new Set(started.map(({ piece }) => piece.id));
      if (gone.size > 0) waiting = waiting.filter(({ id }) => !gone.has(id));
    }
    const last = active.at(-1);
    const next = Math.min(
      arrivals[arrived]?.askedAt ?? Infinity,
      last === undefined ? Infinity : endOf(last),
    );
    if (next >= until || next === Infinity) return { ran, waiting, displaced, passes };
    now = Math.max(now, next);
  }

  function start(running: Running): void {
    ran.push(running);
    const end = endOf(running);
    let low = 0;
    let high = active.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const there = active[middle];
      if (there !== undefined && endOf(there) > end) low = middle + 1;
      else high = middle;
    }
    active.splice(low, 0, running);
  }
}

export function askOf({ tenantId, kind, shape }: Piece): PlaceAsk {
  return { tenantId, kind, shape };
}

export function endOf({ startedAt, piece }: Running): number {
  return startedAt + piece.ranMs;
}

function byStart(a: Standing, b: Standing): number {
  return a.startedAt - b.startedAt || (a.piece.id < b.piece.id ? -1 : 1);
}
