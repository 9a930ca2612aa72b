/**
 * Where the month leads if all goes on as now: what was spent, and the burn until the month's end.
 * Exact sums of what the API said; a forecast all the same, and shown as one.
 */
import { amountOf, fenOf } from "#console/components/money.tsx";

const hourMs = 3_600_000;

export interface Forecast {
  readonly atMonthEnd: string;
  readonly more: string;
}

export function forecastOf(of: {
  readonly spent: string;
  readonly burnPerHour: string;
  readonly nowMs: number;
  readonly monthEndMs: number;
}): Forecast {
  const leftMs = BigInt(Math.max(0, Math.round(of.monthEndMs - of.nowMs)));
  const product = fenOf(of.burnPerHour) * leftMs;
  const half = BigInt(hourMs / 2);
  const more = (product + half) / BigInt(hourMs);
  return { more: amountOf(more), atMonthEnd: amountOf(fenOf(of.spent) + more) };
}

/** The first instant of the next month in a zone. */
export function monthEndIn(timeZone: string, nowMs: number): number {
  const parts = wallClock(timeZone, nowMs);
  const target = Date.UTC(parts.year, parts.month, 1);
  // The zone's distance from UTC there, found by looking twice: it may differ from the one of now.
  let at = target;
  for (let look = 0; look < 2; look += 1) {
    const seen = wallClock(timeZone, at);
    at += target - Date.UTC(seen.year, seen.month - 1, seen.day, seen.hour, seen.minute);
  }
  return at;
}

interface WallClock {
  readonly year: number;
  /** From 1. */
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
}

function wallClock(timeZone: string, at: number): WallClock {
  // The Swedish way to write an instant is the one of ISO 8601.
  const text = new Intl.DateTimeFormat("sv-SE", {
    timeZone,
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
  }).format(at);
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0] = (text.match(/[0-9]+/g) ?? []).map(
    Number,
  );
  return { year, month, day, hour, minute };
}
