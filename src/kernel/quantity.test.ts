import fc from "fast-check";
import { expect, test } from "vitest";

import {
  bytesFromText,
  bytesMax,
  byteSeconds,
  formatBytes,
  formatHours,
  gibDaysOf,
  gibUnits,
  hoursOf,
  isBytes,
  parseBytes,
  unitSeconds,
} from "./quantity.ts";
import { multiply, rational } from "./rational.ts";

const sizes = fc.bigInt({ min: 0n, max: bytesMax }).filter((value) => isBytes(value));

test("R-QTY-1: quantities are integers, hours only on output", () => {
  expect(unitSeconds(2n, 10_800n)).toBe(21_600n);
  expect(hoursOf(unitSeconds(1n, 5420n))).toEqual(rational(271n, 180n));
  expect(formatHours(unitSeconds(1n, 5420n))).toBe("1.506");
  expect(() => unitSeconds(-1n, 1n)).toThrow("never negative");
});

test("R-STO-1: a GiB·day is 2^30 bytes for 86400 seconds", () => {
  expect(gibDaysOf(byteSeconds(2n ** 30n, 86_400n))).toEqual(rational(1n));
  expect(gibDaysOf(byteSeconds(2n ** 29n, 43_200n))).toEqual(rational(1n, 4n));
});

test("a size survives text", () => {
  fc.assert(
    fc.property(sizes, (bytes) => {
      expect(parseBytes(formatBytes(bytes))).toBe(bytes);
    }),
  );
  expect(parseBytes("4GiB")).toBe(2n ** 32n);
  expect(parseBytes("4Gi")).toBe(2n ** 32n);
  expect(parseBytes("512 MiB")).toBe(2n ** 29n);
  expect(parseBytes("1.5GiB")).toBe(3n * 2n ** 29n);
  expect(parseBytes("1024")).toBe(1024n);
  expect(formatBytes(parseBytes("1.5GiB"))).toBe("1536MiB");
  expect(formatBytes(parseBytes("0"))).toBe("0B");
});

test("what is no size is refused, decimal units too", () => {
  for (const text of ["", "4GB", "4G", "-1GiB", "1.3B", "GiB", "1e3", "0.1KiB", "2048PiB", " 1"]) {
    expect(bytesFromText(text)).toBeUndefined();
    expect(() => parseBytes(text)).toThrow("is not a size");
  }
});

test("memory in GiB is an exact fraction", () => {
  expect(gibUnits(parseBytes("256MiB"))).toEqual({ units: 1n, slice: 4n });
  expect(gibUnits(parseBytes("1536MiB"))).toEqual({ units: 3n, slice: 2n });
  fc.assert(
    fc.property(sizes, (bytes) => {
      const { units, slice } = gibUnits(bytes);
      expect(multiply(rational(units, slice), rational(2n ** 30n))).toEqual(rational(bytes));
    }),
  );
});
