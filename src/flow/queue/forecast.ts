/**
 * When will it start? Three answers for each entry. `latest`: all that runs and waits uses all of its
 * estimate and nobody fills a gap; `likely`: it uses the share of its estimate that is usual;
 * `earliest`: nobody were before it, and what runs ended as early as the quickest do. The range holds
 * for the queue as it is: who comes later with an earlier due time, at most `overtakingMs` later, can
 * push it back, and limits that hold an entry back are not foreseen: such an entry has no range. Nor has
 * one that waits for what does not say when it ends; where only the later times are unknown, they are
 * Infinity.
 */
import {
  giveBack,
  hostsOf,
  sizeKey,
  spotFor,
  spotOf,
  take,
  type Hosts,
  type Spot,
} from "./room.ts";
import type { Pace, PaceOf } from "./pace.ts";
import type { Plan, PoolHost, QueuedWork, RunningWork, Snapshot } from "./work.ts";

export interface StartRange {
  readonly earliest: number;
  readonly likely: number;
  readonly latest: number;
}

interface Walk {
  readonly now: number;
  readonly hosts: Hosts;
  readonly running: readonly RunningWork[];
  /** Of its estimate that work uses. */
  readonly share: (work: QueuedWork | RunningWork) => number;
}

/** Of the entries that `plan` left waiting for room, by their ids. */
export function forecast(snapshot: Snapshot, made: Plan, paceOf: PaceOf): Map<string, StartRange> {
  const byId = new Map(snapshot.waiting.map((work) => [work.id, work]));
  const started = made.starts.flatMap(({ id, parts }) => {
    const work = byId.get(id);
    return work === undefined
      ? []
      : [{ ...work, parts, endsAt: snapshot.now + work.estimateMs } satisfies RunningWork];
  });
  const waiting = made.waiting.flatMap(({ id, obstacle }) => {
    const work = byId.get(id);
    const waitsForRoom = !["limit", "never", "senseless"].includes(obstacle.kind);
    return work === undefined || !waitsForRoom ? [] : [work];
  });
  const pools = Map.groupBy<string, PoolHost>(snapshot.hosts, ({ pool }) => pool);
  const running = Map.groupBy([...snapshot.running, ...started], ({ pool }) => pool);
  const shareIn = (of: keyof Pace): Walk["share"] => {
    return (work) => {
      const { tenantId, pool } = work;
      return paceOf({ tenantId, pool, units: unitsOfOne(work) })[of];
    };
  };
  const ranges = new Map<string, StartRange>();
  for (const [pool, entries] of Map.groupBy(waiting, (work) => work.pool)) {
    const walk = {
      now: snapshot.now,
      hosts: hostsOf(pools.get(pool) ?? []),
      running: running.get(pool) ?? [],
    };
    const first = aloneTimes({ ...walk, share: shareIn("quick") }, entries);
    const likely = inLineTimes({ ...walk, share: shareIn("usual") }, entries);
    const latest = inLineTimes({ ...walk, share: () => 1 }, entries);
    for (const [i, { id }] of entries.entries()) {
      const earliest = first[i];
      const last = latest[i];
      const middle = likely[i];
      if (earliest === undefined || last === undefined || middle === undefined) continue;
      if (earliest === Infinity) continue;
      const until = Math.max(earliest, last);
      ranges.set(id, {
        earliest,
        likely: Math.min(until, Math.max(earliest, middle)),
        latest: until,
      });
    }
  }
  return ranges;
}

/** That one of its machines holds. */
function unitsOfOne(work: QueuedWork | RunningWork): number {
  if ("parts" in work) return work.unitsOfOne ?? Math.max(...work.parts.map(({ units }) => units));
  return work.memberUnits ?? work.units;
}

/** Each as if it were first. */
function aloneTimes(walk: Walk, entries: readonly QueuedWork[]): (number | undefined)[] {
  const known = new Map<string, number | undefined>();
  return entries.map((work) => {
    const shape = sizeKey(work);
    if (!known.has(shape)) known.set(shape, inLineTimes(walk, [work])[0]);
    return known.get(shape);
  });
}

/** Each after those before it have started; nobody passes anybody. */
function inLineTimes(
  { now, hosts, running, share }: Walk,
  entries: readonly QueuedWork[],
): (number | undefined)[] {
  const free = Int32Array.from(hosts.units);
  const ends: { readonly at: number; readonly spot: Spot }[] = [];
  for (const work of running) {
    const spot = spotOf(hosts, work.parts);
    take(free, spot);
    ends.push({ at: now + Math.max(1, (work.endsAt - now) * share(work)), spot });
  }
  ends.sort((a, b) => b.at - a.at);
  let at = now;
  return entries.map((work) => {
    for (;;) {
      const spot = spotFor(hosts, free, work);
      if (spot !== undefined) {
        take(free, spot);
        insert(ends, { at: at + work.estimateMs * share(work), spot });
        return at;
      }
      const next = ends.pop();
      if (next === undefined) return undefined;
      at = Math.max(at, next.at);
      giveBack(free, next.spot);
    }
  });
}

/** Latest first, so that the next to end is popped. */
function insert(
  ends: { readonly at: number; readonly spot: Spot }[],
  end: { readonly at: number; readonly spot: Spot },
): void {
  let low = 0;
  let high = ends.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ends[middle]?.at ?? 0) > end.at) low = middle + 1;
    else high = middle;
  }
  ends.splice(low, 0, end);
}
