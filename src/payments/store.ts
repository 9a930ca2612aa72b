/**
 * Rows of `payment` and `payment_refund`. What must stay true: money is booked once, by a key of its
 * payment, in the transaction that says so; a payment that settled, failed or was canceled stays so.
 */
import { randomInt } from "node:crypto";
import { v7 as newId } from "uuid";
import { z } from "zod";

import { json } from "#db/json.ts";
import { newestFirst, type PageAsk } from "#db/keyset.ts";
import type { Queryable, Tx } from "#db/pool.ts";
import { instant } from "#db/row.ts";
import { sql } from "#db/sql.ts";
import { lockCredit } from "#flow/ledger/accounts.ts";
import { payOut } from "#flow/ledger/purchases.ts";
import { findJournal, recordTopUp, voidJournal } from "#flow/ledger/store.ts";
import { present } from "#kernel/assert.ts";
import { Failure } from "#kernel/failure.ts";
import { fen, formatFen, subtractFen, type Fen } from "#kernel/money.ts";

import { codeAlphabet, codeOf } from "./decide.ts";
import { paymentMethods, type PaymentMethod, type StartedPayment } from "./provider.ts";

const openPaymentsMax = 20;
const expiresAfterMs = 30 * 86_400_000;
const codeLength = 8;

const money = z.bigint().transform((value) => fen(value));

const nextStep = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("instructions"), text: z.string() }),
  z.object({ kind: z.literal("redirect"), url: z.string() }),
]);

export const paymentRow = z
  .object({
    tenant_id: z.string(),
    id: z.string(),
    method: z.enum(paymentMethods),
    code: z.string(),
    amount: money,
    state: z.enum(["created", "pending", "settled", "failed", "canceled"]),
    provider_reference: z.string().nullable(),
    next: nextStep.nullable(),
    received: money,
    refunded: money,
    failure: z.string().nullable(),
    created_at: instant,
    expires_at: instant,
    settled_at: instant.nullable(),
  })
  .transform((row) => ({
    tenantId: row.tenant_id,
    id: row.id,
    method: row.method,
    code: row.code,
    amount: row.amount,
    state: row.state,
    providerReference: row.provider_reference,
    next: row.next,
    received: row.received,
    refunded: row.refunded,
    failure: row.failure,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    settledAt: row.settled_at,
  }));
export type Payment = z.output<typeof paymentRow>;

export const paymentColumns = sql`p.tenant_id, p.id, p.method, p.code, p.amount, p.state, p.provider_reference,
  p.next, p.received, p.failure, p.created_at, p.expires_at, p.settled_at,
  (select coalesce(sum(r.amount), 0)::int8 from payment_refund r where r.tenant_id = p.tenant_id
    and r.payment_id = p.id and r.state <> 'refused') as refunded`;

export function isOpen({ state }: Pick<Payment, "state">): boolean {
  return state === "created" || state === "pending";
}

/** Throws `quota_exceeded` while too many wait already. */
export async function createPayment(
  tx: Tx,
  tenantId: string,
  ask: { readonly method: PaymentMethod; readonly amount: Fen; readonly at: number },
): Promise<Payment> {
  // The lock lets the payments of one tenant be counted.
  await lockCredit(tx, tenantId);
  const { open } = await tx.one(
    sql`select count(*)::int4 as open from payment
      where tenant_id = ${tenantId} and state in ('created', 'pending')`,
    z.object({ open: z.int() }),
  );
  if (open >= openPaymentsMax) {
    throw new Failure(
      "quota_exceeded",
      `${open} payments wait already; ${openPaymentsMax} may. Cancel those that you do not make.`,
    );
  }
  const [id, at] = [newId(), new Date(ask.at)];
  const code = codeOf(Array.from({ length: codeLength }, () => randomInt(codeAlphabet.length)));
  await tx.execute(sql`
    insert into payment
      (tenant_id, id, method, code, amount, state, created_at, expires_at, look_at)
    values (${tenantId}, ${id}, ${ask.method}, ${code}, ${ask.amount}, 'created', ${at},
      ${new Date(ask.at + expiresAfterMs)}, ${at})`);
  tx.nudge(channel);
  return present(await findPayment(tx, tenantId, id), "the new payment");
}

export const channel = "payment";

export function findPayment(
  db: Queryable,
  tenantId: string,
  id: string,
): Promise<Payment | undefined> {
  return db.maybe(
    sql`select ${paymentColumns} from payment p where p.tenant_id = ${tenantId} and p.id = ${id}::uuid`,
    paymentRow,
  );
}

/** Of any tenant. */
export function paymentByCode(db: Queryable, code: string): Promise<Payment | undefined> {
  return db.maybe(sql`select ${paymentColumns} from payment p where p.code = ${code}`, paymentRow);
}

/** Newest first. */
export function listPayments(db: Queryable, tenantId: string, ask: PageAsk): Promise<Payment[]> {
  return db.rows(
    sql`select ${paymentColumns} from payment p
      where p.tenant_id = ${tenantId}
        and ${newestFirst({ at: sql`p.created_at`, id: sql`p.id` }, ask)}
      order by p.created_at desc, p.id desc limit ${ask.limit}`,
    paymentRow,
  );
}

/** Locked until the transaction ends; the wallet first, as everywhere. Throws `not_found`. */
async function lockPayment(tx: Tx, tenantId: string, id: string): Promise<Payment> {
  await lockCredit(tx, tenantId);
  await tx.execute(sql`
    select from payment where tenant_id = ${tenantId} and id = ${id}::uuid for update`);
  const found = await findPayment(tx, tenantId, id);
  if (found === undefined) throw new Failure("not_found", `There is no payment ${id}.`);
  return found;
}

/** The provider knows of it; nothing if it is over by now. */
export async function startPayment(
  tx: Tx,
  payment: Payment,
  { reference, next, lookAt }: StartedPayment & { readonly lookAt: number | undefined },
): Promise<void> {
  await tx.execute(sql`
    update payment set state = 'pending', provider_reference = ${reference},
      next = ${json(next)}::jsonb, look_at = ${lookAt === undefined ? null : new Date(lookAt)}
    where tenant_id = ${payment.tenantId} and id = ${payment.id} and state = 'created'`);
  tx.nudge(channel);
}

/**
 * Books what arrived and ends the payment; harmless the second time. `reference` is the key of the
 * money: the bank's own, or the payment's id. Money that arrives for a payment that failed or was
 * canceled in the meantime is booked all the same: it is there.
 */
export async function settlePayment(
  tx: Tx,
  payment: Pick<Payment, "tenantId" | "id">,
  ask: { readonly amount: Fen; readonly reference: string; readonly at: number },
): Promise<void> {
  const { tenantId, id } = payment;
  const { state } = await lockPayment(tx, tenantId, id);
  if (state === "settled") return;
  await recordTopUp(tx, tenantId, ask);
  await tx.execute(sql`
    update payment set state = 'settled', received = ${ask.amount}, failure = null,
      settled_at = ${new Date(ask.at)}, look_at = null
    where tenant_id = ${tenantId} and id = ${id}`);
  tx.nudge("balance");
}

/** Harmless where it is over already. */
export async function failPayment(
  tx: Tx,
  payment: Pick<Payment, "tenantId" | "id">,
  failure: string,
): Promise<void> {
  await tx.execute(sql`
    update payment set state = 'failed', failure = ${failure}, look_at = null
    where tenant_id = ${payment.tenantId} and id = ${payment.id}
      and state in ('created', 'pending')`);
}

/** Throws `not_found`, and `wrong_state` once it is over. */
export async function cancelPayment(tx: Tx, tenantId: string, id: string): Promise<Payment> {
  const before = await lockPayment(tx, tenantId, id);
  if (!isOpen(before)) {
    throw new Failure("wrong_state", `The payment is ${before.state} and cannot be canceled.`);
  }
  await tx.execute(sql`
    update payment set state = 'canceled', look_at = null
    where tenant_id = ${tenantId} and id = ${id}`);
  return present(await findPayment(tx, tenantId, id), "the payment");
}

/**
 * Takes money of a settled payment out of the wallet, to be paid back. Throws `wrong_state`,
 * `rule_violation` beyond what was received, `insufficient_credit` beyond what is left.
 */
export async function refundPayment(
  tx: Tx,
  tenantId: string,
  ask: {
    readonly paymentId: string;
    readonly amount: Fen;
    readonly reason: string;
    readonly at: number;
  },
): Promise<Payment> {
  const payment = await lockPayment(tx, tenantId, ask.paymentId);
  if (payment.state !== "settled") {
    throw new Failure("wrong_state", `The payment is ${payment.state}; nothing is paid back.`);
  }
  const left = subtractFen(payment.received, payment.refunded);
  if (ask.amount > left) {
    throw new Failure("rule_violation", `${formatFen(left)} CNY of the payment can be paid back.`);
  }
  const id = newId();
  const paid = await payOut(tx, tenantId, { ...ask, reference: refundReference(id) });
  if (paid.kind === "insufficient") {
    throw new Failure(
      "insufficient_credit",
      `${formatFen(paid.asked)} CNY is to be paid back and ${formatFen(paid.available)} is available.`,
    );
  }
  await tx.execute(sql`
    insert into payment_refund
      (tenant_id, id, payment_id, amount, reason, state, created_at, look_at)
    values (${tenantId}, ${id}, ${ask.paymentId}, ${ask.amount}, ${ask.reason}, 'pending',
      ${new Date(ask.at)}, ${new Date(ask.at)})`);
  tx.nudge(channel);
  tx.nudge("balance");
  return present(await findPayment(tx, tenantId, ask.paymentId), "the payment");
}

export interface Refund {
  readonly tenantId: string;
  readonly id: string;
  readonly amount: Fen;
}

/** What the provider said. Money that was not paid back goes back to the wallet. */
export async function endRefund(
  tx: Tx,
  { tenantId, id }: Refund,
  ask: { readonly refusal: string | undefined; readonly at: number },
): Promise<void> {
  await lockCredit(tx, tenantId);
  const ended = await tx.execute(sql`
    update payment_refund set state = ${ask.refusal === undefined ? "done" : "refused"},
      failure = ${ask.refusal ?? null}, ended_at = ${new Date(ask.at)}, look_at = null
    where tenant_id = ${tenantId} and id = ${id} and state = 'pending'`);
  if (ended === 0 || ask.refusal === undefined) return;
  const paid = await findJournal(tx, tenantId, `payout:${refundReference(id)}`);
  const journal = present(paid, `the payout of refund ${id}`);
  await voidJournal(tx, tenantId, { id: journal.id, reason: ask.refusal, at: ask.at });
  tx.nudge("balance");
}

function refundReference(id: string): string {
  return `refund:${id}`;
}
