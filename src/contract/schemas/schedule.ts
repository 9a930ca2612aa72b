/** Why something waits, what would become of a plan, and history under another policy. */
import { z } from "zod";

import { price } from "./catalog.ts";
import { dnsName, id, money, reason, timestamp } from "./common.ts";

const startRange = z
  .object({
    earliest: timestamp.nullable(),
    likely: timestamp.nullable(),
    latest: timestamp.nullable(),
  })
  .meta({
    description:
      "If the queue stays as it is: earliest if all before it end as soon as the quickest do; latest if all use their whole limit. null: nobody knows",
  });

/** `pool`: whom it competes with, a GPU model or `cpu`. Its first has position 1. */
export const placeInLine = z
  .object({
    pool: z.string(),
    position: z.number().int(),
    waiting: z.number().int(),
    start: startRange,
  })
  .meta({ description: "Where it stands among those that wait, and when it may start" });

export const requestWhy = z.object({
  requestId: id,
  kind: z.enum(["lease", "job"]),
  name: z.string(),
  /** `none`: it does not ask for capacity, because it is stopped or has ended. */
  state: z.enum(["none", "entering", "waiting", "resting", "placed"]),
  workClass: z.enum(["diamond", "gold", "ordinary"]),
  /** What its place in the order counts from. */
  askedAt: timestamp.nullable(),
  /** Whom it competes with: a GPU model, or `cpu`. */
  pool: z.string(),
  /** 1 is first. */
  position: z.number().int().nullable(),
  waiting: z.number().int().nullable(),
  reason: reason.nullable(),
  start: startRange.nullable(),
  /** Of a job with several members: how many, and for how many there was room when it was looked at. */
  gang: z.object({ size: z.number().int(), fits: z.number().int().nullable() }).nullable(),
  /** All of it in a sentence. */
  text: z.string(),
});

/** Somebody's entry in the queue, as the operator sees it. */
export const inQueue = z.object({
  requestId: id,
  tenantId: id,
  /** The tenant's name. */
  tenant: z.string(),
  kind: z.enum(["lease", "job"]),
  name: z.string(),
  flavor: z.string(),
  workClass: z.enum(["diamond", "gold", "ordinary"]),
  /** `resting`: its last attempt was cut short, and it is tried again later. */
  state: z.enum(["waiting", "resting"]),
  /** What its place in the order counts from. */
  askedAt: timestamp,
  /** Whom it competes with: a GPU model, or `cpu`. */
  pool: z.string(),
  /** 1 is first; null while the placer has not looked at it, and while it rests. */
  position: z.number().int().nullable(),
  waiting: z.number().int().nullable(),
  /** Of a job: it takes one place with all of them. */
  members: z.number().int(),
  reason: reason.nullable(),
  start: startRange.nullable(),
});

export const planRequestBody = z.strictObject({
  flavor: z.string().min(1).max(100),
  diskGiB: z.number().int().min(1).max(65_536).optional(),
  count: z.number().int().min(1).max(1000).default(1),
  /** As the members of one job, which start all or none: close together, or each on a host of its own. */
  together: z.enum(["pack", "spread"]).optional(),
});

export const requestPlan = z.object({
  flavor: z.string(),
  asked: z.number().int(),
  /** So many have room at this moment. */
  fits: z.number().int(),
  /** Why not more; null if all fit. */
  reason: reason.nullable(),
  /** It never fits any host, however empty; of members, not all of them fit together. */
  never: z.boolean(),
  /** Who waits for the same GPUs (or CPUs) now, and when the last of them starts at the latest. */
  line: z.object({ pool: z.string(), waiting: z.number().int(), latest: timestamp.nullable() }),
  /** Of one. */
  price,
});

export const fleetChange = z.discriminatedUnion("do", [
  z.strictObject({
    do: z.literal("add"),
    like: z.string().min(1).max(200).meta({ description: "Name or id of a host that is there" }),
    count: z.number().int().min(1).max(10_000),
  }),
  z.strictObject({ do: z.literal("remove"), host: z.string().min(1).max(200) }),
  z.strictObject({
    do: z.literal("pool"),
    pool: dnsName,
    slicesMax: z.number().int().min(1).max(16).optional(),
    reservePercent: z.number().int().min(0).max(90).optional(),
    spread: z.boolean().optional(),
  }),
]);

export const planFleetBody = z.strictObject({ changes: z.array(fleetChange).min(1).max(100) });

const share = z.number().nullable().meta({ description: "0 to 1; null where there is nothing" });

const sold = z.object({
  hosts: z.number().int(),
  gpus: z.number().int(),
  gpuUtilization: share,
  cpuUtilization: z.number(),
  revenuePerHour: money,
  waiting: z.number().int(),
});

export const fleetPlan = z.object({
  before: sold,
  after: sold,
  /** On hosts that would go; those without a `reason` find another host. */
  displaced: z.array(
    z.object({
      requestId: id,
      tenantId: id,
      kind: z.enum(["lease", "job"]),
      name: z.string(),
      reason: reason.nullable(),
    }),
  ),
  /** That wait now and would start. `host` may be one that was added. */
  started: z.array(z.object({ requestId: id, host: z.string() })),
  /** Why others would still wait, with how many of each reason. */
  stillWaiting: z.array(
    z.object({ code: z.string(), count: z.number().int(), message: z.string() }),
  ),
});

export const replayScheduleBody = z.strictObject({
  from: timestamp,
  until: timestamp,
  policy: z
    .enum(["due", "fifo", "skip", "easy", "shortest"])
    .default("due")
    .meta({ description: "Of the queue; `due` is the product's" }),
  placement: z
    .enum(["balance", "fgd", "bestfit", "dotprod", "gpupacking"])
    .default("balance")
    .meta({ description: "Of the hosts; `balance` is the product's" }),
  /** History on other hosts. */
  changes: z.array(fleetChange).max(100).default([]),
});

const scheduleFigures = z.object({
  asked: z.number().int(),
  started: z.number().int(),
  stillWaiting: z.number().int(),
  meanWaitSeconds: z.number(),
  p95WaitSeconds: z.number(),
  longestWaitSeconds: z.number(),
  /** Of work with eight GPUs and more. */
  wideMeanWaitSeconds: z.number().nullable(),
  gpuUtilization: share,
  cpuUtilization: z.number(),
  revenue: money,
});

export const scheduleReplay = z.object({
  from: timestamp,
  until: timestamp,
  policy: z.string(),
  placement: z.string(),
  /** What happened. */
  real: scheduleFigures,
  /** The same on paper under the product's own policy and the hosts of now. */
  usual: scheduleFigures,
  /** Under the policy asked for. */
  other: scheduleFigures,
  /** Ran on hosts that are not there any more. */
  displaced: z.number().int(),
  /** Were withdrawn before they had a place: left out of all three. */
  gaveUp: z.number().int(),
  /** There was more than can be replayed at once: ask for a shorter stretch. */
  cut: z.boolean(),
});
