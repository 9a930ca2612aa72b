import fc from "fast-check";
import { expect, test } from "vitest";

import { defaultProfile } from "#catalog/profile.ts";
import { addFen, fen, parseFen, zeroFen } from "#kernel/money.ts";

import { decideStanding, type Means, type Stage, type Standing } from "./decide.ts";
import { outlookOf, type Outlook } from "./outlook.ts";
import { standingText } from "./words.ts";

const rules = defaultProfile.dunning;
const hourMs = 3_600_000;
const now = Date.parse("2026-05-04T10:00:00Z");
const ladder: readonly Stage[] = [
  "ok",
  "forecast",
  "warning",
  "no_new_work",
  "grace",
  "stopped",
  "released",
];

function means(left: string, burn = "1.00", paid = "1000.00"): Means {
  return { left: parseFen(left), burnPerHour: parseFen(burn), netPaid12m: parseFen(paid) };
}

function outlook(standing: Standing, what: Means, stopped = "0.00"): Outlook {
  return outlookOf(standing, { means: what, stoppedPerHour: parseFen(stopped), rules, now });
}

/** In hours from now. */
function next({ next: step }: Outlook): readonly [Stage, number] | undefined {
  return step === undefined ? undefined : [step.stage, (step.at - now) / hourMs];
}

function at(stage: Stage, what: Means): readonly [Stage, number] | undefined {
  return next(outlook({ stage, since: 0 }, what));
}

test("each rung says what comes next and when, as things run now", () => {
  expect(at("ok", means("100.00"))).toEqual(["forecast", 28]);
  expect(at("ok", means("100.00", "0.00"))).toBeUndefined();
  expect(at("forecast", means("30.00"))).toEqual(["warning", 6]);
  expect(at("warning", means("3.00"))).toEqual(["no_new_work", 2]);
  expect(at("no_new_work", means("0.50"))).toEqual(["grace", 0.5]);
  expect(at("no_new_work", means("0.50", "1.00", "0.00"))).toEqual(["stopped", 0.5]);
  expect(at("released", means("-1.00", "0.00"))).toBeUndefined();
});

test("a grace ends at its time, or earlier where the debt grows too large", () => {
  const grace: Standing = { stage: "grace", since: now, graceUntil: now + 24 * hourMs };
  expect(next(outlook(grace, means("-1.00")))).toEqual(["stopped", 24]);
  // A tenth of 1000.00 may be owed.
  expect(next(outlook(grace, means("-90.00")))).toEqual(["stopped", 10]);
  const stopped: Standing = { stage: "stopped", since: now, releaseAt: now + 168 * hourMs };
  expect(next(outlook(stopped, means("-1.00", "0.00")))).toEqual(["released", 168]);
});

test("what to pay for all to be well counts what would run again", () => {
  const stopped: Standing = { stage: "stopped", since: now, releaseAt: now + 168 * hourMs };
  expect(outlook(stopped, means("-5.00", "0.00"), "2.00")).toMatchObject({
    toLeave: 501n,
    toBeWell: 14_900n,
  });
  expect(outlook({ stage: "ok", since: 0 }, means("100.00"))).toMatchObject({ toLeave: 0n });
});

test("every rung is left by paying what it says, and not by a fen less", () => {
  const amount = fc.bigInt({ min: -20_000n, max: 20_000n }).map((value) => fen(value));
  const burn = fc.bigInt({ min: 0n, max: 500n }).map((value) => fen(value));
  fc.assert(
    fc.property(fc.constantFrom(...ladder), amount, burn, (stage, left, burnPerHour) => {
      const before = { stage, since: 0, graceUntil: now + 1, releaseAt: now + 1 };
      const what = { left, burnPerHour, netPaid12m: parseFen("100.00") };
      const standing = decideStanding(before, { means: what, rules, now });
      const { toLeave, toBeWell } = outlook(standing, what);
      const afterPaying = (paid: bigint): number => {
        const more = { ...what, left: addFen(left, fen(paid)) };
        const after = decideStanding(standing, { means: more, rules, now });
        return ladder.indexOf(after.stage);
      };
      const rung = ladder.indexOf(standing.stage);
      expect(toLeave === zeroFen).toBe(standing.stage === "ok");
      expect(afterPaying(toBeWell)).toBe(0);
      if (standing.stage === "ok") return;
      expect(afterPaying(toLeave)).toBeLessThan(rung);
      expect(afterPaying(toLeave - 1n)).toBe(rung);
    }),
  );
});

test("a standing is told in both languages, whatever it is", () => {
  for (const stage of ladder) {
    const standing: Standing = { stage, since: 0, graceUntil: now, releaseAt: now };
    const seen = outlook(standing, means("-1.00"));
    const [en, zh] = [standingText(stage, seen, "en"), standingText(stage, seen, "zh-CN")];
    expect(en).not.toMatch(/undefined|[\u4E00-\u9FFF]/);
    expect(zh).toMatch(/[\u4E00-\u9FFF]/);
    expect(zh).not.toMatch(/undefined/);
  }
  const low = outlook({ stage: "warning", since: 0 }, means("3.00"));
  expect(standingText("warning", low, "en")).toBe(
    "The balance will soon be used up. Next, at 2026-05-04T12:00:00.000Z as things run now: nothing new starts. A payment of 21.00 yuan leads out of it, and 69.00 yuan makes all good again.",
  );
});
