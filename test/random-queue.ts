/** Queues to try the policy on: a few by hand, and random ones on a pool of three hosts. */
import fc from "fast-check";

import type { QueuedWork, RunningWork, Snapshot } from "#flow/queue/work.ts";

export const hourMs = 3_600_000;
export const now = 1_000 * 24 * hourMs;
export const pool = "A100";
const tenants = ["ann", "bob", "cyd"];

export function work(over: Partial<QueuedWork> = {}): QueuedWork {
  return {
    id: "w",
    tenantId: "ann",
    projectId: "p",
    workClass: "ordinary",
    askedAt: now - hourMs,
    pool,
    units: 1,
    gang: false,
    estimateMs: hourMs,
    ...over,
  };
}

export function snapshot(over: Partial<Snapshot> = {}): Snapshot {
  const hosts = ["a", "b", "c"].map((id) => ({ id, pool, units: 8 }));
  const nothing = { waiting: [], running: [], limits: [], usage: [] };
  return { now, hosts, fenPerUnitHour: new Map([[pool, 700n]]), ...nothing, ...over };
}

export function running(hostId: string, units: number, endsAt: number, id = hostId): RunningWork {
  return { id, tenantId: "bob", projectId: "p", pool, parts: [{ hostId, units }], endsAt };
}

const someWork = fc.record({
  tenantId: fc.constantFrom(...tenants),
  projectId: fc.constantFrom("p", "q"),
  workClass: fc.constantFrom("diamond", "gold", "ordinary"),
  askedAt: fc.integer({ min: now - 900 * hourMs, max: now }),
  units: fc.constantFrom(1, 1, 2, 4, 8, 16, 24, 40),
  gang: fc.boolean(),
  estimateMs: fc.integer({ min: 1, max: 300 * hourMs }),
  deadlineAt: fc.option(fc.integer({ min: now - 100 * hourMs, max: now + 400 * hourMs }), {
    nil: undefined,
  }),
});
const someLimit = fc.record({
  tenantId: fc.constantFrom(...tenants),
  projectId: fc.option(fc.constantFrom("p", "q"), { nil: undefined }),
  pool: fc.option(fc.constant(pool), { nil: undefined }),
  unitsMax: fc.option(fc.nat(20), { nil: undefined }),
  unitMsLeft: fc.option(fc.nat(500 * hourMs), { nil: undefined }),
  fenLeft: fc.option(fc.bigInt({ min: 0n, max: 200_000n }), { nil: undefined }),
});
const someUsage = fc.uniqueArray(
  fc.record({
    tenantId: fc.constantFrom(...tenants),
    unitMs: fc.nat(1_000 * hourMs),
    asOf: fc.integer({ min: now - 500 * hourMs, max: now }),
    weight: fc.constantFrom(1, 2),
  }),
  { selector: ({ tenantId }) => tenantId },
);
export const someSnapshot = fc
  .record({
    waiting: fc.array(someWork, { maxLength: 30 }),
    held: fc.array(fc.tuple(fc.nat(8), fc.integer({ min: -5, max: 200 })), {
      minLength: 3,
      maxLength: 3,
    }),
    limits: fc.array(someLimit, { maxLength: 4 }),
    usage: someUsage,
  })
  .map(({ waiting, held, limits, usage }) =>
    snapshot({
      waiting: waiting.map((one, i) => ({ ...one, id: `w${i}`, pool })),
      running: held.flatMap(([units, hours], i) =>
        units === 0 ? [] : [running("abc".charAt(i), units, now + hours * hourMs)],
      ),
      limits,
      usage,
    }),
  );
