/**
 * Statistics for tables that were filled before anybody looked at them. PostgreSQL looks by itself once
 * a minute at the most, and until then it takes a table of ten thousand open rows for one of a few:
 * plans that are good for those take seconds for these. One look is enough; from then on the estimates
 * grow with the table, and autovacuum keeps them.
 */
import { z } from "zod";

import type { Queryable } from "./pool.ts";
import { raw, sql } from "./sql.ts";

/** Below this any plan is good enough. */
const bytesMin = 64 * 1024;

const newRow = z.object({ name: z.string() });

/** The names of the tables that it looked at: those that hold something and had no statistics. */
export async function analyzeNew(db: Queryable, tables: readonly string[]): Promise<string[]> {
  const found = await db.rows(
    sql`select relname as name from pg_class
      where oid = any(${tables}::regclass[]) and reltuples < 0
        and pg_relation_size(oid) >= ${bytesMin}
      order by relname`,
    newRow,
  );
  const names = found.map(({ name }) => name);
  // Who else is at it does the same.
  if (names.length > 0) await db.execute(sql`analyze (skip_locked) ${raw(names.join(", "))}`);
  return names;
}
