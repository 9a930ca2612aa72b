import { z } from "zod";

import { operation } from "#contract/operation.ts";
import { id, page, pageQuery } from "#contract/schemas/common.ts";
import * as insights from "#contract/schemas/insights.ts";

export const insightOperations = {
  getUsageReview: operation({
    method: "GET",
    path: "/v1/reviews/{period}",
    summary:
      "What was used in a month or a quarter, beside the one before, and what would be cheaper",
    tag: "insights",
    permission: "billing.read",
    params: z.strictObject({
      period: z
        .string()
        .regex(/^[0-9]{4}-(?:(?:0[1-9]|1[0-2])|Q[1-4])$/, "a month or quarter: 2026-05, 2026-Q2"),
    }),
    result: insights.usageReview,
  }),
  listCustomerTasks: operation({
    method: "GET",
    path: "/v1/customer-tasks",
    summary: "For the operator: customers to look after, and why, newest first",
    tag: "insights",
    permission: "platform.read",
    query: pageQuery.extend({ state: z.enum(["open", "all"]).default("open") }),
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
    summary: "For the operator: revenue, active customers, average and cohorts by month",
    tag: "insights",
    permission: "platform.read",
    query: z.strictObject({ from: insights.month, through: insights.month }),
    result: insights.revenueFigures,
  }),
};
