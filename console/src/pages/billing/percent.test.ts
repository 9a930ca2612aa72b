/** Rates as people write them, to the last digit. */
import { expect, test } from "vitest";

import { percentText } from "./percent.ts";

test.each([
  ["0.06", "6 %"],
  ["0.125", "12.5 %"],
  ["0", "0 %"],
  ["1", "100 %"],
  ["0.1", "10 %"],
  ["1/3", "1/3"],
])("%s is %s", (rate, text) => {
  expect(percentText(rate)).toBe(text);
});
