/** Months and quarters up to the one that runs, the newest first; pure. */

/** `today` is a day such as 2026-05-04. */
export function lastMonths(today: string, count: number): readonly string[] {
  const newest = monthNumber(today);
  return Array.from({ length: count }, (_unused, back) => monthText(newest - back));
}

export function lastQuarters(today: string, count: number): readonly string[] {
  const newest = Math.floor(monthNumber(today) / 3);
  return Array.from({ length: count }, (_unused, back) => {
    const quarter = newest - back;
    return `${Math.floor(quarter / 4)}-Q${(quarter % 4) + 1}`;
  });
}

function monthNumber(day: string): number {
  return Number(day.slice(0, 4)) * 12 + Number(day.slice(5, 7)) - 1;
}

function monthText(month: number): string {
  return `${Math.floor(month / 12)}-${String((month % 12) + 1).padStart(2, "0")}`;
}
