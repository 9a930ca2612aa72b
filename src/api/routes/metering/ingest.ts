/** Usage that other meters hand in, and what somebody must look at of it. For the operator. */
import type { z } from "zod";

import type { Handlers, TextHandler } from "#api/handler.ts";
import { pageOf } from "#api/page.ts";
import { time, timeOrNull } from "#api/routes/wire.ts";
import type { Operations } from "#contract/operations.ts";
import {
  eventsPerRequestMax,
  type heldUsage,
  type usageOutcome,
} from "#contract/schemas/metering.ts";
import { compareAllocation } from "#flow/meter/allocation.ts";
import { saltedLeaves, type Leaves } from "#flow/meter/event-store.ts";
import { checkLog } from "#flow/meter/log-check.ts";
import { logSize } from "#flow/meter/log-store.ts";
import type { EventOutcome } from "#flow/meter/outcome.ts";
import { receiveUsage } from "#flow/meter/receive.ts";
import { resolveReview } from "#flow/meter/resolve.ts";
import { usageReviews, type UsageReview } from "#flow/meter/review.ts";
import { checkUsageDays } from "#flow/meter/usage-days.ts";
import { tenantNames } from "#identity/tenants.ts";

/** `leaves`: others only where somebody measures what the log costs. */
export function recordUsageWith(leaves: Leaves): TextHandler<Operations["recordUsage"]> {
  return {
    waits: false,
    readsText: true,
    handle: async ({ body }, { tx, now, note }) => {
      const sent = {
        bytes: body.bytes,
        text: body.text,
        parse: () => body.parse(),
        eventsMax: eventsPerRequestMax,
      };
      const outcomes = await receiveUsage(tx, sent, { now: now(), leaves });
      const results = outcomes.map(showOutcome);
      const counts: Record<string, number> = {};
      for (const { outcome } of results) counts[outcome] = (counts[outcome] ?? 0) + 1;
      note({ details: counts });
      const { accepted = 0, duplicate: duplicates = 0 } = counts;
      return { accepted, duplicates, results };
    },
  };
}

export const ingestHandlers = {
  recordUsage: recordUsageWith(saltedLeaves),

  listUsageReviews: ({ query }, { tx }) =>
    pageOf(query, {
      load: (ask) => usageReviews(tx, { ...ask, open: query.state === "open" }),
      show: showReview,
      positionOf: ({ receivedAt, id }) => ({ at: receivedAt, id }),
    }),

  resolveUsageReview: async ({ params, body }, { tx, principal, now }) => {
    const { userName: by } = principal;
    return showReview(await resolveReview(tx, { id: params.reviewId, ...body, by, at: now() }));
  },

  compareAllocation: async (_input, { tx, now }) => {
    const comparedAt = time(now());
    const compared = await compareAllocation(tx);
    const ids = [...new Set(compared.differences.map(({ tenantId }) => tenantId))];
    const names = await tenantNames(tx, ids);
    return {
      ...compared,
      comparedAt,
      differences: compared.differences.map((each) => ({
        ...each,
        tenant: names.get(each.tenantId) ?? each.tenantId,
      })),
    };
  },

  checkUsage: {
    waits: true,
    handle: async (_input, { db }) => {
      const problems = [...(await checkLog(db)), ...(await checkUsageDays(db))];
      return { leaves: await logSize(db), problems };
    },
  },
} satisfies Partial<Handlers>;

const statuses = {
  accepted: 201,
  duplicate: 200,
  conflict: 409,
  refused: 422,
  review: 202,
} as const satisfies Record<EventOutcome["outcome"], number>;

function showOutcome(outcome: EventOutcome, index: number): z.output<typeof usageOutcome> {
  return { index, status: statuses[outcome.outcome], ...outcome };
}

function showReview(row: UsageReview): z.output<typeof heldUsage> {
  return { ...row, receivedAt: time(row.receivedAt), closedAt: timeOrNull(row.closedAt) };
}
