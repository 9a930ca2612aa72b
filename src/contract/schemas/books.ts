/** The whole book, as the operator sees it: money of all tenants, and whether it balances. */
import { z } from "zod";

import { invoice, journal } from "./billing.ts";
import { id, money, pageQuery, timestamp } from "./common.ts";
import { payment } from "./payments.ts";

const ofTenant = { tenantId: id, tenant: z.string() };

export const journalKind = z.enum([
  "top_up",
  "hold",
  "release",
  "charge",
  "adjustment",
  "credit",
  "void",
  "payout",
  "package_purchase",
  "package_refund",
  "breakage",
  "order",
  "order_refund",
  "settlement",
]);

export const accountKind = z.enum([
  "wallet",
  "held",
  "revenue",
  "cash",
  "principal",
  "bonus",
  "promotion",
  "breakage",
  "receivable",
]);

/** All that are given hold at once. */
export const journalsQuery = pageQuery.extend({
  tenantId: id.optional(),
  kind: journalKind.optional(),
  /** With a posting on such an account. */
  account: accountKind.optional(),
  since: timestamp.optional(),
  /** Not included. */
  until: timestamp.optional(),
});

export const journalOfTenant = journal.extend(ofTenant);

export const paymentsQuery = pageQuery.extend({
  tenantId: id.optional(),
  state: payment.shape.state.optional(),
});

export const paymentOfTenant = payment.extend(ofTenant);

export const invoicesQuery = pageQuery.extend({
  tenantId: id.optional(),
  month: z
    .string()
    .regex(/^[0-9]{4}-(?:0[1-9]|1[0-2])$/, "a month such as 2026-05")
    .optional(),
  kind: invoice.shape.kind.optional(),
  state: z.enum(["final", "paid", "overdue", "void"]).optional(),
});

export const invoiceOfTenant = invoice.extend(ofTenant);

const finding = z.object({ ...ofTenant, problem: z.string() });

export const ledgerCheck = z.object({
  checkedAt: timestamp,
  tenants: z.int(),
  journals: z.int(),
  postings: z.int(),
  /** Of all tenants together; what is in an account's favor is positive. */
  accounts: z.array(z.object({ account: accountKind, balance: money })),
  /** Of all accounts: 0.00, as every journal sums to zero. */
  sum: money,
  /** Empty where the book balances; at most a hundred. */
  problems: z.array(finding),
  /** Money that is held though nothing is open that it could be for; at most a hundred. */
  heldForNothing: z.array(finding),
});
