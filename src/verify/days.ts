/** Which local day an event lies in. */
import { addDays, dayOf, dayStart, type LocalDay } from "#kernel/calendar.ts";
import type { TimeZone } from "#kernel/zone.ts";

/** The local day that an event lies in, looked up once for each. */
export class Days {
  readonly #zone: TimeZone;
  #last: LocalDaySpan | undefined;
  readonly #byHour = new Map<number, LocalDaySpan>();

  constructor(zone: TimeZone) {
    this.#zone = zone;
  }

  /** `undefined` where it is empty, or goes on into another day. */
  of({ from, until }: { readonly from: number; readonly until: number }): LocalDay | undefined {
    const last = this.#last;
    const found =
      last !== undefined && from >= last.from && from < last.until ? last : this.#find(from);
    this.#last = found;
    return from < until && until <= found.until ? found.day : undefined;
  }

  isStart(instant: number): boolean {
    return this.#find(instant).from === instant;
  }

  #find(instant: number): LocalDaySpan {
    const hour = Math.floor(instant / hourMs);
    const known = this.#byHour.get(hour);
    // A day may begin within the hour.
    if (known !== undefined && instant >= known.from && instant < known.until) return known;
    const day = dayOf(this.#zone, instant);
    const from = dayStart(this.#zone, day);
    const found = { day, from, until: dayStart(this.#zone, addDays(day, 1)) };
    this.#byHour.set(hour, found);
    return found;
  }
}

interface LocalDaySpan {
  readonly day: LocalDay;
  readonly from: number;
  readonly until: number;
}

const hourMs = 3_600_000;
