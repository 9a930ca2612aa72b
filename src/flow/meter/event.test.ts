/** The canonical form against a canonicalizer of RFC 8785 that others wrote. */
import canonicalize from "canonicalize";
import fc from "fast-check";
import { expect, test } from "vitest";

import { leafText } from "#tlog/leaf.ts";

import { canonicalText, saltedText, timeText, unitOf } from "./event.ts";
import { anyEvent } from "./event-samples.ts";

test("R-EVT-1: an event is written as RFC 8785 says, and its leaf as the log has it", () => {
  fc.assert(
    fc.property(anyEvent, fc.uint8Array({ minLength: 16, maxLength: 16 }), (event, salt) => {
      const text = canonicalText(event);
      expect(canonicalize(JSON.parse(text))).toBe(text);
      const salted = saltedText(event, Buffer.from(salt).toString("base64"));
      expect(salted).toBe(leafText(text, salt));
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
