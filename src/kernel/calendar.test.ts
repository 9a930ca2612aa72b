import fc from "fast-check";
import { expect, test } from "vitest";

import {
  addDays,
  addMonths,
  addMonthsClamped,
  dayInterval,
  dayOf,
  daysOf,
  dayStart,
  isLocalDay,
  isoWeekOf,
  type IsoWeek,
  localDay,
  localMonth,
  monthInterval,
  monthOf,
  splitAtMidnights,
} from "./calendar.ts";
import { wholeSeconds } from "./interval.ts";
import { billingZone, isTimeZone, timeZone } from "./zone.ts";

const zones = [
  "Asia/Shanghai",
  "America/New_York",
  "Europe/Berlin",
  "America/St_Johns", // set its clock back at 00:01 until 2011
  "America/Sao_Paulo", // skipped midnight until 2018
  "Pacific/Apia", // skipped 30 December 2011
  "Africa/Casablanca",
  "Australia/Lord_Howe", // changes by half an hour
  "Asia/Kathmandu",
].map(timeZone);

const instants = fc.integer({ min: Date.UTC(1985, 0, 1), max: Date.UTC(2040, 0, 1) });

test("R-DAY-1: an instant lies in its local day, and in no other", () => {
  fc.assert(
    fc.property(fc.constantFrom(...zones), instants, (zone, at) => {
      const day = dayOf(zone, at);
      expect(dayStart(zone, day)).toBeLessThanOrEqual(at);
      expect(dayStart(zone, addDays(day, 1))).toBeGreaterThan(at);
    }),
    { numRuns: 2000 },
  );
});

test("R-DAY-1: the parts of an interval join to it, and their seconds add up", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...zones),
      instants,
      fc.integer({ min: 0, max: 400 * 86_400_000 }),
      (zone, from, lengthMs) => {
        const span = { from, until: from + lengthMs };
        const parts = splitAtMidnights(zone, span);
        let at = from;
        let seconds = 0n;
        for (const { day, part } of parts) {
          expect(part.from).toBe(at);
          expect(dayOf(zone, part.from)).toBe(day);
          expect(dayOf(zone, part.until - 1)).toBe(day);
          at = part.until;
          seconds += wholeSeconds(part);
        }
        expect(at).toBe(span.until);
        expect(seconds).toBe(wholeSeconds(span));
      },
    ),
    { numRuns: 100 },
  );
});

test("R-DAY-1: the arithmetic path of Shanghai agrees with the zone's rules", () => {
  const format = new Intl.DateTimeFormat("sv-SE", {
    timeZone: "Asia/Shanghai",
    dateStyle: "short",
  });
  fc.assert(
    fc.property(instants, (at) => {
      expect(dayOf(billingZone, at)).toBe(format.format(at));
    }),
    { numRuns: 2000 },
  );
});

test("R-DAY-2: a day has 23, 24 or 25 hours, as its zone says", () => {
  expect(hours("America/New_York", "2026-03-08")).toBe(23);
  expect(hours("America/New_York", "2026-11-01")).toBe(25);
  expect(hours("Europe/Berlin", "2026-03-29")).toBe(23);
  expect(hours("Europe/Berlin", "2026-10-25")).toBe(25);
  expect(hours("Australia/Lord_Howe", "2026-04-05")).toBe(24.5);
  expect(hours("America/Sao_Paulo", "2018-11-04")).toBe(23);
  expect(hours("Asia/Shanghai", "2026-03-08")).toBe(24);
  expect(hours("Asia/Shanghai", "1991-09-15")).toBe(25);
  expect(hours("Pacific/Apia", "2011-12-30")).toBe(0);
  expect(hours("Pacific/Apia", "2011-12-31")).toBe(24);
});

test("a day whose midnight came twice begins the first time", () => {
  const zone = timeZone("America/St_Johns");
  // At 00:01 on 7 November 2010 (UTC-2:30) the clock went back to 23:01 of the 6th.
  const midnight = Date.UTC(2010, 10, 7, 2, 30);
  expect(dayStart(zone, localDay("2010-11-07"))).toBe(midnight);
  expect(dayOf(zone, midnight + 30 * 60_000)).toBe("2010-11-07");
});

test("R-EXP-1: weeks are ISO weeks and cross months and years", () => {
  expect(week("2026-06-30")).toEqual({ name: "2026-W27", from: "2026-06-29", until: "2026-07-06" });
  expect(week("2027-01-01").name).toBe("2026-W53");
  expect(week("2024-12-30").name).toBe("2025-W01");
  expect(week("2026-01-01").name).toBe("2026-W01");
});

test("months: days of each add up, and the clamp comes back", () => {
  expect(monthOf(localDay("2026-05-31"))).toBe("2026-05");
  expect(addMonths(localMonth("2026-11"), 3)).toBe("2027-02");
  expect(addMonthsClamped(localDay("2026-01-31"), 1)).toBe("2026-02-28");
  expect(addMonthsClamped(localDay("2026-01-31"), 2)).toBe("2026-03-31");
  expect(addMonthsClamped(localDay("2028-02-29"), 12)).toBe("2029-02-28");
  const may = monthInterval(billingZone, localMonth("2026-05"));
  expect(new Date(may.from).toISOString()).toBe("2026-04-30T16:00:00.000Z");
  expect(splitAtMidnights(billingZone, may)).toHaveLength(31);
  expect(daysOf(localDay("2026-02-27"), localDay("2026-03-02"))).toEqual([
    "2026-02-27",
    "2026-02-28",
    "2026-03-01",
  ]);
});

test("what is no day, no month and no zone is refused", () => {
  for (const text of ["2026-02-29", "2026-13-01", "2026-1-1", "0050-01-01", "2026-01-01T00", ""]) {
    expect(isLocalDay(text)).toBe(false);
    expect(() => localDay(text)).toThrow("is no date");
  }
  expect(() => localMonth("2026-13")).toThrow("is no month");
  for (const name of ["Asia/Nowhere", "", "+08:00", "../etc/passwd"]) {
    expect(isTimeZone(name)).toBe(false);
  }
});

function hours(zone: string, day: string): number {
  const { from, until } = dayInterval(timeZone(zone), localDay(day));
  return (until - from) / 3_600_000;
}

function week(day: string): IsoWeek {
  return isoWeekOf(localDay(day));
}
