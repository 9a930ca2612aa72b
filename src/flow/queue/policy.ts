/**
 * One pass over the queue, pure: who starts now, for whom room is kept, and why each other waits. In
 * due order (`due.ts`) whoever fits and is within his limits starts; the first that do not fit get
 * reservations, and what comes after passes them only where it cannot delay them (`backfill.ts`).
 * Work that its own limits hold back gets no reservation: it would keep room that it may not use.
 */
import { PoolPass } from "./backfill.ts";
import { inDueOrder, type Due, type OrderRules } from "./due.ts";
import { Limits } from "./limits.ts";
import { hostsOf, largestFor, partsOf, type Hosts } from "./room.ts";
import { overuse } from "./shares.ts";
import type { Obstacle, Plan, Reservation, Snapshot, Start, Waiting } from "./work.ts";

export interface PolicyRules extends OrderRules {
  /** Work that has room kept for it, per lane of a pool ... */
  readonly reservationsMax: number;
  /** ... and in all of a pool. */
  readonly reservationsPerPoolMax: number;
}

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** Measured in docs/BENCHMARKS.md; the reasons are in decision 0017. */
export const usualRules: PolicyRules = {
  lengthFactor: 3,
  lengthMsMax: 14 * dayMs,
  wideUnits: 8,
  wideMs: 14 * dayMs,
  shareMsMax: dayMs,
  halfLifeMs: 7 * dayMs,
  classMs: { diamond: 2 * dayMs, gold: dayMs, ordinary: 0 },
  deadlineMsMax: 7 * dayMs,
  leaseMs: 28 * dayMs,
  reservationsMax: 2,
  reservationsPerPoolMax: 32,
};

/** The same where units are thousandths. */
export const milliRules: PolicyRules = { ...usualRules, wideUnits: 1000 * usualRules.wideUnits };

interface Pass {
  readonly starts: Start[];
  readonly reservations: Reservation[];
  readonly waiting: Waiting[];
  readonly limits: Limits;
}

export function plan(snapshot: Snapshot, rules: PolicyRules = usualRules): Plan {
  const order = inDueOrder(snapshot.waiting, overuse(snapshot.usage, rules.halfLifeMs), rules);
  const limits = new Limits(snapshot);
  const pass: Pass = { starts: [], reservations: [], waiting: [], limits };
  const hosts = Map.groupBy(snapshot.hosts, ({ pool }) => pool);
  const running = Map.groupBy(snapshot.running, ({ pool }) => pool);
  const positions = new Map<
    string,
    { readonly room: PoolPass; readonly hosts: Hosts; at: number }
  >();
  for (const due of order) {
    const { pool } = due.work;
    let state = positions.get(pool);
    if (state === undefined) {
      const known = hostsOf(hosts.get(pool) ?? []);
      state = {
        room: new PoolPass(snapshot.now, known, running.get(pool) ?? []),
        hosts: known,
        at: 1,
      };
      positions.set(pool, state);
    }
    const obstacle = decide(pass, state.room, state.hosts, due, rules);
    if (obstacle === undefined) continue;
    pass.waiting.push({ id: due.work.id, position: state.at, dueAt: due.dueAt, obstacle });
    state.at += 1;
  }
  for (const { room, hosts: known } of positions.values()) {
    for (const { work, at, spot } of room.kept) {
      pass.reservations.push({ id: work.id, startsAt: at, parts: partsOf(known, spot) });
    }
  }
  return { starts: pass.starts, reservations: pass.reservations, waiting: pass.waiting };
}

/** Undefined if it started. */
function decide(
  { starts, limits }: Pass,
  room: PoolPass,
  hosts: Hosts,
  { work, dueAt }: Due,
  rules: PolicyRules,
): Obstacle | undefined {
  if (!isSound(work.units, work.estimateMs)) return { kind: "senseless" };
  const refusal = limits.refusal(work);
  if (refusal !== undefined) return { kind: "limit", reason: refusal };
  const attempt = room.attempt(work);
  if (attempt.spot !== undefined) {
    limits.start(work);
    const parts = partsOf(hosts, attempt.spot);
    starts.push({ id: work.id, parts, aroundReservationAt: attempt.around, dueAt });
    return undefined;
  }
  if (!room.couldEver(work)) {
    return { kind: "never", needed: work.units, largest: largestFor(hosts, work) };
  }
  const mayReserve =
    room.kept.length < rules.reservationsPerPoolMax &&
    room.keptIn(work.lane) < rules.reservationsMax;
  if (mayReserve && room.reserve(work)) {
    return { kind: "reserved", startsAt: room.kept.at(-1)?.at ?? 0, needed: work.units };
  }
  if (attempt.fits) return { kind: "kept", until: attempt.around ?? 0, needed: work.units };
  return { kind: "full", needed: work.units, free: room.free };
}

function isSound(units: number, estimateMs: number): boolean {
  return Number.isSafeInteger(units) && units > 0 && estimateMs > 0;
}
