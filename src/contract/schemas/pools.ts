import { z } from "zod";

import { poolName } from "./catalog.ts";
import { id, timestamp } from "./common.ts";

/** `exclusive`: whole devices only; `shared`: slices too; `edge`: only for flavors that name it. */
const policy = z.enum(["exclusive", "shared", "edge"]);
/** The class of the work that it takes. */
const serviceClass = z.enum(["core", "standard", "any"]);

/** The rules that bind them: catalog/pool-rules.ts. */
export const poolSettings = z.strictObject({
  policy,
  serviceClass,
  /** Most slices of one of its devices, as far as the device can; 1 means whole devices only. */
  slicesMax: z.number().int().min(1).max(16),
  /** Share of its capacity that only work after a fault may use. */
  reservePercent: z.number().int().min(0).max(90),
  /** Work is spread over its hosts; otherwise it is packed. */
  spread: z.boolean(),
  /** Ids of the tenants that it is dedicated to; `null` when it is open to all. */
  tenants: z.array(id).min(1).max(1000).nullable(),
});
export type PoolSettings = z.output<typeof poolSettings>;

/** `high-end`: H100 and A100, whole; `general`: A10 and T4, cut up to 1:8; `edge`: Jetson. */
export const poolPreset = z.enum(["high-end", "general", "edge"]);

/** What is not said comes from the preset, and without one from a pool that is shared 1:8. */
export const createPoolBody = poolSettings
  .partial()
  .extend({ name: poolName, preset: poolPreset.optional() });

/** What is not said stays. */
export const updatePoolBody = poolSettings.partial();

export const pool = poolSettings.extend({
  id,
  name: poolName,
  hosts: z.number().int(),
  /** Of them, those whose site is away: they count below as they were seen last, and take nothing new. */
  hostsAway: z.number().int(),
  gpus: z.array(
    z.object({
      model: z.string(),
      devices: z.number().int(),
      /** Of them, those that take nothing new because somebody calls them sick. */
      sick: z.number().int(),
      /** In devices: four quarters are one. */
      allocated: z.number(),
    }),
  ),
  /** What the figures below count: GPUs, or CPUs in a pool that has none. */
  unit: z.enum(["gpu", "cpu"]),
  /** Of hosts that are up and take work, without sick devices. */
  capacity: z.number(),
  allocated: z.number(),
  /** Of the capacity: what is kept for work after a fault, and how much of that is free. */
  reserve: z.object({ size: z.number(), free: z.number() }),
  utilization: z.object({
    /** Shares of the capacity, 0 to 1. */
    now: z.number().nullable(),
    /** Over the last 30 days, or since its first host came. */
    days30: z.number().nullable(),
    /** What a pool of this policy should reach; `null` where nobody expects a figure. */
    target: z.object({ from: z.number(), until: z.number() }).nullable(),
  }),
  /** What the operator may want to know about it. */
  findings: z.array(z.object({ code: z.string(), message: z.string() })),
  createdAt: timestamp,
});
export type Pool = z.output<typeof pool>;
