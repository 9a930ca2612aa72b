/** The rules alone: the autoscaler's algorithm case by case, and random histories of looks. */
import fc from "fast-check";
import { expect, test } from "vitest";

import { decide, replaceRestMs, type Facts, type Member, type Rules } from "./decide.ts";

const start = Date.parse("2026-05-04T10:00:00Z");
const secondMs = 1_000;
const minuteMs = 60_000;

const atOnce = { stabilizationMs: 0, cooldownMs: 0 };
const rules: Rules = {
  targets: [{ signal: "cpu", value: 50 }],
  scaleOut: atOnce,
  scaleIn: atOnce,
};

function member(ordinal: number, cpu: number | null, change: Partial<Member> = {}): Member {
  return { ordinal, leaseId: `lease-${ordinal}`, phase: "ready", figures: { cpu }, ...change };
}

function members(...cpus: readonly (number | null)[]): Member[] {
  return cpus.map((cpu, ordinal) => member(ordinal, cpu));
}

function facts(all: readonly Member[], change: Partial<Facts> = {}): Facts {
  return {
    min: 1,
    max: 20,
    wanted: all.length,
    rules,
    standing: { advice: [], outAt: null, inAt: null },
    members: all,
    lostJoinedAt: new Map(),
    now: start,
    ...change,
  };
}

/** Looked at often enough that no window holds it back. */
function wantedOf(all: readonly Member[], change: Partial<Facts> = {}): number {
  const before = facts(all, change);
  const standing = { advice: [{ wanted: 0, from: 0, until: 0 }], outAt: null, inAt: null };
  return decide({ ...before, standing }).wanted;
}

test.each<[string, readonly Member[], number]>([
  ["twice the target takes twice as many", members(100, 100), 4],
  ["half of it takes half", members(25, 25, 25, 25), 2],
  ["10 % off is near enough", members(55, 55), 2],
  ["and so is 10 % below", members(45, 45, 45), 3],
  ["a part of a member is a whole one", members(60, 60, 60), 4],
  ["one that is not seen takes nothing when there is too much to do", members(95, 95, null), 4],
  ["one that is not seen works with all it has when there is too little", members(20, 20, null), 3],
  ["nobody seen: as many as before", members(null, null), 2],
  [
    "who starts takes his part soon",
    [...members(90, 90), member(2, null, { phase: "starting" })],
    4,
  ],
  [
    "who starts is no reason to shrink",
    [...members(70), member(1, null, { phase: "starting" })],
    2,
  ],
  ["who is stopped does not count", [...members(100), member(1, null, { phase: "stopped" })], 2],
  ["at most twice as many at once", members(...Array.from({ length: 6 }, () => 500)), 12],
  ["or four more", members(500), 5],
])("S-02: %s", (_, all, wanted) => {
  expect(wantedOf(all)).toBe(wanted);
});

function withoutMemory(cpu: number): Member[] {
  return [0, 1].map((ordinal) => member(ordinal, cpu, { figures: { cpu, memory: null } }));
}

test("S-02: of several signals the one that asks for the most decides", () => {
  const both: Rules = { ...rules, targets: [...rules.targets, { signal: "memory", value: 50 }] };
  const all = [0, 1].map((ordinal) => member(ordinal, 20, { figures: { cpu: 20, memory: 90 } }));
  expect(wantedOf(all, { rules: both })).toBe(4);
  // One that nobody sees keeps it from shrinking, and not from growing.
  expect(wantedOf(withoutMemory(10), { rules: both })).toBe(2);
  expect(wantedOf(withoutMemory(100), { rules: both })).toBe(4);
});

function withSessions(sessions: number | null, ordinal: number): Member {
  return member(ordinal, null, { figures: { sessions } });
}

test("S-02: sessions are counted, and who cannot be seen is taken for a full one", () => {
  const perMember: Rules = { ...rules, targets: [{ signal: "sessions", value: 10 }] };
  expect(wantedOf([25, 15].map(withSessions), { rules: perMember })).toBe(4);
  expect(wantedOf([2, 2, null].map(withSessions), { rules: perMember })).toBe(2);
});

test("S-02: never fewer than the least, never more than the most, whatever is measured", () => {
  expect(wantedOf(members(500, 500), { max: 3 })).toBe(3);
  expect(wantedOf(members(0, 0, 0), { min: 2 })).toBe(2);
  // Rules bring no group to nothing, because they could not bring it back; a customer may.
  expect(wantedOf(members(0, 0), { min: 0 })).toBe(1);
  expect(decide(facts([], { min: 0, wanted: 0 })).wanted).toBe(0);
  // The bounds were changed: that is done at once.
  const cooling = { advice: [], outAt: start, inAt: start };
  const slow = { stabilizationMs: 3_600_000, cooldownMs: 3_600_000 };
  const held = { rules: { ...rules, scaleOut: slow, scaleIn: slow }, standing: cooling };
  expect(decide(facts(members(50, 50, 50), { max: 2, ...held })).wanted).toBe(2);
  expect(decide(facts(members(50), { min: 3, ...held })).wanted).toBe(3);
});

test("S-02: without targets the customer alone says how many", () => {
  const byHand: Rules = { ...rules, targets: [] };
  const decision = decide(facts(members(500, 500), { rules: byHand, wanted: 5 }));
  expect(decision).toMatchObject({ wanted: 5, create: [2, 3, 4], release: [] });
});

test("S-02: numbers are without gaps; the highest goes first, a lost one comes back as itself", () => {
  const byHand: Rules = { ...rules, targets: [] };
  const all = members(1, 1, 1, 1);
  const fewer = decide(facts(all, { rules: byHand, wanted: 2 }));
  expect(fewer.release.map(({ ordinal }) => ordinal)).toEqual([3, 2]);
  expect(fewer.create).toEqual([]);
  const lost = all.map((each) => (each.ordinal === 1 ? { ...each, phase: "lost" as const } : each));
  const lostJoinedAt = new Map([[1, start - replaceRestMs]]);
  const replaced = decide(facts(lost, { rules: byHand, lostJoinedAt }));
  expect(replaced.create).toEqual([1]);
  expect(replaced.lost.map(({ ordinal }) => ordinal)).toEqual([1]);
  // Not again and again.
  const again = new Map([[1, start - replaceRestMs + 1]]);
  expect(decide(facts(lost, { rules: byHand, lostJoinedAt: again })).create).toEqual([]);
  // One that is on its way out still has the number, and is not released twice.
  const leaving = all.map((each) =>
    each.ordinal === 3 ? { ...each, phase: "leaving" as const } : each,
  );
  expect(decide(facts(leaving, { rules: byHand, wanted: 3 })).release).toEqual([]);
  expect(decide(facts(leaving, { rules: byHand, wanted: 4 })).create).toEqual([]);
});

/** Looks every 15 seconds; the load is shared by the members that are there. */
function play(
  loads: readonly (number | null)[],
  change: { readonly rules: Rules; readonly wanted: number },
): { readonly wanted: number[]; readonly standing: Facts["standing"] } {
  let { wanted } = change;
  let standing: Facts["standing"] = { advice: [], outAt: null, inAt: null };
  const seen: number[] = [];
  let now = start;
  for (const load of loads) {
    const each = load === null ? null : load / Math.max(1, wanted);
    const all = Array.from({ length: wanted }, (_, ordinal) => member(ordinal, each));
    ({ wanted, standing } = decide(facts(all, { ...change, wanted, standing, now })));
    seen.push(wanted);
    now += 15 * secondMs;
  }
  return { wanted: seen, standing };
}

test("S-02: it shrinks to the most that was needed within the window, and not before", () => {
  const careful: Rules = { ...rules, scaleIn: { stabilizationMs: 5 * minuteMs, cooldownMs: 0 } };
  const { wanted } = play([...Array.from({ length: 20 }, () => 50), 100, ...quiet(40)], {
    rules: careful,
    wanted: 4,
  });
  // 4 as made, held for five minutes; then 2, because that was needed for a moment; then 1.
  expect(wanted.slice(0, 20)).toEqual(Array.from({ length: 20 }, () => 4));
  expect(wanted[21]).toBe(2);
  expect(wanted.slice(21, 40)).toEqual(Array.from({ length: 19 }, () => 2));
  expect(wanted.at(-1)).toBe(1);
});

test("S-02: cooldowns hold back the next change in their direction", () => {
  const slow: Rules = {
    ...rules,
    scaleOut: { stabilizationMs: 0, cooldownMs: 2 * minuteMs },
    scaleIn: { stabilizationMs: 0, cooldownMs: minuteMs },
  };
  const { wanted } = play(
    Array.from({ length: 40 }, () => 2_000),
    { rules: slow, wanted: 1 },
  );
  expect(wanted.slice(0, 9)).toEqual([...Array.from({ length: 8 }, () => 5), 10]);
  const changes = play([...quiet(1), 400, 100, 100, 100, 100, 100], { rules: slow, wanted: 1 });
  // Grown at the second look: no shrinking for a minute after it.
  expect(changes.wanted).toEqual([1, 5, 5, 5, 5, 2, 2]);
});

function quiet(count: number): number[] {
  return Array.from({ length: count }, () => 1);
}

test("S-02: whatever is seen, and whatever the clock does, it stays within bounds and settles", () => {
  const load = fc.option(fc.nat({ max: 3_000 }), { nil: null });
  const windows = fc.record({
    stabilizationMs: fc.constantFrom(0, minuteMs, 5 * minuteMs),
    cooldownMs: fc.constantFrom(0, minuteMs, 5 * minuteMs),
  });
  fc.assert(
    fc.property(
      fc.array(load, { maxLength: 60 }),
      windows,
      windows,
      fc.integer({ min: 1, max: 20 }),
      fc.integer({ min: 1, max: 1_500 }),
      (loads, scaleOut, scaleIn, wanted, steady) => {
        const all = { ...rules, scaleOut, scaleIn };
        const settled = Array.from({ length: 400 }, () => steady);
        const { wanted: seen, standing } = play([...loads, ...settled], { rules: all, wanted });
        expect(seen.every((each) => each >= 1 && each <= 20)).toBe(true);
        // At the end the load is within the tolerance of the target, or nearest to it by whole members.
        const end = seen.at(-1) ?? 0;
        const least = Math.min(20, Math.max(1, Math.ceil(steady / 55 - 1e-6)));
        expect(end).toBeGreaterThanOrEqual(least);
        expect(end).toBeLessThanOrEqual(Math.max(least, Math.ceil(steady / 45)));
        expect(standing.advice.length).toBeLessThan(50);
      },
    ),
    { numRuns: 200 },
  );
});

test("S-02: a clock that goes back holds nothing up", () => {
  const slow = { stabilizationMs: 5 * minuteMs, cooldownMs: 5 * minuteMs };
  const later = start + 3_600_000;
  const standing = {
    advice: [{ wanted: 2, from: later, until: later }],
    outAt: later,
    inAt: later,
  };
  const all: Rules = { ...rules, scaleOut: { ...slow, stabilizationMs: 0 }, scaleIn: slow };
  expect(decide(facts(members(100, 100), { rules: all, standing })).wanted).toBe(4);
});
