/** An estimate is exact before it is rounded, and rounded once. */
import { expect, test } from "vitest";

import { costOfUse } from "./cost-of-use.ts";

const gpu = (quantity: string) => ({ sku: "gpu.T4", unit: "GPU-hour", quantity });

test("days are added before the price, and rounded once", () => {
  const { lines, total } = costOfUse(
    [
      gpu("0.000500"),
      gpu("0.000500"),
      { sku: "cpu.core", unit: "core-hour", quantity: "0.010000" },
    ],
    [
      { sku: "gpu.T4", unitPrice: "5" },
      { sku: "cpu.core", unitPrice: "0.5" },
    ],
  );
  // 0.005 yuan of each: a fen each when shown alone, and one together.
  expect(lines.map(({ sku, quantity, amount }) => [sku, quantity, amount])).toEqual([
    ["cpu.core", "0.010000", "0.01"],
    ["gpu.T4", "0.001000", "0.01"],
  ]);
  expect(total).toBe("0.01");
});

test("what has no price has no amount, and nothing used costs nothing", () => {
  const { lines, total } = costOfUse([gpu("2")], [{ sku: "gpu.T4", unitPrice: null }]);
  expect(lines[0]?.amount).toBeNull();
  expect(total).toBe("0.00");
  expect(costOfUse([], [])).toEqual({ lines: [], total: "0.00" });
});
