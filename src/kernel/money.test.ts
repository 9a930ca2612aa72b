import fc from "fast-check";
import { expect, test } from "vitest";

import {
  addFen,
  fen,
  fenFromText,
  fenMax,
  formatFen,
  negateFen,
  parseFen,
  subtractFen,
  sumFen,
} from "./money.ts";

const amounts = fc.bigInt({ min: -fenMax, max: fenMax }).map(fen);

test("R-CUR-1: an amount survives the wire", () => {
  fc.assert(
    fc.property(amounts, (amount) => {
      const text = formatFen(amount);
      expect(text).toMatch(/^-?\d+\.\d\d$/);
      expect(parseFen(text)).toBe(amount);
    }),
  );
});

test("R-CUR-1: amounts in the forms that people write", () => {
  expect(parseFen("12.50")).toBe(1250n);
  expect(parseFen("12.5")).toBe(1250n);
  expect(parseFen("12")).toBe(1200n);
  expect(parseFen("-0.05")).toBe(-5n);
  expect(parseFen("0")).toBe(0n);
  expect(parseFen("-0.00")).toBe(0n);
  expect(formatFen(fen(-5n))).toBe("-0.05");
  expect(formatFen(fen(0n))).toBe("0.00");
  expect(parseFen("10000000000000.00")).toBe(fenMax);
});

test("R-CUR-1: nothing else is an amount", () => {
  const wrong = ["", " 1", "1 ", "+1", "1.", ".5", "1.234", "1e3", "01", "00", "1,000", "NaN"];
  const beyond = [
    "10000000000000.01",
    "-10000000000000.01",
    "99999999999999999999",
    "9".repeat(1e5),
  ];
  for (const text of [...wrong, ...beyond, "0x10", "１２", "1\n", "--1", "¥1", "Infinity"]) {
    expect(fenFromText(text)).toBeUndefined();
    expect(() => parseFen(text)).toThrow("is not an amount in yuan");
  }
  fc.assert(
    fc.property(fc.string(), (text) => {
      expect(fenFromText(text) === undefined || /^-?\d+(\.\d\d?)?$/.test(text)).toBe(true);
    }),
  );
});

test("sums are exact and stay within the bound", () => {
  fc.assert(
    fc.property(fc.array(fc.bigInt({ min: -(10n ** 12n), max: 10n ** 12n }).map(fen)), (list) => {
      const total = sumFen(list);
      expect(sumFen(list.toReversed())).toBe(total);
      expect(addFen(total, negateFen(total))).toBe(0n);
      expect(subtractFen(total, total)).toBe(0n);
    }),
  );
  expect(() => addFen(fen(fenMax), fen(1n))).toThrow("beyond 10000000000000.00 yuan");
});
