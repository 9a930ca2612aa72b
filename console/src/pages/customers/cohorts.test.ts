import { expect, test } from "vitest";

import { cohortGrid } from "./cohorts.ts";

test("each cohort is a row, the newest first, with a cell in the column of its month", () => {
  const grid = cohortGrid([
    {
      cohort: "2026-01",
      size: 3,
      months: [
        { month: "2026-02", active: 2, revenue: "10.00" },
        { month: "2026-04", active: 1, revenue: "5.00" },
      ],
    },
    {
      cohort: "2026-04",
      size: 1,
      months: [
        { month: "2026-04", active: 1, revenue: "1.00" },
        { month: "2026-05", active: 1, revenue: "1.00" },
      ],
    },
  ]);
  expect(grid.months).toEqual(["2026-02", "2026-04", "2026-05"]);
  expect(grid.rows.map(({ cohort }) => cohort)).toEqual(["2026-04", "2026-01"]);
  expect(grid.rows[0]?.cells).toMatchObject([undefined, { percent: 100 }, { percent: 100 }]);
  expect(grid.rows[1]?.cells).toMatchObject([
    { percent: 67 },
    { percent: 33, revenue: "5.00" },
    { percent: 0, active: 0, revenue: "0.00" },
  ]);
});

test("a cohort of nobody, from before registrations were known, does not divide by zero", () => {
  const months = [{ month: "2026-02", active: 1, revenue: "1.00" }];
  const { rows } = cohortGrid([{ cohort: "2026-01", size: 0, months }]);
  expect(rows[0]?.cells[0]?.percent).toBe(0);
});
