/** Who a customer is to the operator: tier, applications, agreements. */
import { z } from "zod";

import { day, id, money, positiveMoney, timestamp } from "./common.ts";

export const tierName = z.enum(["normal", "gold", "diamond"]);

// oxlint-disable-next-line no-control-regex -- control characters are what is refused
const printable = /^[^\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F]*$/u;

/** Free text of a person: no control characters but line ends and tabs. */
function text(charactersMax: number) {
  return z
    .string()
    .trim()
    .min(1)
    .max(charactersMax)
    .regex(printable, "must not contain control characters");
}

const figures = z.object({
  netPaid12m: money,
  netPaidLast3Months: z.array(money),
  cumulative: money,
});

export const tierChange = z.object({
  id,
  effective: day,
  effectiveAt: timestamp,
  tier: tierName,
  tierBefore: tierName,
  /** The rule of the price document that decided: R-CT-2, R-CT-3, R-CT-5. */
  rule: z.string(),
  reason: z.enum(["12m", "3m", "cumulative", "review"]),
  holdUntil: day.nullable(),
  inputs: figures,
});

export const tierOverride = z.object({
  id,
  tier: tierName,
  reason: z.string(),
  approvedBy: z.string(),
  fromAt: timestamp,
  untilAt: timestamp,
  createdBy: z.string(),
});

export const customerTier = z.object({
  /** What counts now: by hand if an override lasts, by payments otherwise. */
  tier: tierName,
  byPayments: tierName,
  holdUntil: day.nullable(),
  override: tierOverride.nullable(),
  netPaid: figures,
  benefits: z.object({
    priority: z.enum(["high", "medium", "basic"]),
    contact: z.enum(["account_manager", "specialist", "self_service"]),
    support: z.enum(["24x7", "5x8", "none"]),
    /** Support beyond the tier's that was bought lasts until then. */
    supportBoughtUntil: timestamp.nullable(),
    storage: z.enum(["list", "discounted", "free_allowance"]),
    review: z.enum(["monthly", "quarterly", "none"]),
  }),
  /** Ways to a higher tier, the cheapest first. */
  next: z.array(
    z.object({
      tier: tierName,
      rule: z.string(),
      missing: money,
      /** Paid before this midnight of the tenant's zone, it counts. */
      before: day,
      /** What its storage price would have saved on last month's use. */
      storageSaving: money,
      /** What its price would save on the next renewals of annual terms. */
      renewalSaving: money,
    }),
  ),
});

export const overrideTierBody = z.strictObject({
  tier: tierName,
  reason: text(500),
  approvedBy: text(100),
  until: timestamp,
});

export const application = z.object({
  id,
  tenantId: id,
  company: z.string(),
  scale: z.enum(["individual", "1-10", "11-50", "51-500", "500+"]),
  monthlyBudget: money,
  demand: z.string(),
  contact: z.string(),
  state: z.enum(["submitted", "rated", "withdrawn"]),
  /** What the stated budget alone would make of him. */
  suggestedTier: tierName,
  initialRating: tierName.nullable(),
  note: z.string().nullable(),
  ratedBy: z.string().nullable(),
  ratedAt: timestamp.nullable(),
  createdAt: timestamp,
});

export const submitApplicationBody = z.strictObject({
  company: text(200),
  scale: application.shape.scale,
  monthlyBudget: positiveMoney,
  demand: text(4000),
  contact: text(200),
});

export const rateApplicationBody = z.strictObject({ rating: tierName, note: text(4000) });

export const agreement = z.object({
  id,
  document: z.enum(["service_agreement", "nda"]),
  version: z.string(),
  textEn: z.string(),
  textZh: z.string(),
  sha256: z.string(),
  /** New leases, jobs and orders need the newest required version. */
  required: z.boolean(),
  publishedAt: timestamp,
  acceptedAt: timestamp.nullable(),
  acceptedBy: z.string().nullable(),
});

export const publishAgreementBody = z.strictObject({
  document: agreement.shape.document,
  version: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$/, "letters, digits, '.', '_' and '-'"),
  textEn: text(200_000),
  textZh: text(200_000),
  required: z.boolean().default(false),
});

export const acceptAgreementBody = z.strictObject({
  sha256: z.string().regex(/^[0-9a-f]{64}$/, "the SHA-256 of the text that was shown"),
});
