/** What is bought ahead of use: packages, and the items that orders are charged by. */
import { z } from "zod";

import { day, id, money, timestamp } from "./common.ts";

/** The amount that was quoted: it is what is paid, or the order is refused with both. */
export const expectedAmount = money.meta({
  description: "The quoted amount; another price is refused with both figures",
});

export const packageCode = z.string().regex(/^[A-Za-z0-9._-]{1,40}$/, "a code such as P5000");

/** What is to be priced. */
export const quoteOrderBody = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("package"), code: packageCode }),
]);

export const orderKind = z.enum([
  "package",
  "subscription",
  "renewal",
  "upgrade",
  "expansion",
  "service",
]);

export const discount = z.object({ rule: z.string(), amount: money });

export const orderQuote = z.object({
  kind: orderKind,
  sku: z.string(),
  description: z.object({ en: z.string(), "zh-CN": z.string() }),
  listPrice: money,
  /** Each zero or less; with the list price they make the amount. */
  discounts: z.array(discount),
  /** What to order with, VAT included. */
  amount: money,
  vatIncluded: money,
  /** What it is for, half-open; null where it begins with a later event, or has no time. */
  from: timestamp.nullable(),
  until: timestamp.nullable(),
  available: money,
  affordable: z.boolean(),
  profile: z.string(),
});

export const orderPackage = z.object({
  id,
  code: z.string(),
  state: z.enum(["usable", "refunded", "expired"]),
  price: money,
  bonus: money,
  left: z.object({ principal: money, bonus: money }),
  /** Both days included, in the tenant's zone. */
  usableFrom: day,
  usableThrough: day,
  expiresAt: timestamp,
  boughtAt: timestamp,
});

export const buyPackageBody = z.strictObject({ code: packageCode, expectedAmount });

export const packageRefund = z.object({
  package: orderPackage,
  /** Unused principal, now on the balance. */
  refunded: money,
  bonusVoided: money,
});

export const orderItem = z.object({
  id,
  kind: orderKind,
  sku: z.string(),
  /** In the language asked for. */
  description: z.string(),
  /** Of the package, subscription, expansion or service. */
  subjectId: id,
  listPrice: money,
  discounts: z.array(discount),
  /** Negative where something is given back. */
  amount: money,
  /** Paid in advance and charged again as it is used: a package. */
  isPrepayment: z.boolean(),
  serviceFrom: timestamp.nullable(),
  serviceUntil: timestamp.nullable(),
  at: timestamp,
  billedMonth: z.string(),
  refundOf: id.nullable(),
});
