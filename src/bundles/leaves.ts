/**
 * Which events a bundle has, and which revision of a line each of them came for: the first one that
 * that had it when it was posted, as the leaf ranges on a bill say (flow/invoice/leaves.ts).
 */
import { z } from "zod";

import type { Queryable } from "#db/pool.ts";
import { instant, size } from "#db/row.ts";
import { join, sql } from "#db/sql.ts";
import type { ReceivedThrough } from "#flow/rate/charge-lines.ts";
import type { ChargeLine } from "#flow/rate/lines.ts";
import type { LocalMonth } from "#kernel/calendar.ts";
import { Failure } from "#kernel/failure.ts";
import { eventsMax } from "#verify/format.ts";

import { daysOf, type LinesOfBill } from "./lines.ts";

const row = z.object({
  leaf_index: size,
  received: size,
  leaf_hash: z.instanceof(Buffer),
  day: z.string(),
  sku: z.string(),
  received_at: instant,
  counted: z.boolean(),
});
export type EventLeaf = z.output<typeof row>;

/** By leaf index, of a log of so many leaves. */
export async function leavesOfBill(
  db: Queryable,
  of: {
    readonly tenantId: string;
    readonly month: LocalMonth;
    readonly earlier: LinesOfBill["earlier"];
    readonly logSize: number;
  },
): Promise<EventLeaf[]> {
  const { from, through } = daysOf(of.month);
  const wanted = [
    sql`e.day between ${from}::date and ${through}::date`,
    ...of.earlier.map(({ month, skus }) => {
      const days = daysOf(month);
      return sql`(e.day between ${days.from}::date and ${days.through}::date
        and e.sku = any(${skus}::text[]))`;
    }),
  ];
  const rows = await db.rows(
    sql`select l.leaf_index, e.received, e.leaf_hash, e.day::text, e.sku, e.received_at, e.counted
      from usage_event e join log_entry l on l.received = e.received
      where e.tenant_id = ${of.tenantId} and l.leaf_index < ${of.logSize}::int8
        and (${join(wanted, " or ")})
      order by l.leaf_index limit ${eventsMax + 1}`,
    row,
  );
  if (rows.length <= eventsMax) return rows;
  throw new Failure("invalid_request", `${of.month} has more than ${eventsMax} events.`);
}

/** Exact where the rater wrote down how far it saw; by the clock for lines of before that. */
function hasTaken(
  { postedAt }: ChargeLine,
  event: EventLeaf,
  through: number | undefined,
): boolean {
  if (postedAt === undefined) return true;
  return through === undefined ? event.received_at <= postedAt : event.received <= through;
}

export interface Assigned {
  /** By line, where an earlier revision has the others. */
  readonly ofLine: (line: ChargeLine) => readonly number[] | undefined;
  /** Events of a day that was posted, which no line has yet. */
  readonly after: readonly number[];
  readonly uncounted: readonly number[];
}

export function assignLeaves(
  leaves: readonly EventLeaf[],
  lines: readonly ChargeLine[],
  through: ReceivedThrough,
): Assigned {
  const byDay = Map.groupBy(lines, ({ serviceDay, sku }) => `${serviceDay} ${sku}`);
  const named = new Map<ChargeLine, number[]>();
  const after: number[] = [];
  for (const event of leaves) {
    const { leaf_index: leaf, day, sku } = event;
    const ofDay = byDay.get(`${day} ${sku}`);
    if (ofDay === undefined) continue;
    const line = ofDay.find((each) => hasTaken(each, event, through(each)));
    if (line === undefined) after.push(leaf);
    else if (line !== ofDay[0]) named.set(line, [...(named.get(line) ?? []), leaf]);
  }
  return {
    ofLine: (line) => named.get(line),
    after,
    uncounted: leaves.filter(({ counted }) => !counted).map((each) => each.leaf_index),
  };
}
