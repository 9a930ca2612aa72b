/** Usage events, the metering log, and usage that somebody has to look at. */
import { z } from "zod";

import { displayName, id, timestamp } from "./common.ts";

/** To the second, in UTC: the one way in which an event writes an instant. */
const second = z
  .string()
  .regex(/^20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$/, "2026-05-04T01:00:00Z")
  .refine((text) => isInstant(text), "is no instant")
  .meta({ description: "RFC 3339 in UTC, to the second: 2026-05-04T01:00:00Z" });

function isInstant(text: string): boolean {
  const ms = Date.parse(text);
  return !Number.isNaN(ms) && new Date(ms).toISOString() === text.replace("Z", ".000Z");
}

const plainText = (charactersMax: number): z.ZodString =>
  z.string().regex(new RegExp(`^[A-Za-z0-9/][A-Za-z0-9._:/@+-]{0,${charactersMax - 1}}$`));

const uuid = z
  .string()
  .regex(/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/)
  .meta({ format: "uuid", description: "A UUID, in lower case" });

const reason = z.string().regex(/^[A-Za-z0-9 ._:/-]{1,100}$/);

const envelope = {
  specversion: z.literal("1.0"),
  source: plainText(100).meta({ description: "Who measured; with `id` the identity, for ever" }),
  id: plainText(128),
  /** When what it tells of was so, not when it was sent: it is the same each time. */
  time: second,
  datacontenttype: z.literal("application/json"),
};

export const recordedEvent = z.strictObject({
  ...envelope,
  type: z.literal("compute.usage.recorded.v1"),
  data: z.strictObject({
    tenant: uuid,
    project: uuid,
    /** The lease or the job. */
    request: uuid,
    instance: uuid,
    /** What it is a part of. */
    interval: uuid,
    work: z.enum(["lease", "job"]),
    plan: z.enum(["on_demand", "subscription"]),
    sku: plainText(100),
    unit: z
      .string()
      .regex(/^[A-Za-z][A-Za-z0-9-]{0,31}$/)
      .meta({
        description: "What one unit of the SKU is: GPU, core, GiB or byte",
      }),
    units: z
      .string()
      .regex(/^[1-9][0-9]{0,17}$/)
      .meta({ description: "Whole units held; `units / slice` is the exact quantity" }),
    slice: z.int().min(1).max(1_000_000),
    from: second,
    until: second,
    billable: z.boolean(),
    reason: reason.nullable(),
  }),
});

export const retractedEvent = z.strictObject({
  ...envelope,
  type: z.literal("compute.usage.retracted.v1"),
  data: z.strictObject({
    tenant: uuid,
    /** The id of the event that it takes back, of the same source. */
    retracts: plainText(128),
    reason,
  }),
});

/** A CloudEvents 1.0 object. */
export const usageEvent = z.discriminatedUnion("type", [recordedEvent, retractedEvent]);

export const eventsPerRequestMax = 1_000;

/** A CloudEvents batch. Each event is checked and answered by itself. */
export const recordUsageBody = z
  .array(z.unknown())
  .min(1)
  .max(eventsPerRequestMax)
  .meta({ description: "Usage events, each answered by itself; their schema is `UsageEvent`" });

export const usageOutcome = z.object({
  /** Of the batch, from 0. */
  index: z.int(),
  outcome: z.enum(["accepted", "duplicate", "conflict", "refused", "review"]),
  /** As an HTTP status, in the order of the outcomes: 201, 200, 409, 422, 202. */
  status: z.int(),
  /** Why, where it was not accepted. */
  reason: z.string().optional(),
  message: z.string().optional(),
});

export const recordUsageResult = z.object({
  accepted: z.int(),
  duplicates: z.int(),
  results: z.array(usageOutcome),
});

export const loggedEvent = z.object({
  /** Canonical (RFC 8785), as it was accepted. */
  event: z.string(),
  /** In base64; with the event it makes the leaf. */
  salt: z.string(),
  leafHash: z.string().meta({ description: "RFC 6962, in hexadecimal" }),
  /** null until the log has it. */
  leafIndex: z.int().nullable(),
  /** The tenant's local day that all of it lies in. */
  day: z.iso.date(),
  /** False where it came too late to be charged. */
  counted: z.boolean(),
  receivedAt: timestamp,
});

const hashes = z.array(z.string()).meta({ description: "From the leaf up, in base64" });

export const inclusionProof = z.object({
  leafIndex: z.int(),
  leafHash: z.string(),
  /** Of the tree that the proof leads to. */
  size: z.int(),
  hashes,
  /** The signed note of that tree. */
  checkpoint: z.string(),
});

export const consistencyProof = z.object({ from: z.int(), to: z.int(), hashes });

export const heldUsage = z.object({
  id,
  reason: z.string(),
  message: z.string(),
  source: z.string(),
  eventId: z.string(),
  event: z.string(),
  state: z.enum(["open", "accepted", "rejected"]),
  receivedAt: timestamp,
  closedAt: timestamp.nullable(),
  closedBy: z.string().nullable(),
  note: z.string().nullable(),
});

export const usageCheck = z.object({
  leaves: z.int(),
  /** Empty where all is well. */
  problems: z.array(z.string()),
});

/** Capacity that hosts hold, beside what is metered, at one moment. Decimals of GPUs, cores and GiB. */
export const usageAllocation = z.object({
  comparedAt: timestamp,
  /** That hold capacity of a host. */
  machines: z.int(),
  /** Of them, those that boot or end: they hold it and are not charged. */
  starting: z.int(),
  /** Being resized, or a moment behind: looked at another time. */
  changing: z.int(),
  sums: z.array(
    z.object({
      sku: z.string(),
      /** `metered` and `starting` together, where all is well. */
      allocated: z.string(),
      starting: z.string(),
      metered: z.string(),
    }),
  ),
  /** Machines for which it does not come out; at most a hundred. */
  differences: z.array(
    z.object({
      tenantId: id,
      tenant: z.string(),
      kind: z.enum(["lease", "job"]),
      requestId: id,
      name: z.string(),
      sku: z.string(),
      allocated: z.string(),
      metered: z.string(),
    }),
  ),
});

export const resolveUsageReviewBody = z.strictObject({
  /** `accept` takes the event in as things are now; what was late stays uncharged. */
  action: z.enum(["accept", "reject"]),
  note: displayName,
});
