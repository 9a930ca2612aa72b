/** What history tells: reviews, tasks, revenue. */
import { z } from "zod";

import { day, id, money, timestamp } from "./common.ts";

export const month = z.string().regex(/^[0-9]{4}-(?:0[1-9]|1[0-2])$/, "a month such as 2026-05");

export const usageReview = z.object({
  period: z.string(),
  from: day,
  through: day,
  total: money,
  totalBefore: money,
  change: money,
  skus: z.array(
    z.object({
      sku: z.string(),
      unit: z.string(),
      quantity: z.string(),
      amount: money,
      amountBefore: money,
    }),
  ),
  busiest: z.object({ day, amount: money }).nullable(),
  daysWithoutUse: z.number().int(),
  /** What would have been cheaper at this pace. */
  advice: z.array(
    z.object({ kind: z.literal("package"), code: z.string(), price: money, saves: money }),
  ),
});

export const customerTask = z.object({
  id,
  tenantId: id,
  tenant: z.string(),
  kind: z.enum([
    "no_spend_2m",
    "usage_drop",
    "invoice_overdue",
    "term_ending",
    "package_ending",
    "tier_by_hand_ending",
    "near_next_tier",
    "review_due",
  ]),
  /** In the language asked for. */
  text: z.string(),
  data: z.record(z.string(), z.string()),
  createdAt: timestamp,
  doneAt: timestamp.nullable(),
  doneBy: z.string().nullable(),
  note: z.string().nullable(),
});

export const finishTaskBody = z.strictObject({
  note: z.string().trim().min(1).max(2000),
});

export const revenueFigures = z.object({
  months: z.array(
    z.object({
      month: z.string(),
      revenue: money,
      active: z.number().int(),
      arpu: money,
      registered: z.number().int(),
    }),
  ),
  /** By month of registration: who was active in each month since, and what they brought. */
  cohorts: z.array(
    z.object({
      cohort: z.string(),
      size: z.number().int(),
      months: z.array(z.object({ month: z.string(), active: z.number().int(), revenue: money })),
    }),
  ),
});
