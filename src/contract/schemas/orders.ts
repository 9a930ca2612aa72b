/** What is bought ahead of use: packages, and the items that orders are charged by. */
import { z } from "zod";

import { flavorName } from "./catalog.ts";
import { bothLanguages, comparison } from "./comparison.ts";
import { day, id, money, reason, timestamp } from "./common.ts";
import { createLeaseBody, leaseOperation, operationRecord, usedFlavor } from "./compute.ts";

/** The amount that was quoted: it is what is paid, or the order is refused with both. */
export const expectedAmount = money.meta({
  description: "The quoted amount; another price is refused with both figures",
});

export const packageCode = z.string().regex(/^[A-Za-z0-9._-]{1,40}$/, "a code such as P5000");

export const term = z.enum(["monthly", "quarterly", "annual"]);

const units = z.number().int().min(0).max(1024).default(0);

/** What is added to a subscription's machine; GPUs of the model that it has. */
const expansionUnits = z.strictObject({ gpus: units, vcpus: units, memoryGiB: units });
const days = z.number().int().min(1).max(366);

function isSomething(ask: { gpus: number; vcpus: number; memoryGiB: number }): boolean {
  return ask.gpus + ask.vcpus + ask.memoryGiB > 0;
}

const something = "an expansion adds GPUs, CPUs or memory";

/** What is to be priced. */
export const quoteOrderBody = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("package"), code: packageCode }),
  z.strictObject({
    kind: z.literal("subscription"),
    flavor: flavorName,
    term,
    /** A subscription that was released after its term, ordered anew. */
    renewsId: id.optional(),
  }),
  z.strictObject({
    kind: z.literal("renewal"),
    subscriptionId: id,
    /** That of the last term when left out. */
    term: term.optional(),
    /** Another size from the next term on. */
    flavor: flavorName.optional(),
  }),
  z.strictObject({ kind: z.literal("upgrade"), subscriptionId: id, flavor: flavorName }),
  expansionUnits
    .extend({ kind: z.literal("expansion"), subscriptionId: id, days })
    .refine(isSomething, something),
  z.strictObject({ kind: z.literal("extension"), expansionId: id, days }),
  z.strictObject({ kind: z.literal("support_24x7") }),
  z.strictObject({ kind: z.literal("bundle"), code: packageCode }),
  /** An engagement that the operator made an offer for. */
  z.strictObject({ kind: z.literal("offer"), serviceId: id }),
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
  description: bothLanguages,
  listPrice: money,
  /** Each zero or less; with the list price they make the amount. */
  discounts: z.array(discount.extend({ text: bothLanguages })),
  /** What to order with, VAT included. */
  amount: money,
  vatIncluded: money,
  /** The price by the hour, day of 24 hours and month of 30 days; null for what has no time. */
  rates: z.object({ hourly: money, daily: money, monthly: money, term: money }).nullable(),
  /** What it is for, half-open; null where it begins with a later event, or has no time. */
  from: timestamp.nullable(),
  until: timestamp.nullable(),
  available: money,
  affordable: z.boolean(),
  /** What a reader should know, such as units that are dearer than on demand. */
  remarks: z.array(bothLanguages),
  cheaperIf: z.array(comparison),
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

export const subscriptionState = z.enum(["ordered", "active", "lapsed", "ended"]);

export const subscription = z.object({
  id,
  leaseId: id,
  name: z.string(),
  /** `ordered`: the machine is being made; `lapsed`: stopped, kept for some days. */
  state: subscriptionState,
  sku: z.string(),
  term,
  autoRenew: z.boolean(),
  /** What was ordered: charged when the machine is ready, held until then. */
  amount: money,
  startedAt: timestamp.nullable(),
  paidUntil: timestamp.nullable(),
  keptUntil: timestamp.nullable(),
  endedAt: timestamp.nullable(),
  reason: reason.nullable(),
  orderedAt: timestamp,
  periods: z.array(
    z.object({
      number: z.number().int(),
      term,
      sku: z.string(),
      from: timestamp,
      until: timestamp,
      flavor: usedFlavor,
    }),
  ),
});

export const orderSubscriptionBody = createLeaseBody.extend({
  term,
  /** Renewed by itself at each end while the balance suffices. */
  autoRenew: z.boolean().default(false),
  renewsId: id.optional(),
  expectedAmount,
});

export const orderedSubscription = leaseOperation.extend({ subscription });

export const renewSubscriptionBody = z.strictObject({
  term: term.optional(),
  flavor: flavorName.optional(),
  expectedAmount,
  /** As quoted; if somebody renewed it since, it is refused. */
  expectedFrom: timestamp.optional(),
});

export const upgradeSubscriptionBody = z.strictObject({ flavor: flavorName, expectedAmount });

export const changedSubscription = z.object({ subscription, operation: operationRecord });

export const updateSubscriptionBody = z.strictObject({ autoRenew: z.boolean() });

/** What ending a subscription now gives back. */
export const cancelQuote = z.object({
  refund: money,
  expansionRefund: money,
  /** Both together: what to cancel with. */
  total: money,
});

export const cancelSubscriptionBody = z.strictObject({ expectedRefund: money });

export const canceledSubscription = cancelQuote.extend({ subscription });

export const expansion = z.object({
  id,
  subscriptionId: id,
  /** `resizing`: the machine is being changed; `scheduled`: begins where another one ends. */
  state: z.enum(["resizing", "scheduled", "active", "ended"]),
  items: z.array(z.object({ sku: z.string(), units: z.number().int() })),
  days: z.number().int(),
  amount: money,
  orderedAt: timestamp,
  startsAt: timestamp.nullable(),
  activatedAt: timestamp.nullable(),
  endsAt: timestamp.nullable(),
  /** When the machine was seen without it. */
  revertedAt: timestamp.nullable(),
  extendsId: id.nullable(),
  reason: reason.nullable(),
});

export const orderExpansionBody = expansionUnits
  .extend({ days, expectedAmount })
  .refine(isSomething, something);

export const orderedExpansion = z.object({ expansion, operation: operationRecord });
export const extendExpansionBody = z.strictObject({ days, expectedAmount });
export const releasedExpansion = z.object({ expansion, refund: money });
