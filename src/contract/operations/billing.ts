import { z } from "zod";

import { operation } from "#contract/operation.ts";
import * as billing from "#contract/schemas/billing.ts";
import { page, pageQuery } from "#contract/schemas/common.ts";

export const billingOperations = {
  getBalance: operation({
    method: "GET",
    path: "/v1/balance",
    summary: "Balance, what is held of it, and the burn per hour",
    tag: "billing",
    permission: "billing.read",
    result: billing.balance,
  }),
  createTopUp: operation({
    method: "POST",
    path: "/v1/top-ups",
    summary: "Record a payment that the operator received for a tenant",
    tag: "billing",
    permission: "platform.manage",
    audit: "top-up.create",
    status: 201,
    body: billing.topUpBody,
    result: z.object({ journal: billing.journal, balance: billing.balance }),
    failures: ["conflict"],
  }),
  listJournals: operation({
    method: "GET",
    path: "/v1/journals",
    summary: "Movements of money, newest first",
    tag: "billing",
    permission: "billing.read",
    query: pageQuery,
    result: page(billing.journal),
  }),
  listUsage: operation({
    method: "GET",
    path: "/v1/usage",
    summary: "Usage intervals to the second, oldest first",
    tag: "billing",
    permission: "billing.read",
    query: pageQuery.extend(billing.periodQuery),
    result: page(billing.usageInterval).extend({ totals: z.array(billing.usageTotal) }),
  }),
  getStatement: operation({
    method: "GET",
    path: "/v1/statement",
    summary: "Charges of a month or of some days, by day and SKU",
    tag: "billing",
    permission: "billing.read",
    query: z.strictObject(billing.periodQuery),
    result: billing.statement,
  }),
  exportStatement: operation({
    method: "GET",
    path: "/v1/statement/export",
    summary: "The same as CSV or text",
    tag: "billing",
    permission: "billing.read",
    query: z.strictObject({
      ...billing.periodQuery,
      format: z.enum(["csv", "text"]).default("csv"),
      language: z.enum(["en", "zh-CN"]).default("en"),
    }),
    result: z.unknown(),
    transport: "text",
  }),
  getQuota: operation({
    method: "GET",
    path: "/v1/quota",
    summary: "Limits and use",
    tag: "billing",
    permission: "tenant.read",
    result: billing.quota,
  }),
  updateQuota: operation({
    method: "PATCH",
    path: "/v1/quota",
    summary: "Change a tenant's limits",
    tag: "billing",
    permission: "platform.manage",
    audit: "quota.update",
    body: billing.updateQuotaBody,
    result: billing.quota,
  }),
};
