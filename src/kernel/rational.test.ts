import fc from "fast-check";
import { expect, test } from "vitest";

import {
  add,
  compare,
  divide,
  equals,
  floor,
  formatRational,
  larger,
  multiply,
  negate,
  one,
  parseRational,
  rational,
  rationalFromText,
  smaller,
  subtract,
  sum,
  zero,
} from "./rational.ts";

const integers = fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n });
const fractions = fc
  .tuple(
    integers,
    integers.filter((n) => n !== 0n),
  )
  .map(([n, d]) => rational(n, d));

test("the laws of fractions hold exactly", () => {
  fc.assert(
    fc.property(fractions, fractions, fractions, (a, b, c) => {
      expect(add(a, b)).toEqual(add(b, a));
      expect(add(add(a, b), c)).toEqual(add(a, add(b, c)));
      expect(multiply(a, add(b, c))).toEqual(add(multiply(a, b), multiply(a, c)));
      expect(subtract(add(a, b), b)).toEqual(a);
      expect(equals(b, zero) ? a : multiply(divide(a, b), b)).toEqual(a);
      expect(sum([a, b, c])).toEqual(add(a, add(b, c)));
    }),
  );
});

test("a fraction is in lowest terms, so equal values have equal fields", () => {
  fc.assert(
    fc.property(fractions, fc.bigInt({ min: 1n, max: 10n ** 6n }), (a, k) => {
      expect(a.denominator > 0n).toBe(true);
      expect(rational(a.numerator * k, a.denominator * k)).toEqual(a);
      expect(rational(-a.numerator, -a.denominator)).toEqual(a);
    }),
  );
});

test("order and whole part", () => {
  fc.assert(
    fc.property(fractions, fractions, (a, b) => {
      expect(compare(a, b)).toBe(-compare(b, a) + 0);
      expect(compare(smaller(a, b), larger(a, b))).toBeLessThanOrEqual(0);
      expect(compare(a, b) < 0).toBe(subtract(a, b).numerator < 0n);
      const whole = floor(a);
      expect(compare(rational(whole), a)).toBeLessThanOrEqual(0);
      expect(compare(rational(whole + 1n), a)).toBe(1);
      expect(negate(negate(a))).toEqual(a);
    }),
  );
});

test("text keeps the value, as a decimal where one is exact", () => {
  fc.assert(
    fc.property(fractions, (a) => {
      expect(parseRational(formatRational(a))).toEqual(a);
    }),
  );
  expect(formatRational(rational(5n, 2n))).toBe("2.5");
  expect(formatRational(rational(-1n, 40n))).toBe("-0.025");
  expect(formatRational(rational(5n, 6n))).toBe("5/6");
  expect(formatRational(rational(10240n))).toBe("10240");
  expect(parseRational("1.00")).toEqual(one);
  expect(parseRational("0.85")).toEqual(rational(17n, 20n));
  expect(parseRational("1/4")).toEqual(rational(1n, 4n));
});

test("what is no number is refused", () => {
  for (const text of ["", "1/0", "1.", ".5", "1e3", "+1", "1 /2", "NaN", "1".repeat(31), "1/-2"]) {
    expect(rationalFromText(text)).toBeUndefined();
    expect(() => parseRational(text)).toThrow("is not a number");
  }
});
