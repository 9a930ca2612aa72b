import { z } from "zod";

import { displayName, id, money, positiveMoney, timestamp } from "./common.ts";

export const balance = z.object({
  currency: z.literal("CNY"),
  balance: money,
  /** Rated but not yet posted: today and the last two days (R-DAY-3). */
  provisional: money,
  held: money,
  /** What was charged and not paid; counted in `balance`, and settled by the next payment. */
  owed: money,
  /** May still be spent on anything; packages come on top, for jobs. */
  available: money,
  packages: z.object({ principal: money, bonus: money }),
  /** What the running resources cost per hour at this moment. */
  burnPerHour: money,
});

/** On which rung of the ladder a tenant stands when money runs low, and what comes next. */
export const standing = z.object({
  stage: z.enum(["ok", "forecast", "warning", "no_new_work", "grace", "stopped", "released"]),
  /** Null where it was never looked at. */
  since: timestamp.nullable(),
  /** What can be spent, what is held for what runs included. */
  left: money,
  burnPerHour: money,
  /** If nothing is paid, and as things run now. */
  next: z
    .object({
      stage: z.enum(["forecast", "warning", "no_new_work", "grace", "stopped", "released"]),
      at: timestamp,
    })
    .nullable(),
  /** The least payment that leads out of the stage; 0.00 on `ok` with something left. */
  toLeave: money,
  /** The least that makes all good again, with what was stopped running again. */
  toBeWell: money,
  /** In the language asked for. */
  text: z.string(),
});

export const topUpBody = z.strictObject({
  amount: positiveMoney,
  /** The bank's or the operator's own reference of the payment. */
  reference: displayName,
});

export const journal = z.object({
  id,
  kind: z.string(),
  at: timestamp,
  description: z.string(),
  postings: z.array(
    z.object({
      account: z.string(),
      /** The package's id for `principal` and `bonus`; empty for the others. */
      subject: z.string(),
      amount: money,
      /** What it is for, e.g. the SKU; may be empty. */
      note: z.string(),
    }),
  ),
});

/** A local calendar period: `2026-05` or two days, first and last. */
export const periodQuery = {
  month: z
    .string()
    .regex(/^[0-9]{4}-(?:0[1-9]|1[0-2])$/, "a month such as 2026-05")
    .optional(),
  from: z.iso.date().optional(),
  /** Last day, included. */
  through: z.iso.date().optional(),
};

export const usageInterval = z.object({
  id,
  instanceId: id,
  resourceId: id,
  projectId: id,
  sku: z.string(),
  units: z.string(),
  from: timestamp,
  until: timestamp.nullable(),
  seconds: z.number().int(),
  billable: z.boolean(),
  endReason: z.string().nullable(),
});

export const usageTotal = z.object({
  sku: z.string(),
  unitSeconds: z.string(),
  /** In the unit that a person reads: core-hours, GPU-hours, GiB-days. */
  quantity: z.string(),
  unit: z.string(),
});

/** Usage by stretch of days and by what it is of; without what a fault of the platform made void. */
export const usageSums = z.object({
  from: z.iso.date(),
  through: z.iso.date(),
  timeZone: z.string(),
  /** The first day of each stretch, ascending; also of those without use. */
  buckets: z.array(z.iso.date()),
  items: z.array(
    z.object({
      bucket: z.iso.date(),
      /** A SKU, or the id of a project, a lease or job, a user; empty where there is none any more. */
      group: z.string(),
      name: z.string().nullable(),
      sku: z.string(),
      unitSeconds: z.string(),
      /** In the unit that a person reads: core-hours, GPU-hours, GiB-days. */
      quantity: z.string(),
      unit: z.string(),
    }),
  ),
  /** There is more than is shown; ask for fewer days or a longer stretch. */
  isCut: z.boolean(),
});

export const usageSumsQuery = {
  bucket: z.enum(["day", "week", "month"]).default("day"),
  by: z.enum(["sku", "project", "resource", "user"]).default("sku"),
  /** Of this SKU only. */
  sku: z.string().max(100).optional(),
};

/** A sentence of a person. */
const displayReason = z
  .string()
  .trim()
  .min(1)
  .max(500)
  // oxlint-disable-next-line no-control-regex -- control characters are what is refused
  .regex(/^[^\u0000-\u001F\u007F]*$/u, "must not contain control characters");

const paidBy = z.object({
  package: money,
  bonus: money,
  balance: money,
  /** Not paid yet when it was posted. */
  owed: money,
});

export const chargeLine = z.object({
  /** `order`: bought ahead of use. */
  kind: z.enum(["usage", "order"]),
  /** A day; in an export by week or month 2026-W19 or 2026-05. */
  date: z.string(),
  sku: z.string(),
  /** Of orders, in both languages; empty for usage. */
  description: z.object({ en: z.string(), "zh-CN": z.string() }),
  /** 0 is the day's own line; above it, late usage of that day. */
  revision: z.number().int(),
  quantity: z.string(),
  unit: z.string(),
  listPrice: z.string(),
  multiplier: z.string(),
  amount: money,
  paidBy,
  /** The entries of the metering log that the line rests on. */
  leaves: z
    .object({
      first: z.number().int(),
      last: z.number().int(),
      count: z.number().int(),
    })
    .nullable(),
  state: z.enum(["provisional", "posted"]),
});

export const statement = z.object({
  tenant: z.object({ id, name: z.string() }),
  from: z.iso.date(),
  through: z.iso.date(),
  timeZone: z.string(),
  currency: z.literal("CNY"),
  lines: z.array(chargeLine),
  totals: z.array(z.object({ sku: z.string(), amount: money })),
  total: money,
  net: money,
  vat: money,
  vatRate: z.string(),
  paidBy,
  /** The checkpoint of the metering log that it rests on; null before the first one. */
  checkpoint: z.object({ size: z.number().int(), root: z.string() }).nullable(),
  profile: z.string(),
});

/** A line of a bill with everything that it rests on. */
export const lineExplanation = z.object({
  date: z.iso.date(),
  sku: z.string(),
  lines: z.array(
    z.object({
      revision: z.number().int(),
      quantity: z.string(),
      unit: z.string(),
      listPrice: z.string(),
      priceSource: z.enum(["list", "contract"]),
      multiplier: z.string(),
      amount: money,
      state: z.enum(["provisional", "posted"]),
      postedAt: timestamp.nullable(),
    }),
  ),
  /**
   * The month of the SKU up to the day before, and up to the end of the day: the line is the
   * difference of the rounded amounts. `exact` is a fraction or decimal of yuan, never rounded.
   */
  month: z.object({
    before: z.object({ quantity: z.string(), exact: z.string(), rounded: money }),
    after: z.object({ quantity: z.string(), exact: z.string(), rounded: money }),
  }),
  events: z.array(
    z.object({
      source: z.string(),
      id: z.string(),
      kind: z.enum(["recorded", "retracted"]),
      from: timestamp,
      until: timestamp,
      seconds: z.number().int(),
      units: z.string(),
      work: z.enum(["lease", "job"]),
      plan: z.enum(["on_demand", "subscription"]),
      /** Rated at all: not a platform fault, and in time. */
      counted: z.boolean(),
      resourceId: id,
      resource: z.string(),
      intervalId: id,
      instanceId: id,
      /** Its entry in the metering log; null until the log has it. */
      leaf: z.number().int().nullable(),
      leafHash: z.string(),
    }),
  ),
  /** There are more events than are shown. */
  isCut: z.boolean(),
  /** The first checkpoint that covers them. */
  checkpoint: z.object({ size: z.number().int(), root: z.string() }).nullable(),
});

export const granularity = z.enum(["line", "day", "week", "month"]);

/** How a statement or an invoice is written down. */
export const documentQuery = {
  format: z.enum(["csv", "text", "xlsx", "pdf"]).default("csv"),
  language: z.enum(["en", "zh-CN"]).default("en"),
};

export const invoice = z.object({
  /** `null` of a month that has no invoice yet. */
  id: id.nullable(),
  kind: z.enum(["monthly", "credit_note"]),
  number: z.string().nullable(),
  period: z.string(),
  /**
   * `open` while the month goes on, `draft` until its last day is posted, then `final` and `paid` or
   * `overdue`; `void` with a credit note. A credit note is `final`.
   */
  state: z.enum(["open", "draft", "final", "paid", "overdue", "void"]),
  gross: money,
  net: money,
  vat: money,
  outstanding: money,
  dueOn: z.iso.date().nullable(),
  finalizedAt: timestamp.nullable(),
  paidAt: timestamp.nullable(),
  /** The invoice that a credit note takes back, and why. */
  voids: id.nullable(),
  reason: z.string().nullable(),
  /** SHA-256 of the document in canonical form. */
  sha256: z.string().nullable(),
});

export const voidInvoiceBody = z.strictObject({ reason: displayReason });

const count = z.number().int().min(0).max(1_000_000_000);

export const quotaLimits = z.strictObject({
  vcpus: count,
  memoryMiB: count,
  diskGiB: count,
  leases: count,
  jobs: count,
  snapshots: count,
  storageGiB: count,
  /** By model; a model that is not named is 0. */
  gpus: z.record(z.string().max(32), count),
});

export const quota = z.object({ limits: quotaLimits, used: quotaLimits });
export const updateQuotaBody = quotaLimits.partial();
