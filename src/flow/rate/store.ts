/**
 * Rows of `rating_account`. What must stay true: one rater works on a tenant at a time (the account's
 * row is locked).
 */
import { z } from "zod";

import type { Queryable, Tx } from "#db/pool.ts";
import { sql } from "#db/sql.ts";
import { addDays, isLocalDay, localDay, type LocalDay } from "#kernel/calendar.ts";
import { timeZone, type TimeZone } from "#kernel/zone.ts";

import type { PostedDays } from "./horizon.ts";

const day = z
  .string()
  .refine(isLocalDay)
  .transform((text) => localDay(text));

export interface RatingAccount {
  readonly timeZone: TimeZone;
  /** The first local day that is rated. */
  readonly ratedFrom: LocalDay;
  readonly postedThrough: LocalDay;
  /** Whether usage without a price kept the last pass from posting. */
  readonly isStopped: boolean;
}

const accountRow = z
  .object({
    time_zone: z.string(),
    rated_from: day,
    posted_through: day,
    is_stopped: z.boolean(),
  })
  .transform((row): RatingAccount => ({
    timeZone: timeZone(row.time_zone),
    ratedFrom: row.rated_from,
    postedThrough: row.posted_through,
    isStopped: row.is_stopped,
  }));

/** Locked until the transaction ends; `undefined` before the tenant's first rating. */
export function lockRatingAccount(tx: Tx, tenantId: string): Promise<RatingAccount | undefined> {
  return tx.maybe(
    sql`select time_zone, rated_from::text, posted_through::text,
        stopped_on is not null as is_stopped
      from rating_account where tenant_id = ${tenantId} for update`,
    accountRow,
  );
}

/** Somebody else may have opened it in this moment; then his stays. */
export async function openRatingAccount(
  tx: Tx,
  tenantId: string,
  { timeZone: zone, ratedFrom }: Pick<RatingAccount, "timeZone" | "ratedFrom">,
): Promise<void> {
  await tx.execute(sql`
    insert into rating_account
      (tenant_id, time_zone, rated_from, posted_through, post_next_at, rated_at)
    values (${tenantId}, ${zone}, ${ratedFrom}::date, ${addDays(ratedFrom, -1)}::date, 'epoch',
      'epoch')
    on conflict do nothing`);
}

/** Those whose posted days a clock that shows `now` may not have reached yet, to be looked at. */
export async function postedNear(
  db: Queryable,
  now: number,
): Promise<(PostedDays & { readonly tenantId: string })[]> {
  return db.rows(
    sql`select tenant_id, time_zone, rated_from::text, posted_through::text from rating_account
      where posted_through > ${new Date(now - nearMs)}::timestamptz::date
      order by posted_through desc limit ${nearMax}`,
    postedRow,
  );
}

const nearMs = 4 * 86_400_000;
const nearMax = 100;

const postedRow = z
  .object({ tenant_id: z.string(), time_zone: z.string(), rated_from: day, posted_through: day })
  .transform((row) => ({
    tenantId: row.tenant_id,
    zone: timeZone(row.time_zone),
    ratedFrom: row.rated_from,
    postedThrough: row.posted_through,
  }));

export interface PassEnd {
  readonly postedThrough: LocalDay;
  /** When the day after it may be posted. */
  readonly postNextAt: number;
  readonly now: number;
  /** Of the usage account, before its usage was read. */
  readonly changes: bigint;
  /** The first usage without a price. */
  readonly stop: { readonly sku: string; readonly day: LocalDay } | undefined;
}

export async function closePass(tx: Tx, tenantId: string, end: PassEnd): Promise<void> {
  await tx.execute(sql`
    update rating_account
    set posted_through = ${end.postedThrough}::date, post_next_at = ${new Date(end.postNextAt)},
      rated_at = ${new Date(end.now)}, rated_changes = ${end.changes}, stopped_on = ${end.stop?.day ?? null}::date,
      stopped_sku = ${end.stop?.sku ?? null}
    where tenant_id = ${tenantId}`);
}

/**
 * Tenants that may have something new to rate: never rated and with usage or a package, open usage,
 * a roll-up that changed since they were rated last, or a day to be posted. By id.
 */
export async function tenantsToRate(
  db: Queryable,
  at: { readonly now: number; readonly after: string | undefined; readonly limit: number },
): Promise<string[]> {
  const rows = await db.rows(
    sql`select tenant_id from (
        select tenant_id from usage_interval where cut_next_at is not null
        union
        select t.id from tenant t
          where not exists (select from rating_account r where r.tenant_id = t.id)
            and (exists (select from usage_account a where a.tenant_id = t.id and a.changes > 0)
              or exists (select from package_credit p
                where p.tenant_id = t.id and p.ended_as is null))
        union
        select r.tenant_id from rating_account r
          where r.post_next_at <= ${new Date(at.now)}
            or exists (select from usage_account a where a.tenant_id = r.tenant_id
              and a.changes > r.rated_changes)
      ) due
      where ${at.after === undefined ? sql`true` : sql`tenant_id > ${at.after}::uuid`}
      order by tenant_id limit ${at.limit}`,
    z.object({ tenant_id: z.string() }),
  );
  return rows.map(({ tenant_id: tenantId }) => tenantId);
}
