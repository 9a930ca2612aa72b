/**
 * From a line of a bill down to what it rests on: where the month stood before and after it, under
 * which price, and every event of the day with its entry in the metering log. The line is rated again
 * from its quantities, so what is shown is how it came to be and not a story about it.
 */
import type { Queryable } from "#db/pool.ts";
import { sql } from "#db/sql.ts";
import { eventsWhere, type StoredEvent } from "#flow/meter/event-rows.ts";
import { checkpointCovering } from "#flow/meter/log-store.ts";
import { chargeLines } from "#flow/rate/charge-lines.ts";
import { rateMonth, type PriceOf } from "#flow/rate/decide.ts";
import type { ChargeLine } from "#flow/rate/lines.ts";
import { monthStart, type Running } from "#flow/rate/telescope.ts";
import { firstDay, monthOf, type LocalDay } from "#kernel/calendar.ts";
import { Failure } from "#kernel/failure.ts";
import { add, zero, type Rational } from "#kernel/rational.ts";

const eventsShownMax = 1000;

export interface Explanation {
  /** The day's own line, and adjustments for late usage after it. */
  readonly lines: readonly ChargeLine[];
  /** The month up to the end of the day before, and of this day. */
  readonly before: Running;
  readonly after: Running;
  /** In the order in which they were accepted; there are more if `isCut`. */
  readonly events: readonly StoredEvent[];
  readonly isCut: boolean;
  /** The first checkpoint that covers them; `undefined` until one does. */
  readonly checkpoint: { readonly size: number; readonly root: Uint8Array } | undefined;
}

/** Throws `not_found` if there is no such line. */
export async function explainLine(
  db: Queryable,
  ask: {
    readonly tenantId: string;
    readonly day: LocalDay;
    readonly sku: string;
    readonly priceOf: PriceOf;
  },
): Promise<Explanation> {
  const { tenantId, day, sku, priceOf } = ask;
  const month = monthOf(day);
  const range = { kind: "days", from: firstDay(month), through: day } as const;
  const ofSku = (await chargeLines(db, tenantId, range)).filter((line) => line.sku === sku);
  const lines = ofSku.filter((line) => line.serviceDay === day);
  if (lines.length === 0) {
    throw new Failure("not_found", `There is no line of ${sku} on ${day}.`);
  }
  const days = new Map<LocalDay, Rational>();
  for (const line of ofSku) {
    days.set(line.serviceDay, add(days.get(line.serviceDay) ?? zero, line.quantity));
  }
  const runningTo = (wanted: (each: LocalDay) => boolean): Running => {
    const some = new Map([...days].filter(([each]) => wanted(each)));
    const rated = rateMonth({ sku, month, days: some, priceOf });
    return rated.kind === "rated" ? rated.running : monthStart;
  };
  const where = sql`e.tenant_id = ${tenantId} and e.day = ${day}::date and e.sku = ${sku}`;
  const events = await eventsWhere(db, { where, limit: eventsShownMax + 1 });
  const last = Math.max(-1, ...events.map(({ leafIndex }) => leafIndex ?? -1));
  const checkpoint = last < 0 ? undefined : await checkpointCovering(db, last + 1);
  return {
    lines,
    before: runningTo((each) => each < day),
    after: runningTo(() => true),
    events: events.slice(0, eventsShownMax),
    isCut: events.length > eventsShownMax,
    checkpoint,
  };
}
