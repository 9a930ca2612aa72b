/** Stretches of days are those of the API, and amounts add up to the fen. */
import { expect, test } from "vitest";

import { amountsBy, bucketName, bucketOf, bucketsIn } from "./buckets.ts";

const range = { from: "2026-05-01", through: "2026-05-12" };

test("weeks begin on Mondays, months on their first day, the first one where the range does", () => {
  expect(bucketsIn(range, "week")).toEqual(["2026-05-01", "2026-05-04", "2026-05-11"]);
  expect(bucketsIn({ from: "2026-04-29", through: "2026-06-01" }, "month")).toEqual([
    "2026-04-29",
    "2026-05-01",
    "2026-06-01",
  ]);
  expect(bucketsIn(range, "day")).toHaveLength(12);
  expect(bucketOf("2026-05-10", "week", range.from)).toBe("2026-05-04");
  expect(bucketName("2026-05-04", "week")).toBe("2026-W19");
  expect(bucketName("2026-05-04", "month")).toBe("2026-05");
});

test("amounts of a stretch are exact, also negative ones and those of no float", () => {
  const { amount, skus } = amountsBy(
    [
      { date: "2026-05-04", sku: "gpu.A100", amount: "0.10" },
      { date: "2026-05-05", sku: "gpu.A100", amount: "0.20" },
      { date: "2026-05-05", sku: "gpu.A100", amount: "-0.05" },
      { date: "2026-05-05", sku: "cpu", amount: "90071992547409.93" },
      { date: "2026-04-30", sku: "old", amount: "9.00" },
    ],
    range,
    "week",
  );
  expect(skus).toEqual(["cpu", "gpu.A100"]);
  expect(amount("2026-05-04", "gpu.A100")).toBe("0.25");
  expect(amount("2026-05-04", "cpu")).toBe("90071992547409.93");
  expect(amount("2026-05-11", "cpu")).toBe("0.00");
});
