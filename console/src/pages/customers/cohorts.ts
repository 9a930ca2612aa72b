/** Cohorts as a grid: a row for each month of registration, a column for each month; pure. */

interface Cohort {
  readonly cohort: string;
  readonly size: number;
  readonly months: readonly {
    readonly month: string;
    readonly active: number;
    readonly revenue: string;
  }[];
}

interface CohortCell {
  readonly month: string;
  readonly active: number;
  readonly revenue: string;
  /** Of all who registered then. */
  readonly percent: number;
}

interface CohortGrid {
  readonly months: readonly string[];
  readonly rows: readonly {
    readonly cohort: string;
    readonly size: number;
    /** In the order of `months`; `undefined` before the cohort was there. */
    readonly cells: readonly (CohortCell | undefined)[];
  }[];
}

export function cohortGrid(cohorts: readonly Cohort[]): CohortGrid {
  const months = [
    ...new Set(cohorts.flatMap((each) => each.months.map(({ month }) => month))),
  ].toSorted();
  const rows = cohorts
    .toSorted((a, b) => (a.cohort < b.cohort ? 1 : -1))
    .map(({ cohort, size, months: own }) => ({
      cohort,
      size,
      cells: months.map((month) => {
        const found = own.find((each) => each.month === month);
        // Whoever is not named in a month used nothing in it.
        if (found === undefined) {
          return month < cohort ? undefined : { month, active: 0, revenue: "0.00", percent: 0 };
        }
        return { ...found, percent: size === 0 ? 0 : Math.round((found.active / size) * 100) };
      }),
    }));
  return { months, rows };
}
