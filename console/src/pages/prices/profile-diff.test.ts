import { expect, test } from "vitest";

import { differencesOf } from "./profile-diff.ts";

test("figures are compared as figures, what is new or gone is said", () => {
  const before = { payg_hourly: { "gpu.A100": "50", "cpu.core": "0.5" }, on_request: ["gpu.H100"] };
  const after = {
    payg_hourly: { "gpu.A100": "55.00", "cpu.core": "0.50" },
    on_request: [],
    new: {},
  };
  expect(differencesOf(before, after)).toEqual([
    { path: ["payg_hourly", "gpu.A100"], before: "50", after: "55.00", changePermille: 100 },
    { path: ["on_request", "1"], before: "gpu.H100", after: undefined, changePermille: undefined },
    { path: ["on_request"], before: undefined, after: "[]", changePermille: undefined },
    { path: ["new"], before: undefined, after: "{}", changePermille: undefined },
  ]);
});

test("a name with a dot is no path, numbers and nothing are compared too", () => {
  expect(differencesOf({ a: { "b.c": null, d: 3 } }, { a: { "b.c": "1", d: 2 } })).toEqual([
    { path: ["a", "b.c"], before: "null", after: "1", changePermille: undefined },
    { path: ["a", "d"], before: "3", after: "2", changePermille: -333 },
  ]);
  expect(differencesOf({ a: 1 }, { a: 1 })).toEqual([]);
});
