/** Amounts are shown as the API wrote them, grouped, and added exactly. */
import { expect, test } from "vitest";

import { amountOf, fenOf, moneyText } from "./money.tsx";

test("an amount is grouped and keeps its digits", () => {
  expect(moneyText("0.00")).toBe("¥0.00");
  expect(moneyText("1234567.80")).toBe("¥1,234,567.80");
  expect(moneyText("-12.50")).toBe("−¥12.50");
  expect(moneyText("12.50", true)).toBe("+¥12.50");
  expect(moneyText("9007199254740993.01")).toBe("¥9,007,199,254,740,993.01");
});

test("sums are exact beyond what a number holds", () => {
  expect(amountOf(fenOf("9007199254740993.01") + fenOf("-0.02"))).toBe("9007199254740992.99");
  expect(amountOf(fenOf("-0.05"))).toBe("-0.05");
  expect(fenOf("3")).toBe(300n);
});
