/**
 * Quantities of use. They are integers: GPU-, core- or GiB-seconds (`UnitSeconds`), byte-seconds
 * for storage, bytes for sizes (R-QTY-1). Hours and GiB·days appear only on output, as exact
 * fractions that the caller rounds for display.
 */
import { assert } from "./assert.ts";
import type { Brand } from "./brand.ts";
import { Failure } from "./failure.ts";
import { rational, type Rational } from "./rational.ts";
import { formatRounded } from "./rounding.ts";

export type UnitSeconds = Brand<bigint, "UnitSeconds">;
export type ByteSeconds = Brand<bigint, "ByteSeconds">;
export type Bytes = Brand<bigint, "Bytes">;

export const secondsPerHour = 3600n;
/** A GiB·day is this many GiB-seconds even on a local day of 23 or 25 hours (R-DAY-2). */
export const secondsPerDay = 86_400n;
export const bytesPerGib = 2n ** 30n;
/** Largest size that is accepted: one EiB. */
export const bytesMax = 2n ** 60n;

function isUnitSeconds(value: bigint): value is UnitSeconds {
  return value >= 0n;
}

function isByteSeconds(value: bigint): value is ByteSeconds {
  return value >= 0n;
}

export function isBytes(value: bigint): value is Bytes {
  return value >= 0n && value <= bytesMax;
}

export function unitSeconds(units: bigint, seconds: bigint): UnitSeconds {
  assert(units >= 0n && seconds >= 0n, "a quantity is never negative");
  const value = units * seconds;
  assert(isUnitSeconds(value), "a quantity is never negative");
  return value;
}

export function byteSeconds(bytes: bigint, seconds: bigint): ByteSeconds {
  assert(bytes >= 0n && seconds >= 0n, "a quantity is never negative");
  const value = bytes * seconds;
  assert(isByteSeconds(value), "a quantity is never negative");
  return value;
}

/** GPU-, core- or GiB-hours, exact. */
export function hoursOf(quantity: UnitSeconds): Rational {
  return rational(quantity, secondsPerHour);
}

/** GiB·days, exact (R-STO-1). */
export function gibDaysOf(quantity: ByteSeconds): Rational {
  return rational(quantity, bytesPerGib * secondsPerDay);
}

/** For people: "1.506" hours. */
export function formatHours(quantity: UnitSeconds, digits = 3): string {
  return formatRounded(hoursOf(quantity), digits);
}

/**
 * GiB as a fraction of integers: 256 MiB is one unit of 1/4. Usage is recorded in that form, so
 * that a machine smaller than one GiB is billed exactly.
 */
export function gibUnits(bytes: Bytes): { readonly units: bigint; readonly slice: bigint } {
  const gib = rational(bytes, bytesPerGib);
  return { units: gib.numerator, slice: gib.denominator };
}

const sizeUnits: ReadonlyMap<string, bigint> = new Map([
  ["", 1n],
  ["B", 1n],
  ["KiB", 2n ** 10n],
  ["Ki", 2n ** 10n],
  ["MiB", 2n ** 20n],
  ["Mi", 2n ** 20n],
  ["GiB", bytesPerGib],
  ["Gi", bytesPerGib],
  ["TiB", 2n ** 40n],
  ["Ti", 2n ** 40n],
  ["PiB", 2n ** 50n],
  ["Pi", 2n ** 50n],
]);

const sizePattern = /^([0-9]{1,19})(?:\.([0-9]{1,9}))? ?([A-Za-z]{0,3})$/;

/**
 * "4GiB", "512 MiB", "1.5Gi", "1048576". Only binary units: "4GB" could mean two sizes, so it is
 * not understood. `undefined` for anything else, and where the size is no whole number of bytes.
 */
export function bytesFromText(text: string): Bytes | undefined {
  const match = sizePattern.exec(text);
  if (match === null) return undefined;
  const [, whole = "0", digits = "", unitName = ""] = match;
  const unit = sizeUnits.get(unitName);
  if (unit === undefined) return undefined;
  const size = rational(BigInt(whole + digits) * unit, 10n ** BigInt(digits.length));
  return size.denominator === 1n && isBytes(size.numerator) ? size.numerator : undefined;
}

/** As `bytesFromText`; throws `invalid_request`. */
export function parseBytes(text: string): Bytes {
  const bytes = bytesFromText(text);
  if (bytes !== undefined) return bytes;
  throw new Failure(
    "invalid_request",
    `${JSON.stringify(text.slice(0, 40))} is not a size: write a number with B, KiB, MiB, GiB, TiB or PiB, such as "4GiB".`,
  );
}

/** The largest unit that writes the size exactly: "4GiB", "1536MiB", "10B". */
export function formatBytes(bytes: Bytes): string {
  for (const name of ["PiB", "TiB", "GiB", "MiB", "KiB"]) {
    const unit = sizeUnits.get(name) ?? 1n;
    if (bytes !== 0n && bytes % unit === 0n) return `${bytes / unit}${name}`;
  }
  return `${bytes}B`;
}
