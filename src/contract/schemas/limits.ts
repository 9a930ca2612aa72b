/** Limits of the queue: what a customer or a project may hold at one time and use in a month. */
import { z } from "zod";

import { id, money, timestamp } from "./common.ts";

const gpus = z.number().min(0).max(1_000_000);
const hours = z.number().int().min(0).max(100_000_000);
const budget = z
  .string()
  .regex(/^(?:0|[1-9][0-9]{0,9})(?:\.[0-9]{1,2})?$/, 'an amount such as "100" or "12.50"');

export const gpuModel = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$/);

export const queueLimit = z.object({
  /** null: all projects together. */
  projectId: id.nullable(),
  /** null: all GPUs together; `cpu` is work without GPU, counted in CPUs. */
  gpuModel: gpuModel.nullable(),
  /** Held at one time, in GPUs; a slice is its part of one. */
  gpusMax: gpus.nullable(),
  /** Of a calendar month in Shanghai. */
  gpuHoursPerMonth: hours.nullable(),
  /** Of the same month, at the prices quoted; of all work, with GPU or without. */
  moneyPerMonth: money.nullable(),
  updatedAt: timestamp,
});

export const shareCap = z.object({
  /** `*` is every model without a row of its own. */
  gpuModel: z.union([gpuModel, z.literal("*")]),
  percent: z.number().int().min(1).max(100),
});

export const queueLimits = z.object({
  limits: z.array(queueLimit),
  /** What one customer may hold of all GPUs of a model when no limit of his own says otherwise. */
  shares: z.array(shareCap),
});

/** Says all of the limit of that model: what is left out is not limited; with nothing, it goes. */
export const setLimitBody = z
  .strictObject({
    gpuModel: gpuModel.optional(),
    gpusMax: gpus.optional(),
    gpuHoursPerMonth: hours.optional(),
    moneyPerMonth: budget.optional(),
  })
  .refine((body) => body.moneyPerMonth === undefined || body.gpuModel === undefined, {
    message: "money has no GPU model: set it without gpuModel",
    path: ["moneyPerMonth"],
  });

export const setShareCapBody = z.strictObject({
  gpuModel: shareCap.shape.gpuModel.default("*"),
  percent: shareCap.shape.percent,
});
