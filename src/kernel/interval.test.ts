import fc from "fast-check";
import { expect, test } from "vitest";

import {
  contains,
  cutAt,
  intersect,
  interval,
  overlaps,
  truncateToSecond,
  wholeSeconds,
} from "./interval.ts";

const spans = fc
  .tuple(fc.integer({ min: 0, max: 4e12 }), fc.integer({ min: 0, max: 1e9 }))
  .map(([from, length]) => interval(from, from + length));

test("R-PAYG-3: instants are truncated to whole seconds, not the length", () => {
  expect(wholeSeconds(interval(900, 1100))).toBe(1n);
  expect(wholeSeconds(interval(0, 999))).toBe(0n);
  expect(wholeSeconds(interval(1001, 2999))).toBe(1n);
  expect(truncateToSecond(1999)).toBe(1000);
});

test("the parts of a cut interval join to the whole and their seconds add up", () => {
  fc.assert(
    fc.property(spans, fc.array(fc.integer({ min: -1000, max: 4e12 })), (span, loose) => {
      const cuts = [...loose, ...loose.map((n) => span.from + (n % 1e9))].toSorted((a, b) => a - b);
      const parts = cutAt(span, cuts);
      let at = span.from;
      for (const part of parts) {
        expect(part.from).toBe(at);
        expect(part.until).toBeGreaterThan(part.from);
        at = part.until;
      }
      expect(at).toBe(span.until);
      expect(parts.reduce((sum, part) => sum + wholeSeconds(part), 0n)).toBe(wholeSeconds(span));
    }),
  );
});

test("half-open: touching intervals do not overlap", () => {
  fc.assert(
    fc.property(spans, spans, (a, b) => {
      const common = intersect(a, b);
      expect(overlaps(a, b)).toBe(common !== undefined);
      for (const at of common === undefined ? [] : [common.from, common.until - 1]) {
        expect(contains(a, at) && contains(b, at)).toBe(true);
      }
      expect(intersect(a, { from: a.until, until: a.until + 5 })).toBeUndefined();
    }),
  );
  expect(() => interval(2, 1)).toThrow("no earlier");
  expect(() => interval(0.5, 1)).toThrow("whole ms");
});
