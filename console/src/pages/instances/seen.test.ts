/** Points of the chart of what is seen while one looks. */
import { expect, test } from "vitest";

import { withSeen, type Seen } from "./seen.ts";

const none: Seen = { at: [], cpu: [], gpu: [] };
const look = (second: number, cpu: number | null) => [
  { signal: "cpu", value: cpu, seenAt: new Date(second * 1000).toISOString() },
  { signal: "network", value: 5, seenAt: new Date(0).toISOString() },
];

test("each newer look is a point, the same look is not, and what nobody saw is a gap", () => {
  const one = withSeen(none, look(10, 3));
  expect(withSeen(one, look(10, 3))).toBe(one);
  expect(withSeen(one, look(20, null))).toEqual({
    at: [10_000, 20_000],
    cpu: [3, null],
    gpu: [null, null],
  });
  expect(withSeen(none, [])).toBe(none);
});

test("an hour is kept", () => {
  let seen = none;
  for (let second = 1; second <= 400; second += 1) seen = withSeen(seen, look(second, second));
  expect(seen.at).toHaveLength(360);
  expect(seen.cpu.at(-1)).toBe(400);
});
