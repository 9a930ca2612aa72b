/** Quantities add up exactly, and the largest groups come first. */
import { expect, test } from "vitest";

import { largestGroups, millionthsOf, quantityText, totalsOf } from "./groups.ts";

const item = (group: string, bucket: string, quantity: string) => ({
  bucket,
  group,
  name: null,
  sku: "gpu.A100",
  unit: "GPU-hour",
  unitSeconds: "0",
  quantity,
});

test("sums are exact", () => {
  const [total] = totalsOf([item("a", "2026-05-01", "0.1"), item("a", "2026-05-02", "0.200001")]);
  expect(total?.millionths).toBe(300_001n);
  expect(quantityText(300_001n)).toBe("0.300001");
  expect(quantityText(12_500_000n)).toBe("12.5");
  expect(quantityText(0n)).toBe("0");
  expect(millionthsOf("1/3")).toBe(0n);
});

test("of many groups the largest are shown, and how many are left is said", () => {
  const items = Array.from({ length: 10 }, (_unused, index) =>
    item(`group ${index}`, "2026-05-01", String(index)),
  );
  const { shown, left } = largestGroups(items);
  expect(shown[0]?.group).toBe("group 9");
  expect(shown).toHaveLength(7);
  expect(left).toBe(3);
});
