/**
 * What is compared. All share the room and the backfill of the product, and differ in the order and in
 * how many entries have room kept: first come first served, which stops at the first that does not
 * fit (`fifo`) or goes on behind it (`skip`); `easy` backfill around the first; `shortest` first by
 * estimate; and `due`, the product's policy.
 */
import { PoolPass } from "#flow/queue/backfill.ts";
import { plan, type PolicyRules } from "#flow/queue/policy.ts";
import { hostsOf, partsOf } from "#flow/queue/room.ts";
import type { QueuedWork, Snapshot, Start } from "#flow/queue/work.ts";

export const schedulerNames = ["due", "fifo", "skip", "easy", "shortest"] as const;
export type SchedulerName = (typeof schedulerNames)[number];
export type Scheduler = (snapshot: Snapshot) => readonly Pick<Start, "id" | "parts">[];

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

function inOrder({ key, reservations, stops }: Rival): Scheduler {
  return ({ now, waiting, running, hosts }) => {
    const known = hostsOf(hosts);
    const room = new PoolPass(now, known, running);
    const starts: Pick<Start, "id" | "parts">[] = [];
    for (const work of waiting.toSorted((a, b) => key(a) - key(b) || (a.id < b.id ? -1 : 1))) {
      const { spot } = room.attempt(work);
      if (spot !== undefined) starts.push({ id: work.id, parts: partsOf(known, spot) });
      else if (stops) break;
      else if (room.kept.length < reservations) room.reserve(work);
    }
    return starts;
  };
}
