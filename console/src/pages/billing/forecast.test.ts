/** A forecast is exact in what it adds up, and knows where a month ends. */
import { expect, test } from "vitest";

import { forecastOf, monthEndIn } from "./forecast.ts";

const hour = 3_600_000;

test("what was spent, and the burn of the hours that are left, to the fen", () => {
  const of = { spent: "100.05", burnPerHour: "3.33", nowMs: 0 };
  expect(forecastOf({ ...of, monthEndMs: 10 * hour })).toEqual({
    more: "33.30",
    atMonthEnd: "133.35",
  });
  expect(forecastOf({ ...of, monthEndMs: hour / 2 }).more).toBe("1.67");
  // Over: nothing more comes.
  expect(forecastOf({ ...of, monthEndMs: -1 })).toEqual({ more: "0.00", atMonthEnd: "100.05" });
  // No float could hold it.
  expect(forecastOf({ ...of, spent: "90071992547409.93", monthEndMs: hour }).atMonthEnd).toBe(
    "90071992547413.26",
  );
});

test("a month ends at the zone's midnight, also over a change of the clock", () => {
  expect(end("Asia/Shanghai", "2026-11-21T17:00:00Z")).toBe("2026-11-30T16:00:00.000Z");
  expect(end("Asia/Shanghai", "2026-11-30T17:00:00Z")).toBe("2026-12-31T16:00:00.000Z");
  expect(end("UTC", "2026-12-31T23:59:59Z")).toBe("2027-01-01T00:00:00.000Z");
  expect(end("Europe/Berlin", "2026-10-10T00:00:00Z")).toBe("2026-10-31T23:00:00.000Z");
  expect(end("America/New_York", "2026-03-01T12:00:00Z")).toBe("2026-04-01T04:00:00.000Z");
});

function end(zone: string, now: string): string {
  return new Date(monthEndIn(zone, Date.parse(now))).toISOString();
}
