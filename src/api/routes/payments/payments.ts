/** Payments of customers, and what arrived at the operator's bank. */
import type { z } from "zod";

import type { Handlers } from "#api/handler.ts";
import { pageByAge } from "#api/page.ts";
import { amountOf, time, timeOrNull } from "#api/routes/wire.ts";
import type * as schemas from "#contract/schemas/payments.ts";
import { findTenant } from "#identity/tenants.ts";
import { Failure } from "#kernel/failure.ts";
import { formatFen } from "#kernel/money.ts";
import {
  listReceipts,
  recordReceipt,
  resolveReceipt,
  type BankReceipt,
} from "#payments/receipts.ts";
import {
  cancelPayment,
  createPayment,
  findPayment,
  listPayments,
  refundPayment,
  type Payment,
} from "#payments/store.ts";

export const paymentHandlers = {
  createPayment: async ({ body }, { tx, tenantId, services, now }) => {
    const { method } = body;
    if (!services.paymentMethods.includes(method)) {
      throw new Failure(
        "rule_violation",
        `${method} is not offered here; ${services.paymentMethods.join(", ")} is.`,
      );
    }
    const amount = amountOf(body.amount);
    return showPayment(await createPayment(tx, tenantId, { method, amount, at: now() }));
  },

  listPayments: ({ query }, { tx, tenantId }) =>
    pageByAge(query, (ask) => listPayments(tx, tenantId, ask), showPayment),

  getPayment: async ({ params }, { tx, tenantId }) => {
    const found = await findPayment(tx, tenantId, params.paymentId);
    if (found === undefined) throw new Failure("not_found", "There is no such payment.");
    return showPayment(found);
  },

  cancelPayment: async ({ params }, { tx, tenantId }) =>
    showPayment(await cancelPayment(tx, tenantId, params.paymentId)),

  refundPayment: async ({ params, body }, { tx, tenantId, note, now }) => {
    note({ details: { amount: body.amount, reason: body.reason } });
    const amount = amountOf(body.amount);
    return showPayment(
      await refundPayment(tx, tenantId, { ...params, ...body, amount, at: now() }),
    );
  },

  createBankReceipt: async ({ body }, { tx, note, now }) => {
    note({ details: { ...body } });
    const amount = amountOf(body.amount);
    return showReceipt(await recordReceipt(tx, { ...body, amount, at: now() }));
  },

  listBankReceipts: ({ query }, { tx }) =>
    pageByAge(query, (ask) => listReceipts(tx, { ...ask, which: query.state }), showReceipt),

  resolveBankReceipt: async ({ params, body }, { tx, note, now }) => {
    note({ details: { ...body } });
    if (body.action === "assign" && (await findTenant(tx, body.tenantId)) === undefined) {
      throw new Failure("not_found", `There is no tenant ${body.tenantId}.`);
    }
    const resolution =
      body.action === "assign"
        ? ({ kind: "assign", tenantId: body.tenantId } as const)
        : ({ kind: "return" } as const);
    const ask = { id: params.receiptId, resolution, note: body.note, at: now() };
    return showReceipt(await resolveReceipt(tx, ask));
  },
} satisfies Partial<Handlers>;

export function showPayment(payment: Payment): z.output<typeof schemas.payment> {
  const { id, method, code, state, next, failure } = payment;
  return {
    id,
    method,
    code,
    amount: formatFen(payment.amount),
    state,
    next,
    received: formatFen(payment.received),
    refunded: formatFen(payment.refunded),
    failure,
    createdAt: time(payment.createdAt),
    expiresAt: time(payment.expiresAt),
    settledAt: timeOrNull(payment.settledAt),
  };
}

function showReceipt(receipt: BankReceipt): z.output<typeof schemas.bankReceipt> {
  return {
    ...receipt,
    amount: formatFen(receipt.amount),
    createdAt: time(receipt.createdAt),
    resolvedAt: timeOrNull(receipt.resolvedAt),
  };
}
