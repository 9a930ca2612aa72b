/** What somebody decides about usage that he was asked to look at. */
import type { Tx } from "#db/pool.ts";
import { assert } from "#kernel/assert.ts";
import { Failure } from "#kernel/failure.ts";

import { ingestEvents } from "./ingest.ts";
import type { ReviewReason } from "./outcome.ts";
import { closeReview, lockReview, type UsageReview } from "./review.ts";
import { sentValues } from "./sent.ts";

/** What may be taken in once somebody has said that it is right. */
const waived: ReadonlySet<ReviewReason> = new Set(["overlap", "metered_here", "late"]);

export interface Resolution {
  readonly id: string;
  readonly action: "accept" | "reject";
  readonly by: string;
  readonly note: string;
  readonly at: number;
}

/**
 * Accepting takes the event in as things are now: a tenant or a SKU that was unknown must be known by
 * then. What is late stays uncharged, which cannot be waived (R-LATE-3). Throws `not_found`,
 * `wrong_state`.
 */
export async function resolveReview(tx: Tx, resolution: Resolution): Promise<UsageReview> {
  const { id, action, by, note, at } = resolution;
  const review = await lockReview(tx, id);
  if (review === undefined) throw new Failure("not_found", "There is no such usage to look at.");
  if (review.state !== "open") {
    throw new Failure("wrong_state", `It was ${review.state} already.`, {
      details: { state: review.state },
    });
  }
  // What is late is in the log already.
  if (action === "accept" && review.reason !== "late") await takeIn(tx, review, at);
  const state = action === "accept" ? "accepted" : "rejected";
  return closeReview(tx, { id, state, by, note, at });
}

async function takeIn(tx: Tx, review: UsageReview, at: number): Promise<void> {
  const value: unknown = JSON.parse(review.event);
  const [outcome] = await ingestEvents(tx, sentValues([value]), { now: at, waived });
  assert(outcome !== undefined, "one event has one answer");
  // Taken in, or it was there already.
  if (!("message" in outcome)) return;
  throw new Failure("wrong_state", `It cannot be taken in: ${outcome.message}`, {
    details: { ...outcome },
  });
}
