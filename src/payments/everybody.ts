/** Payments of all tenants, as the operator reads them. */
import { z } from "zod";

import { newestFirst, type PageAsk } from "#db/keyset.ts";
import type { Queryable } from "#db/pool.ts";
import { join, sql, type Sql } from "#db/sql.ts";

import { paymentColumns, paymentRow, type Payment } from "./store.ts";

const nameRow = z.object({ tenant: z.string() });
const rowOfAll = z.intersection(paymentRow, nameRow);
export type PaymentOfTenant = z.output<typeof rowOfAll>;

export interface PaymentsAsk extends PageAsk {
  readonly tenantId?: string | undefined;
  readonly state?: Payment["state"] | undefined;
}

/** Newest first. */
export function paymentsOfAll(db: Queryable, ask: PaymentsAsk): Promise<PaymentOfTenant[]> {
  const where: Sql[] = [newestFirst({ at: sql`p.created_at`, id: sql`p.id` }, ask)];
  if (ask.tenantId !== undefined) where.push(sql`p.tenant_id = ${ask.tenantId}::uuid`);
  if (ask.state !== undefined) where.push(sql`p.state = ${ask.state}`);
  return db.rows(
    sql`select ${paymentColumns}, t.display_name as tenant
      from payment p join tenant t on t.id = p.tenant_id
      where ${join(where, " and ")}
      order by p.created_at desc, p.id desc limit ${ask.limit}`,
    rowOfAll,
  );
}
