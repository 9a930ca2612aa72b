/** Rows of `usage_review`: listed by the operator until somebody has decided. */
import { hash } from "node:crypto";

import { v7 as newId } from "uuid";
import { z } from "zod";

import { oldestFirst, type PageAsk } from "#db/keyset.ts";
import type { Queryable, Tx } from "#db/pool.ts";
import { instant } from "#db/row.ts";
import { sql } from "#db/sql.ts";
import { raiseAlert, resolveAlert } from "#notices/store.ts";

import type { UsageEvent } from "./event.ts";
import { reviewReasons, type ReviewReason } from "./outcome.ts";

const openMax = 100_000;
const alertKey = "usage-review";

export interface ReviewDraft {
  readonly reason: ReviewReason;
  readonly event: UsageEvent;
  /** Canonical. */
  readonly text: string;
}

/** How many more may wait to be looked at. */
export async function roomForReviews(tx: Tx): Promise<number> {
  const { open } = await tx.one(
    sql`select count(*)::int as open
      from (select from usage_review where state = 'open' limit ${openMax}) o`,
    z.object({ open: z.int() }),
  );
  return openMax - open;
}

/** Lists one, once for the same reason; what stands in the list of it now. */
export async function addReview(
  tx: Tx,
  { reason, event, text }: ReviewDraft,
  at: number,
): Promise<ReviewState> {
  const { state } = await tx.one(
    sql`insert into usage_review as r
        (id, reason, message, source, event_id, digest, event, named_tenant, received_at)
      values (${newId()}, ${reason}, ${reviewReasons[reason]}, ${event.source}, ${event.id},
        ${Buffer.from(hash("sha256", text, "hex"), "hex")}, ${text}, ${event.tenantId},
        ${new Date(at)})
      on conflict on constraint usage_review_once do update set reason = excluded.reason
      returning r.state`,
    z.object({ state: reviewState }),
  );
  if (state === "open") {
    const data = { reason, source: event.source, id: event.id };
    await raiseAlert(tx, { key: alertKey, kind: "usage_review", severity: "warning", data, at });
  }
  return state;
}

const reviewState = z.enum(["open", "accepted", "rejected"]);
export type ReviewState = z.output<typeof reviewState>;

const reviewRow = z
  .object({
    id: z.string(),
    reason: z.string(),
    message: z.string(),
    source: z.string(),
    event_id: z.string(),
    event: z.string(),
    state: reviewState,
    received_at: instant,
    closed_at: instant.nullable(),
    closed_by: z.string().nullable(),
    note: z.string().nullable(),
  })
  .transform(
    ({ event_id: eventId, received_at: at, closed_at: closedAt, closed_by: closedBy, ...row }) => ({
      ...row,
      eventId,
      receivedAt: at,
      closedAt,
      closedBy,
    }),
  );
export type UsageReview = z.output<typeof reviewRow>;

const columns = sql`id, reason, message, source, event_id, event, state, received_at, closed_at,
  closed_by, note`;

/** Oldest first. */
export function usageReviews(
  db: Queryable,
  ask: PageAsk & { readonly open: boolean },
): Promise<UsageReview[]> {
  return db.rows(
    sql`select ${columns} from usage_review
      where (state = 'open' or not ${ask.open})
        and ${oldestFirst({ at: sql`received_at`, id: sql`id` }, ask)}
      order by received_at, id limit ${ask.limit}`,
    reviewRow,
  );
}

/** Locked until the transaction ends. */
export function lockReview(tx: Tx, id: string): Promise<UsageReview | undefined> {
  return tx.maybe(
    sql`select ${columns} from usage_review where id = ${id}::uuid for update`,
    reviewRow,
  );
}

export async function closeReview(
  tx: Tx,
  close: {
    readonly id: string;
    readonly state: "accepted" | "rejected";
    readonly by: string;
    readonly note: string;
    readonly at: number;
  },
): Promise<UsageReview> {
  const closed = await tx.one(
    sql`update usage_review
      set state = ${close.state}, closed_at = ${new Date(close.at)}, closed_by = ${close.by},
        note = ${close.note}
      where id = ${close.id}::uuid returning ${columns}`,
    reviewRow,
  );
  const [left] = await usageReviews(tx, { open: true, after: undefined, limit: 1 });
  if (left === undefined) await resolveAlert(tx, { key: alertKey, by: close.by, at: close.at });
  return closed;
}
