/**
 * Exact fractions of bigints: prices, multipliers, shares and quantities between their source and
 * the one rounding (rounding.ts). Always in lowest terms with a positive denominator, so equal
 * values are equal field by field.
 */
import { assert } from "./assert.ts";
import { Failure } from "./failure.ts";

export interface Rational {
  readonly numerator: bigint;
  /** Always positive. */
  readonly denominator: bigint;
}

export const zero: Rational = { numerator: 0n, denominator: 1n };
export const one: Rational = { numerator: 1n, denominator: 1n };

export function rational(numerator: bigint, denominator = 1n): Rational {
  assert(denominator !== 0n, "a fraction has a denominator");
  const sign = denominator < 0n ? -1n : 1n;
  const divisor = greatestCommonDivisor(numerator, denominator);
  return {
    numerator: (sign * numerator) / divisor,
    denominator: (sign * denominator) / divisor,
  };
}

const decimalPattern = /^(-?)([0-9]{1,30})(?:\.([0-9]{1,30}))?$/;
const fractionPattern = /^(-?[0-9]{1,30})\/([0-9]{1,30})$/;

/** "0.85", "15", "-2.5", "1/4"; `undefined` for anything else. */
export function rationalFromText(text: string): Rational | undefined {
  const fraction = fractionPattern.exec(text);
  if (fraction !== null) {
    const denominator = BigInt(fraction[2] ?? "0");
    return denominator === 0n ? undefined : rational(BigInt(fraction[1] ?? "0"), denominator);
  }
  const decimal = decimalPattern.exec(text);
  if (decimal === null) return undefined;
  const [, sign, whole = "0", digits = ""] = decimal;
  const magnitude = BigInt(whole + digits);
  return rational(sign === "-" ? -magnitude : magnitude, 10n ** BigInt(digits.length));
}

/** As `rationalFromText`; throws `invalid_request`. */
export function parseRational(text: string): Rational {
  const value = rationalFromText(text);
  if (value !== undefined) return value;
  throw new Failure(
    "invalid_request",
    `${JSON.stringify(text.slice(0, 80))} is not a number: write a decimal such as "0.85" or a fraction such as "1/4".`,
  );
}

export function add(a: Rational, b: Rational): Rational {
  return rational(
    a.numerator * b.denominator + b.numerator * a.denominator,
    a.denominator * b.denominator,
  );
}

export function negate(a: Rational): Rational {
  return { numerator: -a.numerator, denominator: a.denominator };
}

export function subtract(a: Rational, b: Rational): Rational {
  return add(a, negate(b));
}

export function multiply(a: Rational, b: Rational): Rational {
  return rational(a.numerator * b.numerator, a.denominator * b.denominator);
}

/** The divisor must not be zero: that is a bug of the caller. */
export function divide(a: Rational, b: Rational): Rational {
  assert(b.numerator !== 0n, "nothing is divided by zero");
  return rational(a.numerator * b.denominator, a.denominator * b.numerator);
}

export function compare(a: Rational, b: Rational): -1 | 0 | 1 {
  const difference = a.numerator * b.denominator - b.numerator * a.denominator;
  if (difference === 0n) return 0;
  return difference < 0n ? -1 : 1;
}

export function equals(a: Rational, b: Rational): boolean {
  return a.numerator === b.numerator && a.denominator === b.denominator;
}

export function smaller(a: Rational, b: Rational): Rational {
  return compare(a, b) <= 0 ? a : b;
}

export function larger(a: Rational, b: Rational): Rational {
  return compare(a, b) >= 0 ? a : b;
}

export function sum(values: Iterable<Rational>): Rational {
  let total = zero;
  for (const value of values) total = add(total, value);
  return total;
}

/** The largest integer not above the value, for negative ones too. */
export function floor(value: Rational): bigint {
  const quotient = value.numerator / value.denominator;
  const exact = quotient * value.denominator === value.numerator;
  return value.numerator < 0n && !exact ? quotient - 1n : quotient;
}

/** The shortest exact text: "2.5" where a decimal is exact, "1/3" where it is not. */
export function formatRational(value: Rational): string {
  const scale = decimalPlaces(value.denominator);
  if (scale === undefined) return `${value.numerator}/${value.denominator}`;
  const scaled = (value.numerator * 10n ** BigInt(scale)) / value.denominator;
  if (scale === 0) return scaled.toString();
  const digits = (scaled < 0n ? -scaled : scaled).toString().padStart(scale + 1, "0");
  return `${scaled < 0n ? "-" : ""}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

/** How many decimals write 1/denominator exactly; `undefined` if no number of them does. */
function decimalPlaces(denominator: bigint): number | undefined {
  const twos = powersOf(2n, denominator);
  const fives = powersOf(5n, twos.rest);
  return fives.rest === 1n ? Math.max(twos.count, fives.count) : undefined;
}

function powersOf(prime: bigint, value: bigint): { readonly count: number; readonly rest: bigint } {
  let count = 0;
  let rest = value;
  while (rest % prime === 0n) {
    rest /= prime;
    count += 1;
  }
  return { count, rest };
}

function greatestCommonDivisor(a: bigint, b: bigint): bigint {
  let x = a < 0n ? -a : a;
  let y = b < 0n ? -b : b;
  while (y !== 0n) [x, y] = [y, x % y];
  return x;
}
