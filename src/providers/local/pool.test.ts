/** How the clones that stand ready are divided. */
import { expect, test } from "vitest";

import { sharesOf } from "./pool.ts";

const shares = (keys: readonly string[], members: number): unknown =>
  Object.fromEntries(sharesOf(keys, members));

test("one clone in all stands ready for the kind that was asked for last", () => {
  expect(shares(["last", "before", "first"], 1)).toEqual({ last: 1, before: 0, first: 0 });
});

test("several go around, the kind asked for last first", () => {
  expect(shares(["last", "before", "first"], 2)).toEqual({ last: 1, before: 1, first: 0 });
  expect(shares(["last", "before"], 5)).toEqual({ last: 3, before: 2 });
});

test("without a kind, or without clones, none stands ready", () => {
  expect(shares([], 2)).toEqual({});
  expect(shares(["last"], 0)).toEqual({ last: 0 });
});
