/** Services that people do: optimization of a model, 24x7 support, and bundles of both. */
import { z } from "zod";

import { id, money, positiveMoney, reason, timestamp } from "./common.ts";
import { expectedAmount, packageCode } from "./orders.ts";

export const serviceOffers = z.object({
  /** What the caller's tenant pays for a month; nothing where its tier includes it. */
  support24x7: z.object({ listPrice: money, monthly: money }),
  /** Quoted for each engagement, bounds included. */
  modelOptimization: z.object({ from: money, to: money }),
  bundles: z.array(
    z.object({
      code: z.string(),
      description: z.string(),
      price: money,
      supportMonths: z.number().int(),
      optimizations: z.number().int(),
      /** The same bought one by one, engagements at the lowest price. */
      separately: money,
    }),
  ),
});

export const service = z.object({
  id,
  kind: z.enum(["model_optimization", "support_24x7", "bundle"]),
  code: z.string().nullable(),
  description: z.string(),
  /** `asked`: the operator says what it costs; `offered`: to be accepted; `active`: paid. */
  state: z.enum(["asked", "offered", "active", "ended"]),
  /** Offered, or paid; of support, for its last month. */
  amount: money.nullable(),
  offerUntil: timestamp.nullable(),
  /** Until when support is paid. */
  paidUntil: timestamp.nullable(),
  autoRenew: z.boolean(),
  /** Engagements that are paid and not done. */
  optimizationsLeft: z.number().int(),
  askedAt: timestamp,
  endedAt: timestamp.nullable(),
  reason: reason.nullable(),
});

export const serviceOfCustomer = service.extend({ tenantId: id, tenant: z.string() });

const text = z.string().trim().min(1).max(1000);

export const orderServiceBody = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("support_24x7"),
    /** Renewed each month until it is canceled. */
    autoRenew: z.boolean().default(true),
    expectedAmount,
  }),
  z.strictObject({ kind: z.literal("bundle"), code: packageCode, expectedAmount }),
  /** Costs nothing yet: the operator makes an offer. */
  z.strictObject({ kind: z.literal("model_optimization"), description: text }),
]);

export const acceptServiceBody = z.strictObject({ expectedAmount });

export const offerServiceBody = z.strictObject({ amount: positiveMoney, until: timestamp });

export const finishServiceBody = z.strictObject({
  outcome: z.enum(["done", "refunded"]),
  note: text,
});

export const finishedService = z.object({ service, refund: money.nullable() });
