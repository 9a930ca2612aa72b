/** What one pass of the queue promises, over random queues. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { hourMs, now, running, snapshot, someSnapshot, work } from "#test/random-queue.ts";

import { reasonOf } from "./explain.ts";
import { forecast } from "./forecast.ts";
import { plan } from "./policy.ts";
import type { Limit, QueuedWork, Snapshot } from "./work.ts";

function byId(of: Snapshot, id: string): QueuedWork {
  const found = of.waiting.find((one) => one.id === id);
  if (found === undefined) throw new Error(`no ${id}`);
  return found;
}

/** Free units of each host at `at`, if all runs for its whole estimate. */
function freeAt(of: Snapshot, at: number): Map<string, number> {
  const free = new Map(of.hosts.map(({ id, units }) => [id, units]));
  for (const { parts, endsAt } of of.running) {
    if (Math.max(now + 1, endsAt) <= at) continue;
    for (const { hostId, units } of parts) free.set(hostId, (free.get(hostId) ?? 0) - units);
  }
  return free;
}

describe("S-04: a pass over the queue", () => {
  test("starts whole entries only, each once, and never more than is free on a host", () => {
    fc.assert(
      fc.property(someSnapshot, (of) => {
        const made = plan(of);
        const free = freeAt(of, now);
        for (const { id, parts } of made.starts) {
          expect(parts.reduce((sum, { units }) => sum + units, 0)).toBe(byId(of, id).units);
          expect(byId(of, id).gang || parts.length === 1).toBe(true);
          for (const { hostId, units } of parts) free.set(hostId, (free.get(hostId) ?? 0) - units);
        }
        expect(Math.min(...free.values())).toBeGreaterThanOrEqual(0);
        const ids = [...made.starts, ...made.waiting].map(({ id }) => id);
        expect(ids.toSorted()).toEqual(of.waiting.map(({ id }) => id).toSorted());
      }),
    );
  });

  test("gives the same plan whatever order its lists come in", () => {
    fc.assert(
      fc.property(someSnapshot, (of) => {
        const turned = {
          ...of,
          waiting: of.waiting.toReversed(),
          running: of.running.toReversed(),
          hosts: of.hosts.toReversed(),
          usage: of.usage.toReversed(),
        };
        const { starts, reservations, waiting } = plan(turned);
        const made = plan(of);
        expect(starts).toEqual(made.starts);
        expect(reservations).toEqual(made.reservations);
        expect(waiting.map(({ id, position }) => [id, position])).toEqual(
          made.waiting.map(({ id, position }) => [id, position]),
        );
      }),
    );
  });

  test("S-16: what starts around a reservation does not delay it by its own estimate", () => {
    fc.assert(
      fc.property(someSnapshot, (of) => {
        const made = plan(of);
        for (const [i, { startsAt }] of made.reservations.entries()) {
          const free = freeAt(of, startsAt);
          const holders = [
            ...made.starts.filter(({ id }) => now + byId(of, id).estimateMs > startsAt),
            ...made.reservations
              .slice(0, i)
              .filter((one) => one.startsAt + byId(of, one.id).estimateMs > startsAt),
            made.reservations[i],
          ];
          for (const { hostId, units } of holders.flatMap((one) => one?.parts ?? [])) {
            free.set(hostId, (free.get(hostId) ?? 0) - units);
          }
          expect(Math.min(...free.values())).toBeGreaterThanOrEqual(0);
        }
      }),
    );
  });

  test("S-13: caps, quotas and budgets are never exceeded by what starts", () => {
    fc.assert(
      fc.property(someSnapshot, (of) => {
        const started = plan(of).starts.map(({ id }) => byId(of, id));
        for (const limit of of.limits) {
          const of1 = started.filter((one) => concerns(limit, one));
          const held = of.running
            .filter((one) => concerns(limit, one))
            .flatMap(({ parts }) => parts)
            .reduce((sum, { units }) => sum + units, 0);
          const units = of1.reduce((sum, one) => sum + one.units, 0);
          const unitMs = of1.reduce((sum, one) => sum + one.units * one.estimateMs, 0);
          if (of1.length === 0) continue;
          expect(held + units).toBeLessThanOrEqual(limit.unitsMax ?? Infinity);
          expect(unitMs).toBeLessThanOrEqual(limit.unitMsLeft ?? Infinity);
          const fen = (BigInt(unitMs) * 700n) / 3_600_000n;
          expect(fen <= (limit.fenLeft ?? fen)).toBe(true);
        }
      }),
    );
  });
});

function concerns(
  limit: Limit,
  one: { readonly tenantId: string; readonly projectId: string; readonly pool: string },
): boolean {
  return (
    limit.tenantId === one.tenantId &&
    (limit.projectId ?? one.projectId) === one.projectId &&
    (limit.pool ?? one.pool) === one.pool
  );
}

function codes(of: Snapshot): string[] {
  return plan(of).waiting.map((waiting) => reasonOf(waiting).code);
}

describe("answers", () => {
  test.each([0, -1, 1.5, Number.NaN])("%d units are senseless, and block nobody", (units) => {
    const made = plan(snapshot({ waiting: [work({ units }), work({ id: "x" })] }));
    expect(made.starts.map(({ id }) => id)).toEqual(["x"]);
    expect(made.waiting.map((waiting) => reasonOf(waiting).code)).toEqual(["senseless"]);
  });

  test("what no empty pool could hold says so and keeps no room", () => {
    const waiting = [
      work({ id: "wide", units: 16 }),
      work({ id: "gang", units: 25, gang: true }),
      work({ id: "elsewhere", pool: "H100" }),
    ];
    expect(codes(snapshot({ waiting }))).toEqual(["fits_never", "fits_never", "fits_never"]);
    expect(plan(snapshot({ waiting })).reservations).toEqual([]);
  });

  test("reasons come with the numbers", () => {
    const ends = now + 10 * hourMs;
    const held = [running("a", 7, ends), running("b", 8, ends), running("c", 8, ends)];
    const waiting = [
      work({ id: "head", units: 8, askedAt: 0 }),
      work({ id: "head2", units: 24, gang: true, askedAt: 1 }),
      work({ id: "long", estimateMs: 20 * hourMs }),
      work({ id: "two", units: 2, askedAt: now }),
      work({ id: "capped", tenantId: "cyd" }),
    ];
    const limits = [{ tenantId: "cyd", unitsMax: 0 }];
    const of = snapshot({ waiting, running: held, limits });
    const reasons = new Map(plan(of).waiting.map((one) => [one.id, reasonOf(one)]));
    expect(reasons.get("head")).toMatchObject({ code: "reserved", details: { startsAt: ends } });
    expect(reasons.get("long")).toMatchObject({ code: "would_delay" });
    expect(reasons.get("two")).toMatchObject({ code: "no_room", details: { free: 1, largest: 1 } });
    expect(reasons.get("capped")).toMatchObject({ code: "quota_held", details: { heldMax: 0 } });
  });

  test("start ranges are ordered, and the first in line starts at its reservation at the latest", () => {
    fc.assert(
      fc.property(someSnapshot, (of) => {
        const made = plan(of);
        const ranges = forecast(of, made, () => ({ quick: 0.1, usual: 0.4 }));
        for (const { earliest, likely, latest } of ranges.values()) {
          expect(earliest).toBeGreaterThanOrEqual(of.now);
          expect(likely).toBeGreaterThanOrEqual(earliest);
          expect(latest).toBeGreaterThanOrEqual(likely);
        }
        for (const { id, startsAt } of made.reservations.slice(0, 1)) {
          expect(ranges.get(id)?.latest).toBe(startsAt);
        }
      }),
    );
  });
});
