/** Vectors of tiers and of customers who go away. */
import { z } from "zod";

import { qualify, walkTiers } from "#customers/tiers.ts";
import { spendsNothing, usageDrop } from "#insights/churn.ts";
import { addDays, localMonth, monthOf } from "#kernel/calendar.ts";
import { parseFen } from "#kernel/money.ts";
import { zero } from "#kernel/rational.ts";

import { day, decimal, kindOf, type VectorKind } from "./schema.ts";

/** Amounts in these vectors may leave out the decimals: "0". */
const amount = z.string().transform((text) => parseFen(/\./.test(text) ? text : `${text}.00`));

export const customerKinds = {
  tier_qualify: kindOf(
    z.object({ net_paid_12m: amount, net_paid_last_3_months: z.array(amount) }),
    (input, profile) => ({
      qualifies_for: qualify(
        { netPaid12m: input.net_paid_12m, netPaidLast3Months: input.net_paid_last_3_months },
        profile,
      ).tier,
    }),
  ),

  tier_lifecycle: kindOf(
    z.object({
      registered: day,
      until: day,
      payments: z.array(z.object({ date: day, amount })),
    }),
    ({ registered, until, payments }, profile) => {
      const { changes, state } = walkTiers({
        state: { tier: "normal", holdUntil: undefined, cumulativeFrom: registered },
        payments: payments.map(({ date, amount: paid }) => ({ day: date, amount: paid })),
        after: addDays(registered, -1),
        through: until,
        rulesOn: () => profile,
      });
      return {
        events: changes.map(({ effective, tier, reason, holdUntil }) => ({
          effective,
          tier,
          reason,
          hold_until: holdUntil ?? null,
        })),
        tier_at_end: state.tier,
      };
    },
  ),

  churn: kindOf(
    z.object({
      as_of: day.optional(),
      monthly_net_consumption: z.record(z.string(), amount).default({}),
      active_subscription: z.boolean().default(false),
      recent_7d_gpu_hours: decimal.optional(),
      baseline_28d_gpu_hours: decimal.optional(),
    }),
    (input, { churn: rules }) => {
      const silent =
        input.as_of !== undefined &&
        spendsNothing({
          thisMonth: monthOf(input.as_of),
          netConsumption: new Map(
            Object.entries(input.monthly_net_consumption).map(([month, paid]) => [
              localMonth(month),
              paid,
            ]),
          ),
          activeSubscription: input.active_subscription,
          rules,
        });
      const { dropped, ratio } = usageDrop({
        recentGpuHours: input.recent_7d_gpu_hours ?? zero,
        baselineGpuHours: input.baseline_28d_gpu_hours ?? zero,
        rules,
      });
      return {
        alerts: [...(silent ? ["no_spend_2m"] : []), ...(dropped ? ["usage_drop"] : [])],
        ratio: ratio === undefined ? undefined : `${ratio.numerator}/${ratio.denominator}`,
      };
    },
  ),
} satisfies Record<string, VectorKind>;
