/**
 * The book of all tenants, as the operator reads it: journals by tenant, kind, account and time, and
 * its sums. Only read; what makes a journal stands in store.ts.
 */
import { z } from "zod";

import { newestFirst, type PageAsk } from "#db/keyset.ts";
import type { Queryable } from "#db/pool.ts";
import { size } from "#db/row.ts";
import { join, sql, type Sql } from "#db/sql.ts";

import { amount } from "./accounts.ts";
import { accountKinds, type AccountKind, type JournalKind } from "./journal.ts";
import { journalColumns, journalRow } from "./store.ts";

const rowOfAll = journalRow.extend({ tenantId: z.string(), tenant: z.string() });
export type JournalOfTenant = z.output<typeof rowOfAll>;

export interface JournalsAsk extends PageAsk {
  readonly tenantId?: string | undefined;
  readonly kind?: JournalKind | undefined;
  /** With a posting on such an account. */
  readonly account?: AccountKind | undefined;
  /** Epoch milliseconds; `until` is not included. */
  readonly since?: number | undefined;
  readonly until?: number | undefined;
}

/** Newest first. */
export function journalsOfAll(db: Queryable, ask: JournalsAsk): Promise<JournalOfTenant[]> {
  const where: Sql[] = [newestFirst({ at: sql`j.at`, id: sql`j.id` }, ask)];
  if (ask.tenantId !== undefined) where.push(sql`j.tenant_id = ${ask.tenantId}::uuid`);
  if (ask.kind !== undefined) where.push(sql`j.kind = ${ask.kind}`);
  if (ask.since !== undefined) where.push(sql`j.at >= ${new Date(ask.since)}::timestamptz`);
  if (ask.until !== undefined) where.push(sql`j.at < ${new Date(ask.until)}::timestamptz`);
  if (ask.account !== undefined) {
    where.push(sql`exists (select from posting p where p.tenant_id = j.tenant_id
      and p.journal_id = j.id and p.account_kind = ${ask.account})`);
  }
  return db.rows(
    sql`select ${journalColumns}, j.tenant_id as "tenantId", t.display_name as tenant
      from journal j join tenant t on t.id = j.tenant_id
      where ${join(where, " and ")}
      order by j.at desc, j.id desc limit ${ask.limit}`,
    rowOfAll,
  );
}

const sumRow = z.object({ account: z.enum(accountKinds), balance: amount });
const countRow = z.object({ tenants: size, journals: size, postings: size });

export interface BookSums extends z.output<typeof countRow> {
  readonly accounts: z.output<typeof sumRow>[];
}

/** Of all tenants together, by account. Counts every posting. */
export async function bookSums(db: Queryable): Promise<BookSums> {
  const accounts = await db.rows(
    sql`select kind as account, sum(balance)::int8 as balance from account group by kind order by kind`,
    sumRow,
  );
  const counts = await db.one(
    sql`select (select count(distinct tenant_id) from account) as tenants,
      (select count(*) from journal) as journals, (select count(*) from posting) as postings`,
    countRow,
  );
  return { ...counts, accounts };
}
