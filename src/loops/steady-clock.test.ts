import fc from "fast-check";
import { expect, test } from "vitest";

import { steadyClock } from "./steady-clock.ts";

test("set back an hour, it goes on from where it was", () => {
  let wall = 1_000_000_000;
  let monotonic = 5.5;
  const now = steadyClock(
    () => wall,
    () => monotonic,
  );
  const pass = (ms: number): void => {
    wall += ms;
    monotonic += ms;
  };
  pass(1_000);
  expect(now()).toBe(1_000_001_000);
  wall -= 3_600_000;
  expect(now()).toBe(1_000_001_000);
  pass(60_000);
  expect(now()).toBe(1_000_061_000);
  wall += 3_600_000;
  pass(10);
  expect(now()).toBe(1_000_061_010);
});

test("it never goes back, and never falls behind the time that passed by more than a slew", () => {
  const jump = fc.oneof(
    fc.integer({ min: -7_200_000, max: 7_200_000 }),
    fc.integer({ min: -2_000, max: 50 }),
  );
  const moves = fc.array(fc.record({ jump, passed: fc.double({ min: 0, max: 900, noNaN: true }) }));
  fc.assert(
    fc.property(moves, (history) => {
      let wall = 1_800_000_000_000;
      let monotonic = 0;
      const now = steadyClock(
        () => Math.floor(wall),
        () => monotonic,
      );
      let before = now();
      let anchor = before;
      let since = 0;
      for (const move of history) {
        monotonic += move.passed;
        since += move.passed;
        wall += move.passed + move.jump;
        const next = now();
        expect(next).toBeGreaterThanOrEqual(before);
        if (next > anchor + since) {
          anchor = next;
          since = 0;
        }
        expect(next).toBeGreaterThanOrEqual(Math.floor(anchor + since) - 2_001);
        before = next;
      }
    }),
  );
});
