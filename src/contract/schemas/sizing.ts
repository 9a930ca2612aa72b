/** How large a lease should be, from what it used, and whether the platform sees to it by itself. */
import { z } from "zod";

import { id, money, positiveMoney, reason, timestamp } from "./common.ts";

const bounds = z.object({
  /** With less than that it has too little half of the time. */
  lower: z.number(),
  target: z.number(),
  /** More than that is hardly ever used. */
  upper: z.number(),
});

const size = z.object({
  flavor: z.string(),
  vcpus: z.number().int(),
  memoryMiB: z.number().int(),
  diskGiB: z.number().int(),
  /** Yuan an hour at today's list price. */
  hourly: money.nullable(),
});

const vcpus = z.number().int().min(1).max(1_024);
const memoryMiB = z.number().int().min(1).max(16_777_216);

/** Within these the platform may resize the lease, and only where that takes no restart. */
const sizingFields = z.strictObject({
  vcpusMin: vcpus.default(1),
  vcpusMax: vcpus,
  memoryMiBMin: memoryMiB.default(1),
  memoryMiBMax: memoryMiB,
  /** The most that it may cost an hour afterwards. */
  hourlyMax: positiveMoney,
  /** After a change, none for so long. */
  cooldownMinutes: z.number().int().min(10).max(10_080).default(60),
  /** Each change and its price are said so long before. */
  noticeMinutes: z.number().int().min(5).max(1_440).default(15),
});

export const setSizingBody = sizingFields
  .refine((body) => body.vcpusMin <= body.vcpusMax, {
    message: "vcpusMin is at most vcpusMax",
    path: ["vcpusMin"],
  })
  .refine((body) => body.memoryMiBMin <= body.memoryMiBMax, {
    message: "memoryMiBMin is at most memoryMiBMax",
    path: ["memoryMiBMin"],
  });

export const recommendation = z.object({
  leaseId: id,
  /** `grow`: it needs more than it has; `shrink`: far less; `unknown`: nobody saw yet what it uses. */
  advice: z.enum(["grow", "shrink", "keep", "unknown"]),
  current: size,
  /** The cheapest flavor that is enough; `null` where none is better than what it has. */
  recommended: size.nullable(),
  /** In CPUs. `null`: nobody could see. */
  cpus: bounds.nullable(),
  memoryMiB: bounds.nullable(),
  /** Of history behind it: hours say little of nights and weekends. */
  days: z.number(),
  confidence: z.enum(["none", "low", "medium", "high"]),
  seenAt: timestamp.nullable(),
  /** Whether the recommended size takes effect without a restart, and why not. */
  live: z.object({ can: z.boolean(), because: z.string().nullable() }),
  automatic: z
    .object({
      vcpusMin: z.number().int(),
      vcpusMax: z.number().int(),
      memoryMiBMin: z.number().int(),
      memoryMiBMax: z.number().int(),
      hourlyMax: money,
      cooldownMinutes: z.number().int(),
      noticeMinutes: z.number().int(),
      /** What it becomes, and not before when. */
      announced: z.object({ flavor: z.string(), hourly: money, at: timestamp }).nullable(),
      resizedAt: timestamp.nullable(),
      /** Why it could not be done the last time. */
      refusal: reason.nullable(),
      /** What happens next, or why nothing does; for a person. */
      next: z.string(),
    })
    .nullable(),
});
