import { z } from "zod";

import { day, displayName, id, money, positiveMoney, timestamp } from "./common.ts";

export const paymentMethod = z.enum(["bank_transfer", "test"]);

export const payment = z.object({
  id,
  method: paymentMethod,
  /** To be written on a transfer. */
  code: z.string(),
  amount: money,
  /** `created`: the provider does not know of it yet. `pending`: it waits for the payer. */
  state: z.enum(["created", "pending", "settled", "failed", "canceled"]),
  /** What the payer does next; `null` until the provider has said so. */
  next: z
    .discriminatedUnion("kind", [
      z.object({ kind: z.literal("instructions"), text: z.string() }),
      z.object({ kind: z.literal("redirect"), url: z.string() }),
    ])
    .nullable(),
  /** What arrived and was booked. */
  received: money,
  refunded: money,
  failure: z.string().nullable(),
  createdAt: timestamp,
  expiresAt: timestamp,
  settledAt: timestamp.nullable(),
});

export const createPaymentBody = z.strictObject({
  amount: positiveMoney,
  method: paymentMethod,
});

export const refundPaymentBody = z.strictObject({
  amount: positiveMoney,
  /** The customer reads it. */
  reason: displayName,
});

export const bankReceipt = z.object({
  id,
  bankReference: z.string(),
  code: z.string(),
  amount: money,
  receivedOn: day,
  state: z.enum(["matched", "suspense", "assigned", "returned"]),
  /** Why it waits, or waited. */
  reason: z.enum(["unknown_reference", "not_open", "partial", "over"]).nullable(),
  tenantId: id.nullable(),
  paymentId: id.nullable(),
  note: z.string().nullable(),
  createdAt: timestamp,
  resolvedAt: timestamp.nullable(),
});

export const createBankReceiptBody = z.strictObject({
  /** The bank's own reference of the transfer. */
  bankReference: displayName,
  /** As written on the transfer; empty where nothing is. */
  code: z.string().max(200),
  amount: positiveMoney,
  receivedOn: day,
});

export const resolveBankReceiptBody = z.discriminatedUnion("action", [
  z.strictObject({ action: z.literal("assign"), tenantId: id, note: displayName }),
  z.strictObject({ action: z.literal("return"), note: displayName }),
]);
