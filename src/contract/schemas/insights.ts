/** What history tells: reviews, tasks, revenue. */
import { z } from "zod";

import { standing } from "./billing.ts";
import { day, id, money, timestamp } from "./common.ts";
import { tierName } from "./customers.ts";
import { tenant } from "./identity.ts";

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

export const customerSign = z.enum([
  "no_spend_2m",
  "usage_drop",
  "invoice_overdue",
  "term_ending",
  "package_ending",
  "tier_by_hand_ending",
  "near_next_tier",
  "review_due",
]);

export const customerSummary = tenant.omit({ serviceClass: true }).extend({
  tier: tierName,
  isTierByHand: z.boolean(),
  stage: standing.shape.stage,
  balance: money,
  /** May still be spent on anything. */
  available: money,
  /** Of the running month of his time zone: use and what was ordered, packages as they are used. */
  spentThisMonth: money,
  /** Of his open tasks. */
  signs: z.array(customerSign),
});

/** All of what is named must hold. */
export const customerFilter = {
  /** Part of the name or of the display name, upper and lower case alike. */
  nameHas: z.string().max(100).optional(),
  tier: tierName.optional(),
  state: tenant.shape.state.optional(),
  /** `low`: every stage but `ok`. */
  stage: z.enum([...standing.shape.stage.options, "low"]).optional(),
  /** `any`: with an open task of any kind. */
  sign: z.enum([...customerSign.options, "any"]).optional(),
};

export const customerTask = z.object({
  id,
  tenantId: id,
  tenant: z.string(),
  kind: customerSign,
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
  /** Of each customer's own day, so far; what is not posted yet may still change. */
  today: z.object({ day, revenue: money, active: z.number().int() }),
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
