import { z } from "zod";

import { displayName, id, money, positiveMoney, timestamp } from "./common.ts";

export const balance = z.object({
  currency: z.literal("CNY"),
  balance: money,
  /** Rated but not yet posted: today and the last two days (R-DAY-3). */
  provisional: money,
  held: money,
  available: money,
  /** What the running resources cost per hour at this moment. */
  burnPerHour: money,
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
  postings: z.array(z.object({ account: z.string(), amount: money })),
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

export const chargeLine = z.object({
  date: z.iso.date(),
  sku: z.string(),
  quantity: z.string(),
  unit: z.string(),
  listPrice: z.string(),
  multiplier: z.string(),
  amount: money,
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
  profile: z.string(),
});

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
