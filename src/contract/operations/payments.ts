import { z } from "zod";

import { operation } from "#contract/operation.ts";
import { id, page, pageQuery } from "#contract/schemas/common.ts";
import * as payments from "#contract/schemas/payments.ts";

const ofPayment = z.strictObject({ paymentId: id });
const ofReceipt = z.strictObject({ receiptId: id });

export const paymentOperations = {
  createPayment: operation({
    method: "POST",
    path: "/v1/payments",
    summary: "Announce a payment: how it is to be made comes with it, or a moment later",
    tag: "payments",
    permission: "billing.manage",
    audit: "payment.create",
    status: 201,
    body: payments.createPaymentBody,
    result: payments.payment,
    failures: ["rule_violation", "quota_exceeded"],
  }),
  listPayments: operation({
    method: "GET",
    path: "/v1/payments",
    summary: "Payments, newest first",
    tag: "payments",
    permission: "billing.read",
    query: pageQuery,
    result: page(payments.payment),
  }),
  getPayment: operation({
    method: "GET",
    path: "/v1/payments/{paymentId}",
    summary: "One payment, and what the payer does next",
    tag: "payments",
    permission: "billing.read",
    params: ofPayment,
    result: payments.payment,
  }),
  cancelPayment: operation({
    method: "POST",
    path: "/v1/payments/{paymentId}/cancel",
    summary: "Give up a payment that was not made",
    tag: "payments",
    permission: "billing.manage",
    audit: "payment.cancel",
    params: ofPayment,
    result: payments.payment,
    failures: ["wrong_state"],
  }),
  refundPayment: operation({
    method: "POST",
    path: "/v1/payments/{paymentId}/refunds",
    summary: "Pay money of the wallet back the way it came",
    tag: "payments",
    permission: "platform.manage",
    audit: "payment.refund",
    params: ofPayment,
    body: payments.refundPaymentBody,
    result: payments.payment,
    failures: ["wrong_state", "rule_violation", "insufficient_credit"],
  }),
  createBankReceipt: operation({
    method: "POST",
    path: "/v1/bank-receipts",
    summary:
      "Record a transfer that arrived at the bank; it settles the payment that its code names",
    tag: "payments",
    permission: "platform.manage",
    audit: "bank-receipt.create",
    status: 201,
    body: payments.createBankReceiptBody,
    result: payments.bankReceipt,
    failures: ["conflict"],
  }),
  listBankReceipts: operation({
    method: "GET",
    path: "/v1/bank-receipts",
    summary:
      "Transfers that arrived, newest first; those that wait for a decision unless told otherwise",
    tag: "payments",
    permission: "platform.read",
    query: pageQuery.extend({ state: z.enum(["suspense", "all"]).default("suspense") }),
    result: page(payments.bankReceipt),
  }),
  resolveBankReceipt: operation({
    method: "POST",
    path: "/v1/bank-receipts/{receiptId}/resolve",
    summary: "Give a transfer in suspense to a tenant, or say that it was sent back",
    tag: "payments",
    permission: "platform.manage",
    audit: "bank-receipt.resolve",
    params: ofReceipt,
    body: payments.resolveBankReceiptBody,
    result: payments.bankReceipt,
    failures: ["wrong_state"],
  }),
};
