/**
 * Payments on their way: tells providers of new ones, asks them what became of the others, and lets
 * those end that nobody makes. Every call is made outside a transaction, by the key of its payment,
 * and what it says is applied once.
 */
import { z } from "zod";

import type { Db } from "#db/pool.ts";
import { sql } from "#db/sql.ts";
import { fen } from "#kernel/money.ts";
import type { LoopDefinition } from "#loops/loop.ts";

import type { PaymentProvider } from "./provider.ts";
import {
  channel,
  endRefund,
  failPayment,
  findPayment,
  settlePayment,
  startPayment,
  type Payment,
  type Refund,
} from "./store.ts";

const rowsPerPass = 100;
const callTimeoutMs = 20_000;
/** A refund that waits is asked for so often. */
const refundPollMs = 60_000;

const dueRow = z
  .object({ tenant_id: z.string(), id: z.string() })
  .transform(({ tenant_id: tenantId, id }) => ({ tenantId, id }));

const refundRow = z
  .object({
    tenant_id: z.string(),
    id: z.string(),
    amount: z.bigint(),
    method: z.string(),
    provider_reference: z.string(),
  })
  .transform((row) => ({
    tenantId: row.tenant_id,
    id: row.id,
    amount: fen(row.amount),
    method: row.method,
    reference: row.provider_reference,
  }));

export interface PaymentContext {
  readonly db: Db;
  readonly providers: readonly PaymentProvider[];
  readonly now: () => number;
}

export function paymentLoop(context: PaymentContext): LoopDefinition {
  const { db, now } = context;
  return {
    name: "payments",
    periodMs: 2_000,
    channels: [channel],
    pass: async (signal) => {
      const failures: unknown[] = [];
      const due = await db.rows(
        sql`select tenant_id, id from payment where look_at <= ${new Date(now())}
          order by look_at limit ${rowsPerPass}`,
        dueRow,
      );
      for (const each of due) {
        if (signal.aborted) return "rest";
        await lookAtPayment(context, each, signal).catch((error: unknown) => failures.push(error));
      }
      for (const each of await refundsDue(db, now())) {
        if (signal.aborted) return "rest";
        await lookAtRefund(context, each, signal).catch((error: unknown) => failures.push(error));
      }
      await expire(db, now());
      if (failures.length > 0)
        throw new AggregateError(failures, "some payments were not asked for");
      return due.length === rowsPerPass ? "again" : "rest";
    },
  };
}

async function lookAtPayment(
  { db, providers, now }: PaymentContext,
  { tenantId, id }: Pick<Payment, "tenantId" | "id">,
  signal: AbortSignal,
): Promise<void> {
  const payment = await findPayment(db, tenantId, id);
  const provider = providers.find(({ method }) => method === payment?.method);
  if (payment === undefined || provider === undefined) return;
  const { providerReference: reference } = payment;
  const lookAt = provider.pollMs === undefined ? undefined : now() + provider.pollMs;
  const bounded = AbortSignal.any([signal, AbortSignal.timeout(callTimeoutMs)]);
  if (payment.state === "created" || reference === null) {
    const started = await provider.start({ ...payment, at: payment.createdAt }, bounded);
    await db.tenant(tenantId, (tx) => startPayment(tx, payment, { ...started, lookAt }));
    return;
  }
  const status = await provider.status(reference, bounded);
  await db.tenant(tenantId, async (tx) => {
    const at = now();
    switch (status.kind) {
      case "pending":
        await tx.execute(sql`
          update payment set look_at = ${lookAt === undefined ? null : new Date(lookAt)}
          where tenant_id = ${tenantId} and id = ${id} and state = 'pending'`);
        return;
      case "settled":
        await settlePayment(tx, payment, { ...status, reference: `payment:${id}`, at });
        return;
      case "failed":
        await failPayment(tx, payment, status.reason);
    }
  });
}

function refundsDue(db: Db, now: number): Promise<z.output<typeof refundRow>[]> {
  return db.rows(
    sql`select r.tenant_id, r.id, r.amount, p.method, p.provider_reference
      from payment_refund r join payment p on p.tenant_id = r.tenant_id and p.id = r.payment_id
      where r.look_at <= ${new Date(now)} order by r.look_at limit ${rowsPerPass}`,
    refundRow,
  );
}

async function lookAtRefund(
  { db, providers, now }: PaymentContext,
  refund: Refund & { readonly method: string; readonly reference: string },
  signal: AbortSignal,
): Promise<void> {
  const { tenantId, id } = refund;
  const provider = providers.find(({ method }) => method === refund.method);
  if (provider === undefined) return;
  const bounded = AbortSignal.any([signal, AbortSignal.timeout(callTimeoutMs)]);
  const status = await provider.refund(refund, bounded);
  await db.tenant(tenantId, async (tx) => {
    if (status.kind === "pending") {
      await tx.execute(sql`
        update payment_refund set look_at = ${new Date(now() + refundPollMs)}
        where tenant_id = ${tenantId} and id = ${id} and state = 'pending'`);
      return;
    }
    const refusal = status.kind === "refused" ? status.reason : undefined;
    await endRefund(tx, refund, { refusal, at: now() });
  });
}

/** Nobody paid; money that comes later all the same is found by its code, in suspense. */
async function expire(db: Db, now: number): Promise<void> {
  await db.execute(sql`
    update payment set state = 'failed', failure = 'It was not paid in time.', look_at = null
    where state in ('created', 'pending') and expires_at <= ${new Date(now)}`);
}
