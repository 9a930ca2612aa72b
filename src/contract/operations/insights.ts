import { z } from "zod";

import { operation } from "#contract/operation.ts";
import { id, page, pageQuery } from "#contract/schemas/common.ts";
import { language } from "#contract/schemas/notices.ts";
import * as insights from "#contract/schemas/insights.ts";

export const insightOperations = {
  getUsageReview: operation({
    method: "GET",
    path: "/v1/reviews/{period}",
    summary:
      "What was used in a month or a quarter, beside the one before, and what would be cheaper",
    tag: "insights",
    permission: "billing.read",
    /** A month or a quarter: 2026-05, 2026-Q2. */
    params: z.strictObject({ period: z.string().regex(/^[A-Za-z0-9-]{1,20}$/) }),
    result: insights.usageReview,
  }),
  listCustomers: operation({
    method: "GET",
    path: "/v1/customers",
    summary: "For the operator: customers with tier, money, month and signs, newest first",
    tag: "insights",
    permission: "platform.read",
    query: pageQuery.extend(insights.customerFilter),
    result: page(insights.customerSummary),
  }),
  listCustomerTasks: operation({
    method: "GET",
    path: "/v1/customer-tasks",
    summary: "For the operator: customers to look after, and why, newest first",
    tag: "insights",
    permission: "platform.read",
    query: pageQuery.extend({
      state: z.enum(["open", "all"]).default("open"),
      tenantId: id.optional(),
      language: language.default("en"),
    }),
    result: page(insights.customerTask),
  }),
  finishCustomerTask: operation({
    method: "POST",
    path: "/v1/customer-tasks/{taskId}/finish",
    summary: "For the operator: say what was done",
    tag: "insights",
    permission: "platform.manage",
    audit: "customer-task.finish",
    params: z.strictObject({ taskId: id }),
    body: insights.finishTaskBody,
    result: insights.customerTask,
  }),
  getRevenue: operation({
    method: "GET",
    path: "/v1/revenue",
    summary: "For the operator: revenue today and by month, active customers, average and cohorts",
    tag: "insights",
    permission: "platform.read",
    /** The last twelve months unless told otherwise. */
    query: z.strictObject({ from: insights.month.optional(), through: insights.month.optional() }),
    result: insights.revenueFigures,
  }),
};
