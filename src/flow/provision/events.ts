/** Reading `request_event`. */
import { z } from "zod";

import { oldestFirst, type PageAsk } from "#db/keyset.ts";
import type { Queryable } from "#db/pool.ts";
import { instant } from "#db/row.ts";
import { sql } from "#db/sql.ts";

const row = z.object({
  id: z.string(),
  at: instant,
  kind: z.string(),
  message: z.string(),
  details: z.record(z.string(), z.unknown()),
});
export type RequestEvent = z.output<typeof row>;

export function leaseEvents(
  db: Queryable,
  of: { readonly tenantId: string; readonly requestId: string },
  ask: PageAsk,
): Promise<RequestEvent[]> {
  const position = { at: sql`at`, id: sql`id` };
  return db.rows(
    sql`select id, at, kind, message, details from request_event
      where tenant_id = ${of.tenantId} and request_id = ${of.requestId}
        and ${oldestFirst(position, ask)}
      order by at, id limit ${ask.limit}`,
    row,
  );
}
