/** The rules alone: random histories of looks, with gaps, missing figures, restarts and odd clocks. */
import fc from "fast-check";
import { expect, test } from "vitest";

import type { Activity } from "#providers/provider.ts";

import { decide, eligibility, type Standing } from "./decide.ts";
import type { Rules } from "./rules.ts";
import { gapMaxMs, idleSince, look, type Looked } from "./signals.ts";

const hourMs = 3_600_000;
const minuteMs = 60_000;
const start = Date.parse("2026-05-04T10:00:00Z");
const instanceId = "m";

const rules: Rules = {
  windowHours: 1,
  warningHours: 1,
  keepDays: 7,
  cpuPercent: 5,
  networkBytesPerSecond: 1_000,
  gpuPercent: 1,
  exemptions: "allowed",
};

/** What a machine does between two looks. */
interface Doing {
  readonly minutes: number;
  readonly cpuPercent: number | null;
  readonly network: number | null;
  readonly gpuShare: number | null;
  readonly sessions: number | null;
  readonly said: boolean;
  /** Its counters began anew. */
  readonly restarted: boolean;
}

const quiet: Doing = {
  minutes: 1,
  cpuPercent: 1,
  network: 10,
  gpuShare: 0,
  sessions: 0,
  said: true,
  restarted: false,
};

function times(count: number, doing: Doing = quiet): Doing[] {
  return Array.from({ length: count }, () => doing);
}

function isQuiet(doing: Doing, hasGpu: boolean): boolean {
  return (
    doing.said &&
    !doing.restarted &&
    doing.minutes > 0 &&
    doing.minutes * minuteMs <= gapMaxMs &&
    doing.cpuPercent !== null &&
    doing.cpuPercent < rules.cpuPercent &&
    doing.network !== null &&
    doing.network < rules.networkBytesPerSecond &&
    doing.sessions === 0 &&
    (!hasGpu || (doing.gpuShare !== null && doing.gpuShare * 100 < rules.gpuPercent))
  );
}

interface Life {
  readonly released: number[];
  readonly warned: number[];
  readonly takenBack: number[];
  readonly standing: Standing;
  readonly looked: Looked;
  readonly now: number;
}

/** Plays a history; each snapshot is ready by the next look. */
function play(doings: readonly Doing[], hasGpu = true): Life {
  const [released, warned, takenBack]: [number[], number[], number[]] = [[], [], []];
  let standing: Standing = { stage: "watching", since: start, releaseAt: null, snapshotId: null };
  let looked: Looked = { signals: {}, counters: null };
  let [now, cpuSeconds, networkBytes] = [start, 0, 0];
  let missedCpu = false;
  let missedNetwork = false;
  for (const doing of doings) {
    now += doing.minutes * minuteMs;
    const seconds = Math.max(0, doing.minutes) * 60;
    if (doing.restarted) [cpuSeconds, networkBytes] = [-1, -1];
    cpuSeconds += (seconds * 2 * (doing.cpuPercent ?? 0)) / 100;
    networkBytes += seconds * (doing.network ?? 0);
    const activity: Activity = {
      machineId: instanceId,
      at: now,
      cpuSeconds: doing.cpuPercent === null ? null : cpuSeconds,
      networkBytes: doing.network === null ? null : networkBytes,
      memoryBytes: null,
      gpuShare: doing.gpuShare,
      sessions: doing.sessions,
      seenBy: { cpu: "test", network: "test", memory: "test", gpu: "test", sessions: "test" },
    };
    looked = look({
      before: looked,
      activity: doing.said ? activity : undefined,
      lease: { instanceId, vcpus: 2, hasGpu },
      consoleAt: null,
      rules,
      now,
    });
    const snapshot = standing.snapshotId === null ? "none" : "ready";
    const { signals } = looked;
    const decision = decide({ standing, signals, keptAt: null, rules, snapshot, now });
    ({ standing } = decision);
    if (decision.act.does === "warn") warned.push(now);
    if (decision.act.does === "take-back") takenBack.push(now);
    if (decision.act.does === "snapshot") standing = { ...standing, snapshotId: "s" };
    if (decision.act.does === "release") released.push(now);
    missedCpu = doing.cpuPercent === null;
    missedNetwork = doing.network === null;
  }
  expect(missedCpu && looked.signals.cpu?.value !== null).toBe(false);
  expect(missedNetwork && looked.signals.network?.value !== null).toBe(false);
  return { released, warned, takenBack, standing, looked, now };
}

const sometimes = <T>(usual: T, others: fc.Arbitrary<T>): fc.Arbitrary<T> =>
  fc.oneof({ weight: 40, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: others });

const doings: fc.Arbitrary<Doing> = fc.record({
  minutes: sometimes(1, fc.integer({ min: -90, max: 240 })),
  cpuPercent: sometimes<number | null>(1, fc.constantFrom(null, 0, 4.9, 5, 80)),
  network: sometimes<number | null>(10, fc.constantFrom(null, 0, 999, 1_000, 1e6)),
  gpuShare: sometimes<number | null>(0, fc.constantFrom(null, 0.009, 0.01, 1)),
  sessions: sometimes<number | null>(0, fc.constantFrom(null, 1, 3)),
  said: sometimes(true, fc.constant(false)),
  restarted: sometimes(false, fc.constant(true)),
});

/** Long stretches of quiet, so that some of the histories come to their end. */
const histories = fc
  .array(
    fc.oneof(
      fc.array(doings, { maxLength: 30 }),
      fc.integer({ min: 1, max: 200 }).map((count) => times(count)),
    ),
    { maxLength: 8 },
  )
  .map((parts) => parts.flat());

test("M-VM-04: nothing is released but after a window and a warning of looks that all were quiet", () => {
  let releases = 0;
  fc.assert(
    fc.property(histories, fc.boolean(), (history, hasGpu) => {
      const { released, standing } = play(history, hasGpu);
      expect(released.length).toBeLessThanOrEqual(1);
      expect(standing.stage === "released").toBe(released.length === 1);
      const [at] = released;
      if (at === undefined) return;
      releases += 1;
      // Back from the release, look by look: as long as both took, each was quiet.
      let [now, quietMs] = [start, 0];
      for (const doing of history) {
        now += doing.minutes * minuteMs;
        quietMs = isQuiet(doing, hasGpu) ? quietMs + doing.minutes * minuteMs : 0;
        if (now === at && quietMs >= 2 * hourMs) return;
      }
      throw new Error(`released after ${quietMs / minuteMs} quiet minutes`);
    }),
    { numRuns: 400 },
  );
  // A property of nothing would hold as well.
  expect(releases).toBeGreaterThan(20);
});

test("M-VM-04: a signal that is missing counts as active, whichever it is and whenever", () => {
  const missing: readonly Partial<Doing>[] = [
    { cpuPercent: null },
    { network: null },
    { gpuShare: null },
    { sessions: null },
    { said: false },
  ];
  fc.assert(
    fc.property(
      fc.constantFrom(...missing),
      fc.integer({ min: 1, max: 58 }),
      fc.integer({ min: 200, max: 600 }),
      (what, every, count) => {
        // Seen but once in so many minutes, shorter than the window: never even warned.
        const history = Array.from({ length: count }, (_, index) =>
          index % every === 0 ? { ...quiet, ...what } : quiet,
        );
        const { released, warned, looked, now } = play(history);
        expect({ released, warned }).toEqual({ released: [], warned: [] });
        expect(now - (idleSince(looked.signals) ?? 0)).toBeLessThan(hourMs);
      },
    ),
    { numRuns: 100 },
  );
});

test("M-VM-04: what moves at any time between the warning and the release takes it back", () => {
  const moves: readonly Partial<Doing>[] = [
    { cpuPercent: 5 },
    { network: 1_000 },
    { gpuShare: 0.5 },
    { sessions: 1 },
    { sessions: null },
    { minutes: 15 },
    { restarted: true },
  ];
  fc.assert(
    fc.property(fc.constantFrom(...moves), fc.integer({ min: 62, max: 121 }), (what, at) => {
      const before = times(at - 1);
      const history = [...before, { ...quiet, ...what }];
      const { released, warned, takenBack, standing } = play(history);
      expect(warned).toHaveLength(1);
      expect(released).toEqual([]);
      expect(takenBack).toHaveLength(1);
      expect(standing.stage).toBe("watching");
    }),
  );
});

test("M-VM-04: left alone it is warned after the window, then snapshotted, then released", () => {
  const { released, warned, takenBack } = play(times(200));
  // The first look says nothing of the time before it.
  const first = start + minuteMs;
  expect(warned).toEqual([first + hourMs]);
  expect(released).toEqual([first + 2 * hourMs + minuteMs]);
  expect(takenBack).toEqual([]);
  // A GPU that nobody sees is only asked for where there is one.
  const without = times(200, { ...quiet, gpuShare: null });
  expect(play(without, false).released).toHaveLength(1);
  expect(play(without, true).released).toEqual([]);
});

test("M-VM-04: a snapshot that failed delays the release, and nothing goes without one", () => {
  const { looked, now } = play(times(122));
  const { signals } = looked;
  const standing: Standing = { stage: "snapshot", since: now, releaseAt: null, snapshotId: "s" };
  const facts = { standing, signals, keptAt: null, rules, now };
  expect(decide({ ...facts, snapshot: "creating" }).act.does).toBe("nothing");
  expect(decide({ ...facts, snapshot: "ready" }).act.does).toBe("release");
  for (const snapshot of ["failed", "none", "deleting"] as const) {
    const again = decide({ ...facts, snapshot });
    expect(again).toMatchObject({
      act: { does: "snapshot-again" },
      standing: { stage: "warned", snapshotId: null, releaseAt: now + hourMs },
    });
  }
  // The operator's rules are gone, or the tenant wants it: nothing goes on.
  expect(decide({ ...facts, snapshot: "ready", rules: undefined }).act.does).toBe("take-back");
  expect(decide({ ...facts, snapshot: "ready", keptAt: now }).act.does).toBe("take-back");
  // The snapshot of a release that was taken back goes, once it is there.
  const back: Standing = { stage: "watching", since: now, releaseAt: null, snapshotId: "s" };
  const after = { ...facts, standing: back, rules: undefined };
  expect(decide({ ...after, snapshot: "creating" }).act.does).toBe("nothing");
  expect(decide({ ...after, snapshot: "ready" }).act).toEqual({
    does: "drop-snapshot",
    snapshotId: "s",
  });
});

test("M-VM-04: a paid term is never looked at, nor what is stopped or exempt", () => {
  const lease = {
    plan: "on_demand",
    wanted: "running",
    running: true,
    exempt: false,
    canKeep: true,
  } as const;
  expect(eligibility(lease)).toBe("watched");
  expect(eligibility({ ...lease, plan: "subscription" })).toBe("subscription");
  expect(eligibility({ ...lease, wanted: "stopped" })).toBe("not_running");
  expect(eligibility({ ...lease, running: false })).toBe("not_running");
  expect(eligibility({ ...lease, exempt: true })).toBe("exempt");
  expect(eligibility({ ...lease, canKeep: false })).toBe("cannot_keep");
});
