/**
 * Order items: what was charged, or given back, for something bought ahead. An item and its journal
 * are one transaction; an item is never changed, and what is given back is an item of its own that
 * names the first.
 */
import { v7 as newId } from "uuid";
import { z } from "zod";

import { json } from "#db/json.ts";
import { newestFirst, type PageAsk } from "#db/keyset.ts";
import type { Queryable, Tx } from "#db/pool.ts";
import { instant } from "#db/row.ts";
import { sql } from "#db/sql.ts";
import { chargeHeldOrder } from "#flow/ledger/held-orders.ts";
import { chargeOrder, refundOrder } from "#flow/ledger/purchases.ts";
import { dayOf, isLocalMonth, monthOf, type LocalMonth } from "#kernel/calendar.ts";
import { fen, negateFen, sumFen, zeroFen, type Fen } from "#kernel/money.ts";
import type { TimeZone } from "#kernel/zone.ts";

import { tooLittle } from "./prices.ts";
import { itemText, type ItemData, type ItemKind } from "./words.ts";

const money = z.bigint().transform((value) => fen(value));

const itemRow = z
  .object({
    id: z.string(),
    kind: z.enum(["package", "subscription", "renewal", "upgrade", "expansion", "service"]),
    sku: z.string(),
    subject_id: z.string(),
    period: z.int().nullable(),
    data: z.record(z.string(), z.union([z.string(), z.number()])),
    list_price: money,
    discounts: z.array(
      z.object({ rule: z.string(), amount: z.string().transform((text) => fen(BigInt(text))) }),
    ),
    amount: money,
    is_prepayment: z.boolean(),
    service_from: instant.nullable(),
    service_until: instant.nullable(),
    at: instant,
    billed_month: z.string().refine(isLocalMonth),
    journal_key: z.string().nullable(),
    refund_of: z.string().nullable(),
    price_profile_id: z.string().nullable(),
  })
  .transform((row) => ({
    id: row.id,
    kind: row.kind,
    sku: row.sku,
    subjectId: row.subject_id,
    period: row.period,
    data: row.data,
    listPrice: row.list_price,
    discounts: row.discounts,
    amount: row.amount,
    isPrepayment: row.is_prepayment,
    serviceFrom: row.service_from,
    serviceUntil: row.service_until,
    at: row.at,
    billedMonth: row.billed_month,
    journalKey: row.journal_key,
    refundOf: row.refund_of,
    priceProfileId: row.price_profile_id,
  }));
export type OrderItem = z.output<typeof itemRow>;

const columns = sql`id, kind, sku, subject_id, period, data, list_price, discounts, amount,
  is_prepayment, service_from, service_until, at, billed_month, journal_key, refund_of,
  price_profile_id`;

export interface Discount {
  readonly rule: string;
  /** Zero or less. */
  readonly amount: Fen;
}

/** Whose, and when: the month that it is billed in is that of `at` in his zone. */
export interface Booked {
  readonly tenantId: string;
  readonly zone: TimeZone;
  readonly at: number;
}

/** What an order comes to: what a quote shows, and what is charged if the customer agrees. */
export interface ItemDraft {
  readonly kind: ItemKind;
  readonly sku: string;
  readonly data: ItemData;
  readonly listPrice: Fen;
  readonly discounts: readonly Discount[];
  readonly service: { readonly from: number; readonly until: number } | undefined;
  readonly priceProfileId: string;
}

export interface NewItem extends ItemDraft {
  readonly subjectId: string;
  readonly period?: number;
}

export function amountOf({
  listPrice,
  discounts,
}: Pick<ItemDraft, "listPrice" | "discounts">): Fen {
  return sumFen([listPrice, ...discounts.map(({ amount }) => amount)]);
}

/** Charges an item to the wallet. Throws `insufficient_credit`, and then nothing is written. */
export async function chargeItem(tx: Tx, booked: Booked, item: NewItem): Promise<OrderItem> {
  const id = newId();
  const amount = amountOf(item);
  const paid = await chargeOrder(tx, booked.tenantId, {
    orderItemId: id,
    sku: item.sku,
    amount,
    description: itemText({ ...item, isRefund: false }, "en"),
    at: booked.at,
  });
  if (paid.kind === "insufficient") throw tooLittle(paid.asked, paid.available);
  const journalKey = amount === 0n ? null : `order:${id}`;
  return insertItem(tx, booked, { ...item, id, amount, journalKey, isPrepayment: false });
}

/** Charges an item whose money was held under `reference` since it was ordered. */
export async function chargeHeldItem(
  tx: Tx,
  booked: Booked,
  item: NewItem & { readonly reference: string },
): Promise<OrderItem> {
  const id = newId();
  const amount = amountOf(item);
  await chargeHeldOrder(tx, booked.tenantId, {
    reference: item.reference,
    orderItemId: id,
    sku: item.sku,
    amount,
    description: itemText({ ...item, isRefund: false }, "en"),
    at: booked.at,
  });
  const journalKey = amount === 0n ? null : `order:${id}`;
  return insertItem(tx, booked, { ...item, id, amount, journalKey, isPrepayment: false });
}

/**
 * Gives an item back, in whole or in part, to the wallet. `key` names the fact, so that it happens
 * once.
 */
export async function refundItem(
  tx: Tx,
  booked: Booked,
  ask: { readonly item: OrderItem; readonly amount: Fen; readonly key: string },
): Promise<OrderItem | undefined> {
  const { item, amount, key } = ask;
  if (amount <= zeroFen) return undefined;
  const booking = await refundOrder(tx, booked.tenantId, {
    refundId: key,
    sku: item.sku,
    amount,
    description: itemText({ ...item, isRefund: true }, "en"),
    at: booked.at,
  });
  if (!booking.isNew) return undefined;
  return insertItem(tx, booked, {
    ...item,
    id: newId(),
    listPrice: negateFen(amount),
    discounts: [],
    amount: negateFen(amount),
    journalKey: `order-refund:${key}`,
    refundOf: item.id,
    period: item.period ?? undefined,
    service:
      item.serviceFrom === null || item.serviceUntil === null
        ? undefined
        : { from: item.serviceFrom, until: item.serviceUntil },
    priceProfileId: item.priceProfileId ?? undefined,
  });
}

/** Writes an item whose journal is booked already. */
export async function insertItem(
  tx: Tx,
  { tenantId, zone, at }: Booked,
  item: Omit<NewItem, "priceProfileId" | "period"> & {
    readonly id: string;
    readonly amount: Fen;
    readonly journalKey: string | null;
    readonly isPrepayment: boolean;
    readonly refundOf?: string | undefined;
    readonly period?: number | undefined;
    readonly priceProfileId?: string | undefined;
  },
): Promise<OrderItem> {
  const discounts = item.discounts.map(({ rule, amount }) => ({ rule, amount: `${amount}` }));
  const { service } = item;
  return tx.one(
    sql`insert into order_item (tenant_id, id, kind, sku, subject_id, period, data, list_price,
        discounts, amount, is_prepayment, service_from, service_until, at, billed_month,
        journal_key, refund_of, price_profile_id)
      values (${tenantId}, ${item.id}, ${item.kind}, ${item.sku}, ${item.subjectId},
        ${item.period ?? null}, ${json(item.data)}, ${item.listPrice}, ${json(discounts)},
        ${item.amount}, ${item.isPrepayment},
        ${service === undefined ? null : new Date(service.from)},
        ${service === undefined ? null : new Date(service.until)}, ${new Date(at)},
        ${monthOf(dayOf(zone, at))}, ${item.journalKey}, ${item.refundOf ?? null},
        ${item.priceProfileId ?? null})
      returning ${columns}`,
    itemRow,
  );
}

/** Newest first. */
export function orderItems(
  db: Queryable,
  of: { readonly tenantId: string; readonly subjectId?: string | undefined },
  ask: PageAsk,
): Promise<OrderItem[]> {
  const subject = of.subjectId === undefined ? sql`` : sql`and subject_id = ${of.subjectId}::uuid`;
  return db.rows(
    sql`select ${columns} from order_item
      where tenant_id = ${of.tenantId} ${subject}
        and ${newestFirst({ at: sql`at`, id: sql`id` }, ask)}
      order by at desc, id desc limit ${ask.limit}`,
    itemRow,
  );
}

/** What a month is billed for, in the order in which it was booked. */
export function itemsOfMonth(
  db: Queryable,
  of: { readonly tenantId: string; readonly month: LocalMonth },
): Promise<OrderItem[]> {
  return db.rows(
    sql`select ${columns} from order_item
      where tenant_id = ${of.tenantId} and billed_month = ${of.month} order by at, id`,
    itemRow,
  );
}

/** Of one subject, and of one of its periods if that is named, oldest first. */
export function itemsOfSubject(
  db: Queryable,
  of: { readonly tenantId: string; readonly subjectId: string; readonly period?: number },
): Promise<OrderItem[]> {
  const period = of.period === undefined ? sql`` : sql`and period = ${of.period}::int`;
  return db.rows(
    sql`select ${columns} from order_item
      where tenant_id = ${of.tenantId} and subject_id = ${of.subjectId}::uuid ${period}
      order by at, id`,
    itemRow,
  );
}
