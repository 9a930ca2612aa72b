/** What was really paid in: settled receipts minus refunds, from the `cash` account (R-CT-1). */
import { z } from "zod";

import type { Queryable } from "#db/pool.ts";
import { int8 } from "#db/row.ts";
import { sql } from "#db/sql.ts";
import { localDay, type LocalDay } from "#kernel/calendar.ts";
import { fen, type Fen } from "#kernel/money.ts";
import type { TimeZone } from "#kernel/zone.ts";

const row = z
  .object({ day: z.string(), amount: int8 })
  .transform((each) => ({ day: localDay(each.day), amount: fen(each.amount) }));

/** Per local day of settlement, oldest first; a day of refunds is negative. */
export function netPaidByDay(
  db: Queryable,
  tenantId: string,
  zone: TimeZone,
): Promise<{ readonly day: LocalDay; readonly amount: Fen }[]> {
  return db.rows(
    sql`select (j.at at time zone ${zone}::text)::date::text as day, -sum(p.amount)::int8 as amount
      from posting p join journal j on j.tenant_id = p.tenant_id and j.id = p.journal_id
      where p.tenant_id = ${tenantId} and p.account_kind = 'cash'
      group by 1 order by 1`,
    row,
  );
}
