import { expect, test } from "vitest";

import { lastMonths, lastQuarters } from "./periods.ts";

test("months and quarters go back over the year's end, the running one first", () => {
  expect(lastMonths("2026-02-28", 4)).toEqual(["2026-02", "2026-01", "2025-12", "2025-11"]);
  expect(lastQuarters("2026-04-01", 4)).toEqual(["2026-Q2", "2026-Q1", "2025-Q4", "2025-Q3"]);
  expect(lastQuarters("2026-12-31", 1)).toEqual(["2026-Q4"]);
});
