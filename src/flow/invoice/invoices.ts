/**
 * Rows of `invoice` and `invoice_state`: closed months, credit notes, and what became of them. What
 * must stay true: a month is closed once, after its last day was posted; a document never changes;
 * an invoice is void only with the credit note that takes it back.
 */
import { hash } from "node:crypto";

import canonicalize from "canonicalize";
import { v7 as newId } from "uuid";
import { z } from "zod";

import type { Queryable, Tx } from "#db/pool.ts";
import { instant } from "#db/row.ts";
import { join, sql } from "#db/sql.ts";
import { present } from "#kernel/assert.ts";
import {
  isLocalDay,
  isLocalMonth,
  localDay,
  localMonth,
  type LocalDay,
  type LocalMonth,
} from "#kernel/calendar.ts";
import { fen, negateFen, parseFen, type Fen } from "#kernel/money.ts";

import type { Statement } from "./decide.ts";
import type { InvoiceState } from "./settle.ts";

const month = z
  .string()
  .refine(isLocalMonth)
  .transform((text) => localMonth(text));
const day = z
  .string()
  .refine(isLocalDay)
  .transform((text) => localDay(text));

export interface Invoice {
  readonly id: string;
  readonly kind: "monthly" | "credit_note";
  readonly number: string;
  readonly period: LocalMonth;
  readonly gross: Fen;
  readonly net: Fen;
  readonly vat: Fen;
  /** What was not paid when its lines were posted. */
  readonly owed: Fen;
  /** Of the document in canonical form. */
  readonly sha256: string | null;
  /** `null` for a credit note. */
  readonly dueOn: LocalDay | null;
  readonly voidsId: string | null;
  readonly reason: string | null;
  readonly finalizedAt: number;
  /** `null` for a credit note. */
  readonly state: InvoiceState | null;
  readonly outstanding: Fen;
  readonly paidAt: number | null;
}

export const invoiceRow = z
  .object({
    id: z.string(),
    kind: z.enum(["monthly", "credit_note"]),
    number: z.string(),
    period: month,
    gross: z.bigint(),
    net: z.bigint(),
    vat: z.bigint(),
    owed: z.bigint(),
    document_sha256: z.string().nullable(),
    due_on: day.nullable(),
    voids_id: z.string().nullable(),
    reason: z.string().nullable(),
    finalized_at: instant,
    state: z.enum(["final", "paid", "overdue", "void"]).nullable(),
    outstanding: z.bigint().nullable(),
    paid_at: instant.nullable(),
  })
  .transform((row): Invoice => ({
    id: row.id,
    kind: row.kind,
    number: row.number,
    period: row.period,
    gross: fen(row.gross),
    net: fen(row.net),
    vat: fen(row.vat),
    owed: fen(row.owed),
    sha256: row.document_sha256,
    dueOn: row.due_on,
    voidsId: row.voids_id,
    reason: row.reason,
    finalizedAt: row.finalized_at,
    state: row.state,
    outstanding: fen(row.outstanding ?? 0n),
    paidAt: row.paid_at,
  }));

export const invoiceColumns = sql`i.id, i.kind, i.number, i.period, i.gross, i.net, i.vat, i.owed,
  i.document_sha256, i.due_on::text, i.voids_id, i.reason, i.finalized_at, s.state, s.outstanding,
  s.paid_at`;
export const invoiceSource = sql`invoice i left join invoice_state s
  on s.tenant_id = i.tenant_id and s.invoice_id = i.id`;

export interface InvoicePosition {
  readonly at: number;
  readonly id: string;
}

/** Newest first, credit notes among them. */
export function listInvoices(
  db: Queryable,
  tenantId: string,
  ask: { readonly after: InvoicePosition | undefined; readonly limit: number },
): Promise<Invoice[]> {
  const { after } = ask;
  const where =
    after === undefined
      ? sql`true`
      : sql`(i.finalized_at, i.id) < (${new Date(after.at)}::timestamptz, ${after.id}::uuid)`;
  return db.rows(
    sql`select ${invoiceColumns} from ${invoiceSource} where i.tenant_id = ${tenantId} and ${where}
      order by i.finalized_at desc, i.id desc limit ${ask.limit}`,
    invoiceRow,
  );
}

/** By id or number. */
export function findInvoice(
  db: Queryable,
  tenantId: string,
  text: string,
): Promise<Invoice | undefined> {
  const which = z.uuid().safeParse(text).success ? sql`i.id = ${text}` : sql`i.number = ${text}`;
  return db.maybe(
    sql`select ${invoiceColumns} from ${invoiceSource} where i.tenant_id = ${tenantId} and ${which}`,
    invoiceRow,
  );
}

/** The whole document as it was closed. */
export async function invoiceDocument(
  db: Queryable,
  tenantId: string,
  id: string,
): Promise<unknown> {
  const { document } = await db.one(
    sql`select document from invoice where tenant_id = ${tenantId} and id = ${id}`,
    z.object({ document: z.unknown() }),
  );
  return document;
}

/** Canonical bytes of a document, and their hash. */
export function documentOf(value: unknown): { readonly text: string; readonly sha256: string } {
  const text = present(canonicalize(value), "a document is JSON");
  return { text, sha256: sha256Of(text) };
}

function sha256Of(text: string): string {
  return hash("sha256", text);
}

export interface NewInvoice {
  readonly statement: Statement;
  readonly dueOn: LocalDay;
}

/**
 * Writes closed months of many tenants, each with its state; those that were closed before stay as
 * they are. Gives how many were written.
 */
export async function insertInvoices(
  tx: Tx,
  ask: {
    readonly month: LocalMonth;
    readonly invoices: readonly NewInvoice[];
    readonly now: number;
  },
): Promise<number> {
  const { month: period, invoices, now } = ask;
  const rows = invoices.map(({ statement, dueOn }) => {
    const id = newId();
    // A statement is written in canonical order (decide.ts). A parameter of its own: in an array it
    // would be escaped character by character, a quarter of what a month costs to close.
    const text = JSON.stringify(statement);
    const { tenant, total, net, vat, paidBy } = statement;
    return sql`(${tenant.id}::uuid, ${id}::uuid, ${numberOf("MR", period, id)}, ${parseFen(total)}::int8,
      ${parseFen(net)}::int8, ${parseFen(vat)}::int8, ${parseFen(paidBy.owed)}::int8,
      ${text}::jsonb, ${sha256Of(text)}, ${dueOn}::date)`;
  });
  if (rows.length === 0) return 0;
  return tx.execute(sql`
    with written as (
      insert into invoice (tenant_id, id, kind, number, period, gross, net, vat, owed, document,
        document_sha256, due_on, finalized_at)
      select tenant_id, id, 'monthly', number, ${period}, gross, net, vat, owed, document, sha256,
        due_on, ${new Date(now)}::timestamptz
      from (values ${join(rows)})
        as given(tenant_id, id, number, gross, net, vat, owed, document, sha256, due_on)
      on conflict on constraint invoice_period do nothing
      returning tenant_id, id, owed
    )
    insert into invoice_state (tenant_id, invoice_id, state, outstanding, changed_at)
    select tenant_id, id, 'final', greatest(owed, 0), ${new Date(now)}::timestamptz from written`);
}

export interface NewCreditNote {
  readonly tenantId: string;
  readonly invoice: Invoice;
  readonly reason: string;
  readonly now: number;
}

/** The document that takes an invoice back; false if one has done so already. */
export async function insertCreditNote(tx: Tx, ask: NewCreditNote): Promise<boolean> {
  const { tenantId, invoice, reason, now } = ask;
  const id = newId();
  const { text, sha256 } = documentOf({ voids: invoice.number, sha256: invoice.sha256, reason });
  const written = await tx.execute(sql`
    insert into invoice (tenant_id, id, kind, number, period, gross, net, vat, document,
      document_sha256, voids_id, reason, finalized_at)
    values (${tenantId}, ${id}, 'credit_note', ${numberOf("CN", invoice.period, id)},
      ${invoice.period}, ${negateFen(invoice.gross)}::int8, ${negateFen(invoice.net)}::int8, ${negateFen(invoice.vat)}::int8,
      ${text}::jsonb, ${sha256}, ${invoice.id}, ${reason}, ${new Date(now)})
    on conflict do nothing`);
  if (written === 0) return false;
  await setState(tx, { tenantId, id: invoice.id, state: "void", outstanding: fen(0n), now });
  return true;
}

/** "MR-2026-05-1a2b3c4d": the random end of a version 7 id tells months of tenants apart. */
function numberOf(prefix: string, period: LocalMonth, id: string): string {
  return `${prefix}-${period}-${id.replaceAll("-", "").slice(-8)}`;
}

export async function setState(
  tx: Tx,
  ask: {
    readonly tenantId: string;
    readonly id: string;
    readonly state: InvoiceState;
    readonly outstanding: Fen;
    readonly now: number;
  },
): Promise<void> {
  const { tenantId, id, state, outstanding, now } = ask;
  await tx.execute(sql`
    update invoice_state set outstanding = ${outstanding}::int8, state = ${state},
      changed_at = case when state = ${state} then changed_at else ${new Date(now)}::timestamptz end,
      paid_at = case when ${state} = 'paid'
        then coalesce(paid_at, ${new Date(now)}::timestamptz) else paid_at end
    where tenant_id = ${tenantId} and invoice_id = ${id}
      and (state, outstanding) is distinct from (${state}, ${outstanding}::int8)`);
}

/** Invoices whose money is not settled, newest first, locked until the transaction ends. */
export async function lockUnsettled(tx: Tx, tenantId: string): Promise<Invoice[]> {
  await tx.execute(sql`
    select from invoice_state where tenant_id = ${tenantId} and state in ('final', 'overdue')
    order by invoice_id for update`);
  return tx.rows(
    sql`select ${invoiceColumns} from ${invoiceSource}
      where i.tenant_id = ${tenantId} and s.state in ('final', 'overdue')
      order by i.period desc`,
    invoiceRow,
  );
}

/** Tenants with invoices that are not settled. By id. */
export async function tenantsUnsettled(
  db: Queryable,
  ask: { readonly after: string | undefined; readonly limit: number },
): Promise<string[]> {
  const rows = await db.rows(
    sql`select distinct tenant_id from invoice_state
      where state in ('final', 'overdue')
        and ${ask.after === undefined ? sql`true` : sql`tenant_id > ${ask.after}::uuid`}
      order by tenant_id limit ${ask.limit}`,
    z.object({ tenant_id: z.string() }),
  );
  return rows.map(({ tenant_id: tenantId }) => tenantId);
}

/** What became owed by lines that no invoice has yet. */
export async function owedOutsideInvoices(db: Queryable, tenantId: string): Promise<Fen> {
  const { owed } = await db.one(
    sql`select coalesce(sum(c.paid_receivable), 0)::int8 as owed from charge_line c
      where c.tenant_id = ${tenantId} and c.state = 'posted'
        and c.billed_month > coalesce((select max(i.period) from invoice i
          where i.tenant_id = ${tenantId} and i.kind = 'monthly'), '')`,
    z.object({ owed: z.bigint() }),
  );
  return maxOf(fen(owed));
}

function maxOf(amount: Fen): Fen {
  return amount > 0n ? amount : fen(0n);
}

const dueRow = z.object({
  tenantId: z.string(),
  name: z.string(),
  month,
  timeZone: z.string(),
});
export type MonthToClose = z.output<typeof dueRow>;

/** A month ends for billing so long after its last day. */
const settlesMs = 48 * 3_600_000;

/**
 * Months that have ended for billing and have no invoice yet: of each tenant the earliest, by tenant.
 * With usage that is when the last day is posted; without any, 48 hours after it. None before a
 * closed one is looked at: what comes later is billed in the month that is open then. Nor while an
 * event of its days waits for the metering log, as an invoice names the entries that it rests on. A few
 * index look-ups a tenant, whatever he ever used.
 */
export function monthsToClose(
  db: Queryable,
  ask: { readonly after: string | undefined; readonly limit: number; readonly now: number },
): Promise<MonthToClose[]> {
  const settled = new Date(ask.now - settlesMs);
  return db.rows(
    sql`select t.id as "tenantId", t.display_name as name, coalesce(r.time_zone, t.time_zone) as "timeZone", next.month
      from tenant t left join rating_account r on r.tenant_id = t.id
      cross join lateral (
        select coalesce(max(i.period), '') as month from invoice i
        where i.tenant_id = t.id and i.kind = 'monthly') closed
      cross join lateral (select least(
        (select min(c.billed_month) from charge_line c
          where c.tenant_id = t.id and c.billed_month > closed.month),
        (select min(o.billed_month) from order_item o
          where o.tenant_id = t.id and o.billed_month > closed.month and not o.is_prepayment)
      ) as month) next
      where next.month < coalesce(to_char(r.posted_through + 1, 'YYYY-MM'),
          to_char(${settled}::timestamptz at time zone t.time_zone, 'YYYY-MM'))
        and not exists (select from log_pending p join usage_event e on e.received = p.received
          where e.tenant_id = t.id
            and e.day < (next.month || '-01')::date + interval '1 month')
        and ${ask.after === undefined ? sql`true` : sql`t.id > ${ask.after}::uuid`}
      order by t.id limit ${ask.limit}`,
    dueRow,
  );
}
