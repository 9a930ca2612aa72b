/**
 * Rows of `queue_outlook`: who waits for a pool in which order, and when each may start. One row for
 * each pool, because a start moves all behind it; not a column of their entries.
 */
import { z } from "zod";

import type { Queryable } from "#db/pool.ts";
import { sql } from "#db/sql.ts";

import type { StartRange } from "./forecast.ts";

export interface Outlook {
  readonly pool: string;
  /** First is next. */
  readonly requestIds: readonly string[];
  /** Undefined where nobody knows; single times may be Infinity. */
  readonly ranges: readonly (StartRange | undefined)[];
}

export async function writeOutlooks(
  db: Queryable,
  outlooks: readonly Outlook[],
  at: number,
): Promise<void> {
  const pools = outlooks.map(({ pool }) => pool);
  await db.execute(sql`delete from queue_outlook where not pool = any(${pools}::text[])`);
  for (const { pool, requestIds, ranges } of outlooks) {
    const times = (name: keyof StartRange): (number | null)[] =>
      ranges.map((range) => {
        const time = range?.[name];
        return time === undefined || !Number.isFinite(time) ? null : Math.round(time);
      });
    // oxlint-disable-next-line no-await-in-loop -- a few pools
    await db.execute(sql`
      insert into queue_outlook (pool, at, request_ids, earliest, likely, latest)
      values (${pool}, ${new Date(at)}, ${requestIds}::uuid[], ${times("earliest")}::int8[],
        ${times("likely")}::int8[], ${times("latest")}::int8[])
      on conflict (pool) do update set at = excluded.at, request_ids = excluded.request_ids,
        earliest = excluded.earliest, likely = excluded.likely, latest = excluded.latest`);
  }
}

const outlookRow = z
  .object({
    pool: z.string(),
    position: z.int(),
    waiting: z.int(),
    earliest: z.bigint().nullable(),
    likely: z.bigint().nullable(),
    latest: z.bigint().nullable(),
  })
  .transform((row) => ({
    pool: row.pool,
    position: row.position,
    waiting: row.waiting,
    earliest: row.earliest === null ? null : Number(row.earliest),
    likely: row.likely === null ? null : Number(row.likely),
    latest: row.latest === null ? null : Number(row.latest),
  }));
export type OutlookOfOne = z.output<typeof outlookRow>;

/** As the placer saw it last; undefined for what does not wait. The caller knows that it may ask. */
export function outlookOf(db: Queryable, requestId: string): Promise<OutlookOfOne | undefined> {
  return db.maybe(sql`select * from queue_outlook_of(${requestId})`, outlookRow);
}

const lineRow = z.object({ waiting: z.int(), latest: z.bigint().nullable() });

export interface Line {
  readonly waiting: number;
  /** When the last of them starts at the latest; null where nobody knows. */
  readonly latest: number | null;
}

/** Who waits for a pool: numbers only, for whoever thinks of asking. */
export async function lineOf(db: Queryable, pool: string): Promise<Line> {
  const found = await db.maybe(sql`select * from queue_line_of(${pool})`, lineRow);
  if (found === undefined) return { waiting: 0, latest: null };
  return { waiting: found.waiting, latest: found.latest === null ? null : Number(found.latest) };
}
