/** Who ends for whom, over random hosts: against every set there is. */
import fc from "fast-check";
import { expect, test } from "vitest";

import { usualJobPolicy } from "#contract/schemas/job-policy.ts";

import { chooseVictims, lostUnitMs, type Running, type Waiting } from "./preempt.ts";
import { workClasses } from "./work.ts";

const now = 10_000_000;
const policy = usualJobPolicy.preemption;
const waiting: Waiting = {
  id: "w",
  workClass: "diamond",
  waitedMs: 120_000,
  hasVictims: false,
};

function running(change: Partial<Running> = {}): Running {
  return {
    id: "a",
    kind: "job",
    hostId: "h",
    workClass: "ordinary",
    preemptible: true,
    units: 1,
    startedAt: now - 100_000,
    checkpointAt: null,
    preemptions: 0,
    told: false,
    ...change,
  };
}

/** Room in units, as the pool counts it. */
function roomFor(needed: number, free: ReadonlyMap<string, number>) {
  return (hostId: string, without: readonly Running[]): boolean => {
    const freed = without
      .filter((each) => each.hostId === hostId)
      .reduce((sum, { units }) => sum + units, 0);
    return (free.get(hostId) ?? 0) + freed >= needed;
  };
}

function choose(all: readonly Running[], needed: number, change: Partial<typeof policy> = {}) {
  return chooseVictims({
    now,
    waiting,
    running: all,
    policy: { ...policy, ...change },
    fits: roomFor(needed, new Map()),
  });
}

test("S-05: the least lost work ends: since the start, or since the last checkpoint", () => {
  const long = running({ id: "long", startedAt: now - 900_000 });
  const saved = running({ id: "saved", startedAt: now - 900_000, checkpointAt: now - 10_000 });
  const wide = running({ id: "wide", units: 2, startedAt: now - 90_000 });
  expect(choose([long, saved, wide], 1)?.victims).toEqual([saved]);
  expect(choose([long, wide], 1)).toMatchObject({ victims: [wide], lostUnitMs: 180_000 });
  expect(
    choose([long, saved, wide], 3)
      ?.victims.map(({ id }) => id)
      .toSorted(),
  ).toEqual(["saved", "wide"]);
});

test.each([
  ["a lease", { kind: "lease" }, {}],
  ["a job that did not say it is preemptible", { preemptible: false }, {}],
  ["work of its own class", { workClass: "diamond" }, {}],
  ["who was told already", { told: true }, {}],
  ["what has not started", { startedAt: null }, {}],
  ["what has just started", { startedAt: now - 1_000 }, {}],
  ["who was preempted often enough", { preemptions: 3 }, {}],
  ["anybody, when the operator says so", {}, { enabled: false }],
] as const)("S-05: %s is never preempted", (_, change, rules) => {
  expect(choose([running(change)], 1, rules)).toBeUndefined();
  expect(choose([running()], 1)).toBeDefined();
});

test("S-05: with the operator's word also a job that did not say it", () => {
  expect(choose([running({ preemptible: false })], 1, { victims: "any" })).toBeDefined();
});

test("S-05: nobody ends for who has just come, or for whom others end already", () => {
  const all = { now, running: [running()], policy, fits: roomFor(1, new Map()) };
  for (const change of [
    { waitedMs: 1 },
    { hasVictims: true },
    { workClass: "ordinary" as const },
  ]) {
    expect(chooseVictims({ ...all, waiting: { ...waiting, ...change } })).toBeUndefined();
  }
});

const attempt = fc.record({
  kind: fc.constantFrom("job" as const, "job" as const, "lease" as const),
  hostId: fc.constantFrom("h1", "h2"),
  workClass: fc.constantFrom(...workClasses),
  preemptible: fc.boolean(),
  units: fc.integer({ min: 1, max: 4 }),
  startedAt: fc.option(fc.integer({ min: now - 200_000, max: now }), { nil: null }),
  checkpointAt: fc.option(fc.integer({ min: now - 50_000, max: now }), { nil: null }),
  preemptions: fc.integer({ min: 0, max: 4 }),
  told: fc.boolean(),
});

function subsets<T>(of: readonly T[]): T[][] {
  return of.reduce<T[][]>((all, each) => [...all, ...all.map((set) => [...set, each])], [[]]);
}

test("S-05: of all that the policy allows the cheapest makes room, and nobody ends in vain", () => {
  fc.assert(
    fc.property(
      fc.array(attempt, { maxLength: 7 }),
      fc.integer({ min: 1, max: 8 }),
      fc.integer({ min: 1, max: 4 }),
      fc.constantFrom("marked" as const, "any" as const),
      fc.integer({ min: 0, max: 2 }),
      (drafts, needed, atOnceMax, victims, free) => {
        const all = drafts.map((draft, index) => ({ ...draft, id: `a${index}` }));
        const rules = { ...policy, atOnceMax, victims };
        const fits = roomFor(needed, new Map([["h1", free]]));
        const chosen = chooseVictims({ now, waiting, running: all, policy: rules, fits });
        const allowed = all.filter(
          (each) =>
            each.kind === "job" &&
            !each.told &&
            each.startedAt !== null &&
            now - each.startedAt >= policy.ranSecondsMin * 1000 &&
            each.preemptions < policy.perJobMax &&
            (victims === "any" || each.preemptible) &&
            each.workClass !== "diamond",
        );
        const costs = subsets(allowed)
          .filter((set) => set.length > 0 && set.length <= atOnceMax)
          .filter((set) => new Set(set.map(({ hostId }) => hostId)).size === 1)
          .filter((set) => fits(set[0]?.hostId ?? "", set))
          .map((set) => set.reduce((sum, each) => sum + lostUnitMs(each, now), 0));
        const ending = chosen?.victims ?? [];
        const hostId = chosen?.hostId ?? "";
        expect(chosen?.lostUnitMs).toBe(costs.length === 0 ? undefined : Math.min(...costs));
        expect(allowed).toEqual(expect.arrayContaining([...ending]));
        expect(chosen === undefined || fits(hostId, ending)).toBe(true);
        const inVain = ending.filter((victim) => {
          const others = ending.filter((each) => each !== victim);
          return others.length > 0 && fits(hostId, others);
        });
        expect(inVain).toEqual([]);
      },
    ),
  );
});
