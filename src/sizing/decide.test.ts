/** What a history of looks comes to, and what the platform may do about it by itself. */
import fc from "fast-check";
import { expect, test } from "vitest";

import { fen } from "#kernel/money.ts";
import type { Activity } from "#providers/provider.ts";
import { aShape } from "#test/place-states.ts";

import { adviceOf, bestOf, decide, neededOf, type Facts, type Rules, type Size } from "./decide.ts";
import { emptyHistogram, halfLifeMs, percentile, withSample } from "./histogram.ts";
import { look, type Looked } from "./looks.ts";
import { confidenceOf, sizesOf, type Sizes } from "./recommend.ts";

const start = Date.parse("2026-05-04T10:00:00Z");
const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const mib = 2 ** 20;
const lease = { instanceId: "m", vcpus: 4, memoryMiB: 8_192 };

/** Looked at every five minutes; `use` says what it does in that hour. */
function watched(
  hours: number,
  use: (hour: number) => { readonly cores: number | null; readonly mib: number | null },
): { readonly looked: Looked; readonly now: number } {
  let before: Looked | undefined;
  let cpuSeconds = 0;
  let now = start;
  for (let minute = 0; minute <= hours * 60; minute += 5) {
    now = start + minute * minuteMs;
    const { cores, mib: memory } = use(Math.max(0, minute - 1) / 60);
    cpuSeconds += minute === 0 ? 0 : (cores ?? 0) * 300;
    const activity: Activity = {
      machineId: "m",
      at: now,
      cpuSeconds: cores === null ? null : cpuSeconds,
      networkBytes: 0,
      memoryBytes: memory === null ? null : memory * mib,
      gpuShare: null,
      sessions: 0,
      seenBy: { cpu: "t", network: "t", memory: "t", gpu: "t", sessions: "t" },
    };
    before = look({ before, activity, lease, now });
  }
  if (before === undefined) throw new Error("never looked at");
  return { looked: before, now };
}

function sizesAfter(...ask: Parameters<typeof watched>): Sizes {
  const { looked, now } = watched(...ask);
  return sizesOf(looked.history, now);
}

test("S-03: the target is what it used in nine of ten looks, and 15 % more", () => {
  const sizes = sizesAfter(7 * 24, (hour) => ({ cores: hour % 10 < 9 ? 1 : 3, mib: 2_000 }));
  const { milliCpus, memoryMiB } = sizes;
  // Buckets are 5 % wide.
  expect(milliCpus?.lower).toBeGreaterThanOrEqual(1_150);
  expect(milliCpus?.lower).toBeLessThan(1_150 * 1.06);
  expect(milliCpus?.upper).toBeGreaterThanOrEqual(3_000 * 1.15);
  expect(memoryMiB?.target).toBeGreaterThanOrEqual(2_300);
  expect(memoryMiB?.target).toBeLessThan(2_300 * 1.06);
  expect(confidenceOf(sizes.days)).toBe("high");
});

test("S-03: the longer it was looked at, the nearer the bounds stand", () => {
  const widths = [1, 6, 24, 24 * 7].map((hours) => {
    const { milliCpus, days } = sizesAfter(hours, () => ({ cores: 1, mib: 2_000 }));
    const [lower, upper] = [milliCpus?.lower ?? 0, milliCpus?.upper ?? 0];
    return { width: upper / lower, confidence: confidenceOf(days) };
  });
  const [hour, six, day, week] = widths.map(({ width }) => width);
  expect(hour).toBeGreaterThan(six ?? 0);
  expect(six).toBeGreaterThan(day ?? 0);
  expect(day).toBeGreaterThan(week ?? 0);
  expect(widths.map(({ confidence }) => confidence)).toEqual(["low", "low", "medium", "high"]);
});

test("S-03: what was long ago is forgotten, a peak of memory slower than of CPU", () => {
  const busy = 24;
  const use = (hour: number): { cores: number; mib: number } =>
    hour < busy ? { cores: 3, mib: 6_000 } : { cores: 0.5, mib: 1_000 };
  expect(sizesAfter(busy, use).milliCpus?.target).toBeGreaterThan(3_000);
  const later = sizesAfter(busy + 24 * 5, use);
  expect(later.milliCpus?.target).toBeLessThan(700);
  expect(later.memoryMiB?.target).toBeLessThan(1_300);
  const next = sizesAfter(busy + 30, use);
  expect(next.memoryMiB?.target).toBeGreaterThan(6_000);
});

test("S-03: what nobody can see is unknown: never zero, never taken away", () => {
  const sizes = sizesAfter(48, () => ({ cores: 0.1, mib: null }));
  expect(sizes.memoryMiB).toBeNull();
  const has = { vcpus: 4, memoryMiB: 8_192 };
  expect(adviceOf(sizes, has)).toBe("shrink");
  expect(neededOf(sizes, has, "shrink")).toEqual({ vcpus: 1, memoryMiB: 8_192 });
  const blind = sizesAfter(48, () => ({ cores: null, mib: null }));
  expect(blind).toEqual({ milliCpus: null, memoryMiB: null, days: 0 });
  expect(adviceOf(blind, has)).toBe("unknown");
});

test("S-03: a look after a gap, of another machine, or of a counter begun anew says nothing of CPU", () => {
  const { looked, now } = watched(1, () => ({ cores: 1, mib: 1_000 }));
  const at = { lease, now: now + 5 * minuteMs };
  const activity: Activity = {
    machineId: "m",
    at: at.now,
    cpuSeconds: 3_600 + 300,
    networkBytes: 0,
    memoryBytes: mib,
    gpuShare: 0.25,
    sessions: 2,
    seenBy: { cpu: "t", network: "t", memory: "t", gpu: "t", sessions: "t" },
  };
  const cpuOf = (change: Partial<Parameters<typeof look>[0]>): number | null =>
    look({ before: looked, activity, ...at, ...change }).figures.cpu;
  expect(look({ before: looked, activity, ...at }).figures).toMatchObject({
    cpu: 25,
    gpu: 25,
    sessions: 2,
  });
  expect(cpuOf({ now: now + hourMs })).toBeNull();
  expect(cpuOf({ now: now - minuteMs })).toBeNull();
  expect(cpuOf({ lease: { ...lease, instanceId: "other" } })).toBeNull();
  expect(cpuOf({ activity: { ...activity, cpuSeconds: 5 } })).toBeNull();
  expect(look({ before: looked, activity: undefined, ...at }).figures).toEqual({
    cpu: null,
    memory: null,
    gpu: null,
    sessions: null,
  });
});

test("S-03: a histogram is as near to the truth as its buckets, in any order, at any age", () => {
  const samples = fc.array(
    fc.record({
      value: fc.double({ min: 0, max: 1e6, noNaN: true }),
      agoMs: fc.nat({ max: 60 * halfLifeMs }),
    }),
    { minLength: 1, maxLength: 60 },
  );
  fc.assert(
    fc.property(samples, fc.double({ min: 0.05, max: 1, noNaN: true }), (all, share) => {
      const add = (list: typeof all): number =>
        percentile(
          list.reduce(
            (sum, { value, agoMs }) => withSample(sum, { value, weight: 1, at: start - agoMs }),
            emptyHistogram(start),
          ),
          share,
        );
      const found = add(all);
      const largest = Math.max(...all.map(({ value }) => value));
      expect(found).toBeLessThanOrEqual(largest * 1.05 + 11);
      const same = all.map((each) => ({ ...each, agoMs: 0 }));
      const sorted = same.map(({ value }) => value).toSorted((a, b) => a - b);
      const truth = sorted[Math.ceil(share * sorted.length - 1e-9) - 1] ?? 0;
      expect(add(same)).toBeGreaterThanOrEqual(truth * (1 - 1e-9));
      expect(add(same.toReversed())).toBe(add(same));
    }),
  );
});

const sold: readonly Size[] = [
  { flavor: "small", vcpus: 1, memoryMiB: 1_024, diskGiB: 1, hourly: fen(100n) },
  { flavor: "medium", vcpus: 2, memoryMiB: 2_048, diskGiB: 2, hourly: fen(200n) },
  { flavor: "large", vcpus: 4, memoryMiB: 8_192, diskGiB: 1, hourly: fen(400n) },
  { flavor: "wide", vcpus: 8, memoryMiB: 8_192, diskGiB: 1, hourly: fen(900n) },
];
const rules: Rules = {
  vcpusMin: 1,
  vcpusMax: 8,
  memoryMiBMin: 1_024,
  memoryMiBMax: 8_192,
  hourlyMax: fen(500n),
  cooldownMs: hourMs,
  noticeMs: 15 * minuteMs,
};
const sure = { lower: 1_400, target: 1_800, upper: 2_000 };
const can = { can: true, because: "" };

function facts(change: Partial<Facts> = {}): Facts {
  return {
    sizes: { milliCpus: sure, memoryMiB: { lower: 500, target: 700, upper: 1_024 }, days: 3 },
    shape: aShape({ flavor: "small", vcpus: 1, memoryMiB: 1_024, diskGiB: 1 }),
    hourly: fen(100n),
    sold,
    power: "running",
    changing: false,
    cpuLive: can,
    memoryLive: can,
    diskLive: can,
    rules,
    announced: null,
    resizedAt: null,
    now: start,
    ...change,
  };
}

const announced = { flavor: "medium", hourly: fen(200n), at: start - hourMs };

test("S-03: the cheapest flavor that is enough is what is recommended", () => {
  expect(bestOf(sold, { vcpus: 2, memoryMiB: 1_024 })?.flavor).toBe("medium");
  expect(bestOf(sold, { vcpus: 1, memoryMiB: 4_000 })?.flavor).toBe("large");
  expect(bestOf(sold, { vcpus: 16, memoryMiB: 1 })).toBeUndefined();
});

test("S-03: first the change and its price are said, then it is done, and then there is a rest", () => {
  const first = decide(facts());
  expect(first).toMatchObject({ does: "announce", to: { flavor: "medium", hourly: 200n } });
  const justSaid = { ...announced, at: start - minuteMs };
  expect(decide(facts({ announced: justSaid })).does).toBe("nothing");
  expect(decide(facts({ announced }))).toMatchObject({ does: "resize", to: { flavor: "medium" } });
  // Another price than was said is said anew.
  const cheaper = { ...announced, hourly: fen(150n) };
  expect(decide(facts({ announced: cheaper })).does).toBe("announce");
  expect(decide(facts({ announced, resizedAt: start - minuteMs })).does).toBe("nothing");
});

test.each<[string, Partial<Facts>, RegExp]>([
  [
    "CPUs are not added while it runs",
    { cpuLive: { can: false, because: "old" } },
    /restart|adds no CPUs.*old/,
  ],
  ["its disk cannot grow while it runs", { diskLive: { can: false, because: "old" } }, /no disk/],
  ["there is little history", { sizes: { ...facts().sizes, days: 0.1 } }, /looked at/],
  ["it would cost more than was allowed", { rules: { ...rules, hourlyMax: fen(150n) } }, /bounds/],
  ["it has as many CPUs as it may", { rules: { ...rules, vcpusMax: 1 } }, /bounds allow/],
  ["a resize is under way", { changing: true }, /being resized/],
  ["it is stopped", { power: "stopped" }, /stopped/],
  ["it starts or stops", { power: "other" }, /neither/],
  ["it is of the right size", { shape: aShape({ vcpus: 2, memoryMiB: 1_024 }) }, /right size/],
  [
    "nothing is known",
    { sizes: { milliCpus: null, memoryMiB: null, days: 0 } },
    /nobody could see/,
  ],
])("S-03: nothing is done by itself where %s", (_, change, because) => {
  const act = decide(facts({ announced, ...change }));
  expect(act).toMatchObject({ does: "nothing", because: expect.stringMatching(because) });
});

test("S-03: a machine that runs is never made smaller; one that is stopped is", () => {
  const idle = {
    sizes: {
      milliCpus: { lower: 100, target: 300, upper: 500 },
      memoryMiB: { lower: 200, target: 500, upper: 900 },
      days: 8,
    },
    shape: aShape({ flavor: "large", vcpus: 4, memoryMiB: 8_192 }),
    hourly: fen(400n),
  };
  expect(decide(facts(idle)).does).toBe("nothing");
  expect(decide(facts({ ...idle, power: "stopped" }))).toMatchObject({
    does: "announce",
    to: { flavor: "small" },
  });
});

test("S-03: whatever was seen, nothing needs a restart, breaks a bound or costs more than allowed", () => {
  const bounds = fc
    .array(fc.integer({ min: 1, max: 9_000 }), { minLength: 3, maxLength: 3 })
    .map((three) => {
      const [lower = 0, target = 0, upper = 0] = three.toSorted((a, b) => a - b);
      return { lower, target, upper };
    });
  const able = fc.boolean().map((yes) => ({ can: yes, because: "no" }));
  const asks = fc.record({
    milliCpus: fc.option(bounds),
    memoryMiB: fc.option(bounds),
    at: fc.constantFrom(...sold),
    power: fc.constantFrom("running" as const, "stopped" as const, "other" as const),
    cpuLive: able,
    memoryLive: able,
    vcpusMax: fc.integer({ min: 1, max: 10 }),
    memoryMiBMax: fc.constantFrom(1_024, 2_048, 8_192),
    hourlyMax: fc.constantFrom(fen(100n), fen(200n), fen(500n), fen(2_000n)),
  });
  let resizes = 0;
  fc.assert(
    fc.property(asks, ({ milliCpus, memoryMiB, at, power, cpuLive, memoryLive, ...limits }) => {
      const shape = aShape({ flavor: at.flavor, vcpus: at.vcpus, memoryMiB: at.memoryMiB });
      const ask = facts({
        sizes: { milliCpus, memoryMiB, days: 2 },
        shape,
        power,
        cpuLive,
        memoryLive,
        rules: { ...rules, ...limits },
      });
      const first = decide(ask);
      if (first.does === "nothing") return;
      expect(first.does).toBe("announce");
      const { to } = first;
      const said = { flavor: to.flavor, hourly: to.hourly, at: start - hourMs };
      expect(decide({ ...ask, announced: said })).toEqual({ does: "resize", to });
      resizes += 1;
      expect(power).not.toBe("other");
      expect(to.hourly).toBeLessThanOrEqual(limits.hourlyMax);
      const isSmaller = to.vcpus <= at.vcpus && to.memoryMiB <= at.memoryMiB;
      const isLarger = to.vcpus >= at.vcpus && to.memoryMiB >= at.memoryMiB;
      expect(power === "stopped" ? isSmaller : isLarger).toBe(true);
      // More than it has is within bounds, and added while it runs.
      const cpusMay = to.vcpus <= at.vcpus || (cpuLive.can && to.vcpus <= limits.vcpusMax);
      const memoryMay =
        to.memoryMiB <= at.memoryMiB || (memoryLive.can && to.memoryMiB <= limits.memoryMiBMax);
      expect({ cpusMay, memoryMay }).toEqual({ cpusMay: true, memoryMay: true });
    }),
    { numRuns: 2_000 },
  );
  expect(resizes).toBeGreaterThan(30);
});
