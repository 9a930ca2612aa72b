/** A quantity keeps each digit that says something. */
import { expect, test } from "vitest";

import { shortQuantity } from "./quantity.ts";

test("zeros at the end go, others stay, and so does what is no quantity", () => {
  expect(
    ["32.000000", "0.891088", "10.500000", "100", "0.000000", "-2.50", "1/3"].map(shortQuantity),
  ).toEqual(["32", "0.891088", "10.5", "100", "0", "-2.5", "1/3"]);
});
