/** The canonical form against a canonicalizer of RFC 8785 that others wrote. */
import canonicalize from "canonicalize";
import fc from "fast-check";
import { expect, test } from "vitest";
import { z } from "zod";

import { canonicalText, leafText, timeText, unitOf } from "./event.ts";
import { anyEvent } from "./event-samples.ts";

const anything = z.record(z.string(), z.unknown());

test("R-EVT-1: an event is written as RFC 8785 says, with its salt and without", () => {
  fc.assert(
    fc.property(anyEvent, fc.stringMatching(/^[0-9a-f]{32}$/), (event, salt) => {
      const text = canonicalText(event);
      expect(canonicalize(JSON.parse(text))).toBe(text);
      const leaf = leafText(event, salt);
      expect(canonicalize(JSON.parse(leaf))).toBe(leaf);
      const { salt: said, ...rest } = anything.parse(JSON.parse(leaf));
      expect([said, canonicalize(rest)]).toEqual([salt, text]);
    }),
  );
});

test("an instant is written to the second, in UTC, on any day", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 4_102_444_800 }), (second) => {
      expect(timeText(second * 1000)).toBe(
        new Date(second * 1000).toISOString().replace(".000", ""),
      );
    }),
  );
});

test("what one unit of a SKU is", () => {
  expect(["gpu.T4", "cpu.core", "mem.gib", "storage", "water"].map(unitOf)).toEqual([
    "GPU",
    "core",
    "GiB",
    "byte",
    undefined,
  ]);
});
