/**
 * The one rounding rule of the house: half away from zero (四舍五入), R-RND-1. An amount is rounded
 * once, where it becomes a line; everything before it is exact.
 */
import { fen, type Fen } from "./money.ts";
import { multiply, rational, type Rational } from "./rational.ts";

/** To a whole number: 5/2 is 3, -5/2 is -3. */
export function roundHalfAway(value: Rational): bigint {
  const { numerator, denominator } = value;
  const magnitude = numerator < 0n ? -numerator : numerator;
  const rounded = (2n * magnitude + denominator) / (2n * denominator);
  return numerator < 0n ? -rounded : rounded;
}

/** An exact amount in yuan, as fen. */
export function roundToFen(yuan: Rational): Fen {
  return fen(roundHalfAway(multiply(yuan, rational(100n))));
}

/** A decimal with exactly `digits` places, for display only: 1/3 at 2 is "0.33". */
export function formatRounded(value: Rational, digits: number): string {
  const scaled = roundHalfAway(multiply(value, rational(10n ** BigInt(digits))));
  const text = (scaled < 0n ? -scaled : scaled).toString().padStart(digits + 1, "0");
  const sign = scaled < 0n ? "-" : "";
  return digits === 0
    ? `${sign}${text}`
    : `${sign}${text.slice(0, -digits)}.${text.slice(-digits)}`;
}
