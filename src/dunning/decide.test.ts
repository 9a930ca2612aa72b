import fc from "fast-check";
import { expect, test } from "vitest";

import { defaultProfile } from "#catalog/profile.ts";
import { fen, parseFen, zeroFen } from "#kernel/money.ts";

import {
  decideStanding,
  meansFrom,
  releaseReminder,
  usedUpAt,
  type Means,
  type Stage,
  type Standing,
} from "./decide.ts";

const rules = defaultProfile.dunning;
const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const now = Date.parse("2026-05-04T10:00:00Z");
const start: Standing = { stage: "ok", since: 0 };

function means(left: string, burn = "1.00", paid = "1000.00"): Means {
  return { left: parseFen(left), burnPerHour: parseFen(burn), netPaid12m: parseFen(paid) };
}

function stage(before: Standing, what: Means, at = now): Stage {
  return decideStanding(before, { means: what, rules, now: at }).stage;
}

test("by how long the money lasts: forecast, warning, no new work", () => {
  const stages = ["72.00", "71.99", "24.00", "23.99", "1.00", "0.99"].map((left) =>
    stage(start, means(left)),
  );
  expect(stages).toEqual(["ok", "forecast", "forecast", "warning", "warning", "no_new_work"]);
  expect(stage(start, means("0.01", "0.00"))).toBe("ok");
  expect(usedUpAt(means("2.00"), now)).toBe(now + 2 * hourMs);
  expect(usedUpAt(means("2.00", "0.00"), now)).toBeUndefined();
});

test("grace has a date and a bound: who paid nothing has none", () => {
  const grace = decideStanding(start, { means: means("0.00"), rules, now });
  expect(grace).toEqual({ stage: "grace", since: now, graceUntil: now + dayMs });
  expect(stage(start, means("0.00", "1.00", "0.00"))).toBe("stopped");
  expect(stage(grace, means("-100.00"), now + 1)).toBe("grace");
  expect(stage(grace, means("-100.01"), now + 1)).toBe("stopped");
  expect(stage(grace, means("-1.00"), now + dayMs - 1)).toBe("grace");
  expect(stage(grace, means("-1.00"), now + dayMs)).toBe("stopped");
});

test("stopped is kept for its days, then released; reminders come 3 days and 1 day before", () => {
  const poor = means("-1.00", "0.00", "0.00");
  const stopped = decideStanding(start, { means: poor, rules, now });
  expect(stopped).toEqual({ stage: "stopped", since: now, releaseAt: now + 7 * dayMs });
  expect(stage(stopped, poor, now + 7 * dayMs - 1)).toBe("stopped");
  expect(stage(stopped, poor, now + 7 * dayMs)).toBe("released");
  const reminders = [0, 4, 5.9, 6, 6.9, 7].map((days) =>
    releaseReminder(stopped, now + days * dayMs),
  );
  expect(reminders).toEqual([undefined, 3, 3, 1, 1, undefined]);
});

test("packages pay jobs: they keep jobs going, and no lease", () => {
  const facts = {
    wallet: zeroFen,
    packages: parseFen("50.00"),
    burn: { leases: parseFen("2.00"), jobs: parseFen("3.00") },
    netPaid12m: zeroFen,
  };
  expect(meansFrom({ ...facts, hasLeases: false })).toMatchObject({
    left: 5000n,
    burnPerHour: 300n,
  });
  expect(meansFrom({ ...facts, hasLeases: true })).toMatchObject({ left: 0n, burnPerHour: 200n });
  expect(meansFrom({ ...facts, packages: zeroFen, hasLeases: false })).toMatchObject({
    left: 0n,
    burnPerHour: 500n,
  });
});

test("whatever comes: a top-up leads back at once, and nothing is released that was not stopped for its days", () => {
  const amount = fc.bigInt({ min: -20_000n, max: 20_000n }).map((value) => fen(value));
  const step = fc.record({ left: amount, hours: fc.integer({ min: 0, max: 100 }) });
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 60 }),
      fc.bigInt({ min: 0n, max: 500n }),
      (steps, burn) => {
        let standing = start;
        let at = now;
        let stoppedSince: number | undefined;
        for (const { left, hours } of steps) {
          at += hours * hourMs;
          const what = { left, burnPerHour: fen(burn), netPaid12m: parseFen("100.00") };
          standing = decideStanding(standing, { means: what, rules, now: at });
          const low = ["grace", "stopped", "released"].includes(standing.stage);
          expect(low).toBe(left <= 0n);
          const down = ["stopped", "released"].includes(standing.stage);
          stoppedSince = down ? (stoppedSince ?? at) : undefined;
          const keptFor = at - (stoppedSince ?? at);
          const early = standing.stage === "released" && keptFor < rules.keep_days * dayMs;
          expect(early).toBe(false);
        }
      },
    ),
  );
});
