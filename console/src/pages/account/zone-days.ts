/** Where a local day of a zone begins and ends, as instants that the API takes. */

/** The first instant of YYYY-MM-DD in the zone, also on a day on which its clocks change. */
export function dayBegin(day: string, timeZone: string): string {
  const wanted = Date.parse(`${day}T00:00:00Z`);
  // Two looks: the offset at the guess may not be the one at the answer.
  const first = wanted - offsetMs(wanted, timeZone);
  return new Date(wanted - offsetMs(first, timeZone)).toISOString();
}

/** The first instant after it. */
export function dayEnd(day: string, timeZone: string): string {
  const next = new Date(Date.parse(`${day}T00:00:00Z`) + 86_400_000).toISOString().slice(0, 10);
  return dayBegin(next, timeZone);
}

function offsetMs(at: number, timeZone: string): number {
  // As the zone's clock says it, in the Swedish way, which is nearly that of ISO 8601.
  const local = new Intl.DateTimeFormat("sv-SE", {
    timeZone,
    dateStyle: "short",
    timeStyle: "medium",
  }).format(at);
  return Date.parse(`${local.replace(" ", "T")}Z`) - Math.floor(at / 1000) * 1000;
}
