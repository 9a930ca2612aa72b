import fc from "fast-check";
import { expect, test } from "vitest";

import { parseFen } from "#kernel/money.ts";

import { canonicalCode, codeAlphabet, codeOf, suspenseReason } from "./decide.ts";

test("a transfer settles an open payment of exactly its amount, and waits otherwise", () => {
  const payment = { isOpen: true, amount: parseFen("100.00") };
  expect(suspenseReason(payment, parseFen("100.00"))).toBeUndefined();
  expect(suspenseReason(payment, parseFen("99.99"))).toBe("partial");
  expect(suspenseReason(payment, parseFen("100.01"))).toBe("over");
  expect(suspenseReason({ ...payment, isOpen: false }, parseFen("100.00"))).toBe("not_open");
  expect(suspenseReason(undefined, parseFen("100.00"))).toBe("unknown_reference");
});

test("a code is found again however it was written on the transfer", () => {
  const digits = fc.array(fc.nat(codeAlphabet.length - 1), { minLength: 8, maxLength: 8 });
  fc.assert(
    fc.property(digits, (list) => {
      const code = codeOf(list);
      expect(code).toMatch(/^MR-[2-9A-Z]{4}-[2-9A-Z]{4}$/);
      for (const written of [
        code,
        code.toLowerCase(),
        code.replaceAll("-", " "),
        ` ${code.replaceAll("-", "")}. `,
      ]) {
        expect(canonicalCode(written)).toBe(code);
      }
    }),
  );
  expect(canonicalCode(" invoice 4711 ")).toBe("invoice 4711");
});
