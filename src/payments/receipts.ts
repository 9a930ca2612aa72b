/**
 * Rows of `bank_receipt`: transfers that arrived, as the operator reads them from his statement. What
 * must stay true: a transfer is recorded once, by the bank's reference; it is booked by itself only
 * where it is exactly what an open payment waits for; anything else waits in suspense for his
 * decision, and is nobody's money in the books until then.
 */
import { v7 as newId } from "uuid";
import { z } from "zod";

import { newestFirst, type PageAsk } from "#db/keyset.ts";
import type { Queryable, Tx } from "#db/pool.ts";
import { instant } from "#db/row.ts";
import { sql } from "#db/sql.ts";
import { recordTopUp } from "#flow/ledger/store.ts";
import { Failure } from "#kernel/failure.ts";
import { fen, type Fen } from "#kernel/money.ts";

import { canonicalCode, suspenseReason } from "./decide.ts";
import { isOpen, paymentByCode, settlePayment } from "./store.ts";

const row = z
  .object({
    id: z.string(),
    bank_reference: z.string(),
    code: z.string(),
    amount: z.bigint(),
    received_on: z.string(),
    state: z.enum(["matched", "suspense", "assigned", "returned"]),
    reason: z.enum(["unknown_reference", "not_open", "partial", "over"]).nullable(),
    paid_tenant_id: z.string().nullable(),
    payment_id: z.string().nullable(),
    note: z.string().nullable(),
    created_at: instant,
    resolved_at: instant.nullable(),
  })
  .transform((found) => ({
    id: found.id,
    bankReference: found.bank_reference,
    code: found.code,
    amount: fen(found.amount),
    receivedOn: found.received_on,
    state: found.state,
    reason: found.reason,
    tenantId: found.paid_tenant_id,
    paymentId: found.payment_id,
    note: found.note,
    createdAt: found.created_at,
    resolvedAt: found.resolved_at,
  }));
export type BankReceipt = z.output<typeof row>;

const columns = sql`id, bank_reference, code, amount, received_on::text, state, reason,
  paid_tenant_id, payment_id, note, created_at, resolved_at`;

export interface NewReceipt {
  readonly bankReference: string;
  /** As written on the transfer. */
  readonly code: string;
  readonly amount: Fen;
  /** The bank's day, e.g. 2026-05-04. */
  readonly receivedOn: string;
  readonly at: number;
}

/** The same transfer again is harmless; with another amount or code it is a `conflict`. */
export async function recordReceipt(tx: Tx, ask: NewReceipt): Promise<BankReceipt> {
  await tx.execute(sql`
    select pg_advisory_xact_lock(hashtextextended(${`bank_receipt:${ask.bankReference}`}, 0))`);
  const code = canonicalCode(ask.code);
  const known = await tx.maybe(
    sql`select ${columns} from bank_receipt where bank_reference = ${ask.bankReference}`,
    row,
  );
  if (known !== undefined) {
    if (known.amount === ask.amount && known.code === code) return known;
    throw new Failure("conflict", `${ask.bankReference} is recorded already, with other figures.`, {
      details: { receiptId: known.id },
    });
  }
  const payment = await paymentByCode(tx, code);
  const awaited = payment?.method === "bank_transfer" ? payment : undefined;
  const reason = suspenseReason(
    awaited === undefined ? undefined : { isOpen: isOpen(awaited), amount: awaited.amount },
    ask.amount,
  );
  const id = newId();
  const isMatched = reason === undefined && awaited !== undefined;
  const resolvedAt = isMatched ? new Date(ask.at) : null;
  await tx.execute(sql`
    insert into bank_receipt (id, bank_reference, code, amount, received_on, state, reason,
      paid_tenant_id, payment_id, created_at, resolved_at)
    values (${id}, ${ask.bankReference}, ${code}, ${ask.amount}, ${ask.receivedOn}::date,
      ${isMatched ? "matched" : "suspense"}, ${reason ?? null}, ${awaited?.tenantId ?? null},
      ${awaited?.id ?? null}, ${new Date(ask.at)}, ${resolvedAt})`);
  if (isMatched) {
    const { amount, bankReference: reference, at } = ask;
    await settlePayment(tx, awaited, { amount, reference, at });
  }
  return getReceipt(tx, id);
}

export type Resolution =
  /** Booked whole to this tenant; a payment of his that the code names and that is open settles. */
  | { readonly kind: "assign"; readonly tenantId: string }
  /** Transferred back, outside of the books, which never had it. */
  | { readonly kind: "return" };

/** Throws `not_found`, and `wrong_state` for a receipt that does not wait. */
export async function resolveReceipt(
  tx: Tx,
  ask: {
    readonly id: string;
    readonly resolution: Resolution;
    readonly note: string;
    readonly at: number;
  },
): Promise<BankReceipt> {
  const { id, resolution, note, at } = ask;
  await tx.execute(sql`select from bank_receipt where id = ${id}::uuid for update`);
  const receipt = await getReceipt(tx, id);
  if (receipt.state !== "suspense") {
    throw new Failure("wrong_state", `The receipt is ${receipt.state}; it does not wait.`);
  }
  if (resolution.kind === "return") {
    await tx.execute(sql`
      update bank_receipt set state = 'returned', note = ${note}, resolved_at = ${new Date(at)}
      where id = ${id}`);
    return getReceipt(tx, id);
  }
  const { tenantId } = resolution;
  const { amount, bankReference: reference } = receipt;
  const payment = await paymentByCode(tx, receipt.code);
  const settles = payment !== undefined && payment.tenantId === tenantId && isOpen(payment);
  if (settles) await settlePayment(tx, payment, { amount, reference, at });
  else await recordTopUp(tx, tenantId, { amount, reference, at });
  await tx.execute(sql`
    update bank_receipt set state = 'assigned', note = ${note}, resolved_at = ${new Date(at)},
      paid_tenant_id = ${tenantId}, payment_id = ${settles ? payment.id : null}
    where id = ${id}`);
  tx.nudge("balance");
  return getReceipt(tx, id);
}

/** Throws `not_found`. */
async function getReceipt(db: Queryable, id: string): Promise<BankReceipt> {
  const found = await db.maybe(
    sql`select ${columns} from bank_receipt where id = ${id}::uuid`,
    row,
  );
  if (found === undefined) throw new Failure("not_found", `There is no bank receipt ${id}.`);
  return found;
}

/** Newest first; `suspense` gives those that wait. */
export function listReceipts(
  db: Queryable,
  ask: PageAsk & { readonly which: "suspense" | "all" },
): Promise<BankReceipt[]> {
  return db.rows(
    sql`select ${columns} from bank_receipt
      where ${ask.which === "all" ? sql`true` : sql`state = 'suspense'`}
        and ${newestFirst({ at: sql`created_at`, id: sql`id` }, ask)}
      order by created_at desc, id desc limit ${ask.limit}`,
    row,
  );
}
