/**
 * IANA time zones and their offset from UTC at an instant, through Intl. Which local day an instant
 * lies in is calendar.ts.
 */
import type { Brand } from "./brand.ts";
import { Failure } from "./failure.ts";

export type TimeZone = Brand<string, "TimeZone">;

/** A formatter costs some 30 µs to make; there are about 600 zones. */
const formatsCachedMax = 1000;
const formats = new Map<string, Intl.DateTimeFormat>();

export function isTimeZone(name: string): name is TimeZone {
  if (formats.has(name)) return true;
  if (!/^[A-Za-z][A-Za-z0-9_+/-]{0,63}$/.test(name)) return false;
  try {
    keepFormat(name);
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

/** Throws `invalid_request` for a name that this runtime's zone data do not have. */
export function timeZone(name: string): TimeZone {
  if (isTimeZone(name)) return name;
  throw new Failure(
    "invalid_request",
    `${JSON.stringify(name.slice(0, 64))} is no IANA time zone.`,
  );
}

/** The zone whose days, weeks and months are billed unless an account carries another (R-DAY-1). */
export const billingZone: TimeZone = timeZone("Asia/Shanghai");

/** Local clock minus UTC at an instant, in milliseconds; a whole number of seconds. */
export function offsetMs(zone: TimeZone, instantMs: number): number {
  const format = formats.get(zone) ?? keepFormat(zone);
  const field = { year: 0, month: 0, day: 0, hour: 0, minute: 0, second: 0 };
  for (const { type, value } of format.formatToParts(instantMs)) {
    if (isField(type)) field[type] = Number(value);
  }
  const shown = Date.UTC(
    field.year,
    field.month - 1,
    field.day,
    field.hour,
    field.minute,
    field.second,
  );
  return shown - Math.floor(instantMs / 1000) * 1000;
}

function keepFormat(zone: string): Intl.DateTimeFormat {
  if (formats.size >= formatsCachedMax) formats.clear();
  const format = offsetFormat(zone);
  formats.set(zone, format);
  return format;
}

type ClockField = "year" | "month" | "day" | "hour" | "minute" | "second";

function isField(type: string): type is ClockField {
  return ["year", "month", "day", "hour", "minute", "second"].includes(type);
}

function offsetFormat(zone: string): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat("en-US", {
    timeZone: zone,
    calendar: "gregory",
    numberingSystem: "latn",
    hourCycle: "h23",
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
  });
}
