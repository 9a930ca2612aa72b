import { z } from "zod";

import { operation } from "#contract/operation.ts";
import { periodQuery } from "#contract/schemas/billing.ts";
import { id, page, pageQuery } from "#contract/schemas/common.ts";
import * as metering from "#contract/schemas/metering.ts";

const treeSize = z.coerce.number().int().min(1).max(Number.MAX_SAFE_INTEGER);

export const meteringOperations = {
  recordUsage: operation({
    method: "POST",
    path: "/v1/usage-events",
    summary: "For the operator's meters: usage events, each answered by itself",
    tag: "metering",
    permission: "usage.write",
    audit: "usage.record",
    body: metering.recordUsageBody,
    result: metering.recordUsageResult,
  }),
  listUsageReviews: operation({
    method: "GET",
    path: "/v1/usage-reviews",
    summary: "For the operator: usage that somebody must look at, oldest first",
    tag: "metering",
    permission: "platform.read",
    query: pageQuery.extend({ state: z.enum(["open", "all"]).default("open") }),
    result: page(metering.heldUsage),
  }),
  resolveUsageReview: operation({
    method: "POST",
    path: "/v1/usage-reviews/{reviewId}/resolve",
    summary: "For the operator: take such usage in, or reject it",
    tag: "metering",
    permission: "platform.manage",
    audit: "usage-review.resolve",
    params: z.strictObject({ reviewId: id }),
    body: metering.resolveUsageReviewBody,
    result: metering.heldUsage,
    failures: ["wrong_state"],
  }),
  checkUsage: operation({
    method: "GET",
    path: "/v1/log/check",
    summary: "For the operator: rebuild the log and the daily sums from the events, and compare",
    tag: "metering",
    permission: "platform.read",
    result: metering.usageCheck,
  }),
  compareAllocation: operation({
    method: "GET",
    path: "/v1/usage/allocation",
    summary: "For the operator: what hosts hold beside what is metered, at this moment",
    tag: "metering",
    permission: "platform.read",
    result: metering.usageAllocation,
  }),
  listUsageEvents: operation({
    method: "GET",
    path: "/v1/usage-events",
    summary: "Usage events of a period, with their leaves in the metering log",
    tag: "metering",
    permission: "billing.read",
    query: pageQuery.extend(periodQuery),
    result: page(metering.loggedEvent),
  }),
  getUsageEventProof: operation({
    method: "GET",
    path: "/v1/usage-events/{leafIndex}/proof",
    summary: "Proof that an event of yours is in the metering log",
    tag: "metering",
    permission: "billing.read",
    params: z.strictObject({
      leafIndex: z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER),
    }),
    result: metering.inclusionProof,
    failures: ["wrong_state"],
  }),
  getLogCheckpoint: operation({
    method: "GET",
    path: "/v1/log/checkpoint",
    summary: "The latest signed checkpoint of the metering log (C2SP tlog-tiles)",
    tag: "metering",
    permission: "public",
    result: z.unknown(),
    transport: "bytes",
  }),
  getLogKey: operation({
    method: "GET",
    path: "/v1/log/key",
    summary: "The key that checkpoints are checked with (C2SP signed-note)",
    tag: "metering",
    permission: "public",
    result: z.unknown(),
    transport: "bytes",
  }),
  getLogTile: operation({
    method: "GET",
    path: "/v1/log/tile/{+tile}",
    summary: "A hash tile of the metering log: `0/x001/067` or, while partial, `0/x001/067.p/12`",
    tag: "metering",
    permission: "public",
    params: z.strictObject({ tile: z.string().max(60) }),
    result: z.unknown(),
    transport: "bytes",
  }),
  getLogConsistency: operation({
    method: "GET",
    path: "/v1/log/consistency",
    summary: "Proof that the log of one size is the beginning of that of another",
    tag: "metering",
    permission: "public",
    query: z.strictObject({ from: treeSize, to: treeSize }),
    result: metering.consistencyProof,
  }),
};
