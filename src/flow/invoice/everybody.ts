/** Closed invoices and credit notes of all tenants, as the operator reads them. */
import { z } from "zod";

import { newestFirst, type PageAsk } from "#db/keyset.ts";
import type { Queryable } from "#db/pool.ts";
import { join, sql, type Sql } from "#db/sql.ts";
import type { LocalMonth } from "#kernel/calendar.ts";

import { invoiceColumns, invoiceRow, invoiceSource, type Invoice } from "./invoices.ts";
import type { InvoiceState } from "./settle.ts";

const nameRow = z.object({ tenantId: z.string(), tenant: z.string() });
const rowOfAll = z.intersection(invoiceRow, nameRow);
export type InvoiceOfTenant = z.output<typeof rowOfAll>;

export interface InvoicesAsk extends PageAsk {
  readonly tenantId?: string | undefined;
  readonly month?: LocalMonth | undefined;
  readonly kind?: Invoice["kind"] | undefined;
  /** Of monthly ones; a credit note has none. */
  readonly state?: InvoiceState | undefined;
}

/** Newest first. */
export function invoicesOfAll(db: Queryable, ask: InvoicesAsk): Promise<InvoiceOfTenant[]> {
  const where: Sql[] = [newestFirst({ at: sql`i.finalized_at`, id: sql`i.id` }, ask)];
  if (ask.tenantId !== undefined) where.push(sql`i.tenant_id = ${ask.tenantId}::uuid`);
  if (ask.month !== undefined) where.push(sql`i.period = ${ask.month}`);
  if (ask.kind !== undefined) where.push(sql`i.kind = ${ask.kind}`);
  if (ask.state !== undefined) where.push(sql`s.state = ${ask.state}`);
  return db.rows(
    sql`select ${invoiceColumns}, i.tenant_id as "tenantId", t.display_name as tenant
      from ${invoiceSource} join tenant t on t.id = i.tenant_id
      where ${join(where, " and ")}
      order by i.finalized_at desc, i.id desc limit ${ask.limit}`,
    rowOfAll,
  );
}
