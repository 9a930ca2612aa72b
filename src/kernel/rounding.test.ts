import fc from "fast-check";
import { expect, test } from "vitest";

import type { Fen } from "./money.ts";
import { compare, negate, parseRational, rational, subtract } from "./rational.ts";
import { formatRounded, roundHalfAway, roundToFen } from "./rounding.ts";

const fractions = fc
  .tuple(fc.bigInt({ min: -(10n ** 15n), max: 10n ** 15n }), fc.bigInt({ min: 1n, max: 10n ** 9n }))
  .map(([n, d]) => rational(n, d));

test("R-RND-1: half away from zero, both ways", () => {
  expect(rounded("0.125")).toBe(13n);
  expect(rounded("-0.125")).toBe(-13n);
  expect(rounded("0.1249999999999999999999")).toBe(12n);
  expect(rounded("0.005")).toBe(1n);
  expect(rounded("2.675")).toBe(268n); // a double would say 2.67
  expect(rounded("17.9699999999999988631316")).toBe(1797n);
  expect(rounded("14.28444999")).toBe(1428n);
});

test("R-RND-1: the result is never more than a half away, and a tie goes outward", () => {
  fc.assert(
    fc.property(fractions, (value) => {
      const error = subtract(rational(roundHalfAway(value)), value);
      const magnitude = error.numerator < 0n ? negate(error) : error;
      const half = compare(magnitude, rational(1n, 2n));
      expect(half).toBeLessThanOrEqual(0);
      expect(half < 0 || error.numerator > 0n === value.numerator > 0n).toBe(true);
      expect(roundHalfAway(negate(value))).toBe(-roundHalfAway(value));
    }),
  );
});

test("R-RND-1: rounding is monotone", () => {
  fc.assert(
    fc.property(fractions, fractions, (a, b) => {
      const [low, high] = compare(a, b) <= 0 ? [a, b] : [b, a];
      expect(roundHalfAway(low) <= roundHalfAway(high)).toBe(true);
    }),
  );
});

test("display with a fixed number of places", () => {
  expect(formatRounded(rational(1n, 3n), 2)).toBe("0.33");
  expect(formatRounded(rational(-5n, 2n), 0)).toBe("-3");
  expect(formatRounded(rational(5420n, 3600n), 3)).toBe("1.506");
  expect(formatRounded(rational(-1n, 1000n), 2)).toBe("0.00");
});

function rounded(text: string): Fen {
  return roundToFen(parseRational(text));
}
