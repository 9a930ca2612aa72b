/** Rows of `idle_event`: what became of leases that nobody used, and each time that it was taken back. */
import { v7 as newId } from "uuid";
import { z } from "zod";

import { json } from "#db/json.ts";
import type { Queryable, Tx } from "#db/pool.ts";
import { instant } from "#db/row.ts";
import { sql } from "#db/sql.ts";

export const eventKinds = [
  "warned",
  "kept",
  "exempted",
  "active",
  "released",
  "snapshot_failed",
  "restored",
] as const;
export type EventKind = (typeof eventKinds)[number];

const details = z.object({
  name: z.string(),
  flavor: z.string(),
  /** Yuan, as the lease was quoted; null where it had no price. */
  hourly: z.string().nullable(),
  gpus: z.number(),
  /** What is particular to the kind: which signal, which snapshot, until when. */
  note: z.string(),
});
export type EventDetails = z.output<typeof details>;

export interface NewEvent {
  readonly tenantId: string;
  readonly requestId: string;
  readonly kind: EventKind;
  readonly details: EventDetails;
  readonly at: number;
}

export async function addIdleEvent(tx: Tx, event: NewEvent): Promise<void> {
  await tx.execute(sql`
    insert into idle_event (tenant_id, id, request_id, at, kind, details)
    values (${event.tenantId}, ${newId()}, ${event.requestId}, ${new Date(event.at)},
      ${event.kind}, ${json(event.details)})`);
}

const row = z
  .object({
    tenant_id: z.string(),
    tenant: z.string(),
    request_id: z.string(),
    at: instant,
    kind: z.enum(eventKinds),
    details,
  })
  .transform(({ tenant_id: tenantId, request_id: requestId, ...rest }) => ({
    tenantId,
    requestId,
    ...rest,
  }));
export type IdleEvent = z.output<typeof row>;

/** Of all tenants, oldest first; for the operator. At most `limit`. */
export function idleEvents(
  db: Queryable,
  of: { readonly from: number; readonly until: number; readonly limit: number },
): Promise<IdleEvent[]> {
  return db.rows(
    sql`select e.tenant_id, t.display_name as tenant, e.request_id, e.at, e.kind, e.details
      from idle_event e join tenant t on t.id = e.tenant_id
      where e.at >= ${new Date(of.from)} and e.at < ${new Date(of.until)}
      order by e.at, e.id limit ${of.limit}`,
    row,
  );
}
