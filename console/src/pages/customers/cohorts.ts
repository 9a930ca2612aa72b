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
    /** In the order of `months`; `undefined` where nothing was used. */
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
        if (found === undefined) return undefined;
        return { ...found, percent: size === 0 ? 0 : Math.round((found.active / size) * 100) };
      }),
    }));
  return { months, rows };
}
