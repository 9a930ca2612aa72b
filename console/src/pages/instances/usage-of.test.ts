/** What one instance used, out of the sums of all. */
import { expect, test } from "vitest";

import { usageOf } from "./usage-of.ts";

const item = (bucket: string, group: string, sku: string, quantity: string) => ({
  bucket,
  group,
  name: null,
  sku,
  unitSeconds: "1",
  quantity,
  unit: "GPU-hour",
});

test("days without use are zero, and what others used is left out", () => {
  const sums = {
    buckets: ["2026-05-03", "2026-05-04"],
    items: [
      item("2026-05-04", "a", "gpu.A100", "1.5"),
      item("2026-05-04", "b", "gpu.A100", "9"),
      item("2026-05-03", "a", "cpu.core", "2"),
    ],
  };
  expect(usageOf(sums, "a")).toEqual([
    { sku: "cpu.core", unit: "GPU-hour", quantities: ["2", "0"] },
    { sku: "gpu.A100", unit: "GPU-hour", quantities: ["0", "1.5"] },
  ]);
  expect(usageOf(sums, "c")).toEqual([]);
});
