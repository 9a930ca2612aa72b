/**
 * Keyset pages: the rows after a position in an order that has no ties, (instant, id). Unlike an
 * offset, it neither skips nor repeats a row when others come and go meanwhile.
 */
import { sql, type Sql } from "./sql.ts";

export interface Position {
  /** Epoch milliseconds; the column is timestamptz(3), so that nothing is lost on the way. */
  readonly at: number;
  readonly id: string;
}

export interface PageAsk {
  /** The last row that the caller has. */
  readonly after: Position | undefined;
  readonly limit: number;
}

/** For `where …`; the columns must be the leading ones of an index after those compared with `=`. */
export function newestFirst(columns: { at: Sql; id: Sql }, { after }: PageAsk): Sql {
  if (after === undefined) return sql`true`;
  return sql`(${columns.at}, ${columns.id}) < (${new Date(after.at)}::timestamptz, ${after.id}::uuid)`;
}

export function oldestFirst(columns: { at: Sql; id: Sql }, { after }: PageAsk): Sql {
  if (after === undefined) return sql`true`;
  return sql`(${columns.at}, ${columns.id}) > (${new Date(after.at)}::timestamptz, ${after.id}::uuid)`;
}
