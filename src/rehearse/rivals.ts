/**
 * Policies of the queue by name, for comparison. All share the product's room and backfill and differ in
 * the order and in how many entries have room kept: first come first served, which stops at the first
 * that does not fit (`fifo`) or goes on behind it (`skip`); `easy` backfill around the first; `shortest`
 * first by estimate; and `due`, the product's own.
 */
import { PoolPass } from "#flow/queue/backfill.ts";
import { plan, type PolicyRules } from "#flow/queue/policy.ts";
import { hostsOf, partsOf } from "#flow/queue/room.ts";
import type { QueuedWork, Snapshot, Start } from "#flow/queue/work.ts";

export const schedulerNames = ["due", "fifo", "skip", "easy", "shortest"] as const;
export type SchedulerName = (typeof schedulerNames)[number];
/** Who starts, in order. */
export type Scheduler = (snapshot: Snapshot) => readonly Start[];

export function scheduler(name: SchedulerName, rules: PolicyRules): Scheduler {
  switch (name) {
    case "due":
      return (snapshot) => plan(snapshot, rules).starts;
    case "fifo":
      return inOrder({ key: arrival, reservations: 0, stops: true });
    case "skip":
      return inOrder({ key: arrival, reservations: 0, stops: false });
    case "easy":
      return inOrder({ key: arrival, reservations: 1, stops: false });
    case "shortest":
      return inOrder({ key: length, reservations: 0, stops: false });
  }
}

interface Rival {
  readonly key: (work: QueuedWork) => number;
  readonly reservations: number;
  readonly stops: boolean;
}

function arrival({ askedAt }: QueuedWork): number {
  return askedAt;
}

function length({ estimateMs }: QueuedWork): number {
  return estimateMs;
}

function inOrder(rival: Rival): Scheduler {
  return (snapshot) => {
    const hosts = Map.groupBy(snapshot.hosts, ({ pool }) => pool);
    const running = Map.groupBy(snapshot.running, ({ pool }) => pool);
    return [...Map.groupBy(snapshot.waiting, ({ pool }) => pool)].flatMap(([pool, waiting]) =>
      inOnePool(rival, {
        ...snapshot,
        waiting,
        hosts: hosts.get(pool) ?? [],
        running: running.get(pool) ?? [],
      }),
    );
  };
}

function inOnePool(
  { key, reservations, stops }: Rival,
  { now, waiting, running, hosts }: Snapshot,
): Start[] {
  const known = hostsOf(hosts);
  const room = new PoolPass(now, known, running);
  const starts: Start[] = [];
  for (const work of waiting.toSorted((a, b) => compared(key(a), key(b)) || byId(a, b))) {
    const { spot, around } = room.attempt(work);
    if (spot !== undefined) {
      starts.push({ id: work.id, parts: partsOf(known, spot), aroundReservationAt: around });
    } else if (stops) break;
    else if (room.kept.length < reservations) room.reserve(work);
  }
  return starts;
}

/** Infinity equals itself. */
function compared(a: number, b: number): number {
  return a === b ? 0 : a - b;
}

function byId(a: QueuedWork, b: QueuedWork): number {
  return a.id < b.id ? -1 : 1;
}
