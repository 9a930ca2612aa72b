/**
 * Rows of `notice` and `alert`. A notice is written once per key, in the transaction of what it
 * tells of. An alert is one row per key: raised again while its cause lasts, open until resolved.
 */
import { v7 as newId } from "uuid";
import { z } from "zod";

import { json } from "#db/json.ts";
import { newestFirst, type PageAsk } from "#db/keyset.ts";
import type { Queryable, Tx } from "#db/pool.ts";
import { instant } from "#db/row.ts";
import { sql } from "#db/sql.ts";

import type { AlertKind, Data, NoticeKind } from "./words.ts";

export const channel = "notice";

export interface NoticeDraft {
  readonly tenantId: string;
  /** Names the fact, e.g. `package-expiry:ID:7`. */
  readonly key: string;
  readonly kind: NoticeKind;
  readonly severity: "info" | "warning" | "critical";
  readonly data: Data;
  /** Epoch milliseconds. */
  readonly at: number;
}

/** Whether it is new; the second time is harmless. */
export async function notify(tx: Tx, draft: NoticeDraft): Promise<boolean> {
  const written = await tx.execute(sql`
    insert into notice (tenant_id, id, key, kind, severity, data, at)
    values (${draft.tenantId}, ${newId()}, ${draft.key}, ${draft.kind}, ${draft.severity},
      ${json(draft.data)}::jsonb, ${new Date(draft.at)})
    on conflict on constraint notice_key do nothing`);
  if (written > 0) tx.nudge(channel);
  return written > 0;
}

export interface AlertDraft {
  /** Names the cause, e.g. `unpriced:TENANT:SKU`. */
  readonly key: string;
  readonly kind: AlertKind;
  readonly severity: "warning" | "critical";
  readonly tenantId?: string;
  readonly data: Data;
  readonly at: number;
}

/** Whether it was not open before. Also in work for a tenant, who cannot read alerts. */
export async function raiseAlert(db: Queryable, draft: AlertDraft): Promise<boolean> {
  const { fresh } = await db.one(
    sql`select raise_alert(${newId()}::uuid, ${draft.key}, ${draft.kind}, ${draft.severity},
      ${draft.tenantId ?? null}::uuid, ${json(draft.data)}::jsonb, ${new Date(draft.at)}) as fresh`,
    z.object({ fresh: z.boolean() }),
  );
  return fresh;
}

/** Whether it was open. `by` is who says so: a user, or the part whose check passed again. */
export async function resolveAlert(
  db: Queryable,
  { key, by, at }: { readonly key: string; readonly by: string; readonly at: number },
): Promise<boolean> {
  const { open } = await db.one(
    sql`select resolve_alert(${key}, ${by}, ${new Date(at)}) as open`,
    z.object({ open: z.boolean() }),
  );
  return open;
}

const data = z.record(z.string(), z.union([z.string(), z.number()]));

const noticeRow = z
  .object({
    id: z.string(),
    kind: z.string(),
    severity: z.enum(["info", "warning", "critical"]),
    data,
    at: instant,
    read_at: instant.nullable(),
  })
  .transform(({ read_at: readAt, ...rest }) => ({ ...rest, readAt }));
export type Notice = z.output<typeof noticeRow>;

const noticeColumns = sql`id, kind, severity, data, at, read_at`;

/** Newest first. */
export function notices(db: Queryable, tenantId: string, ask: PageAsk): Promise<Notice[]> {
  return db.rows(
    sql`select ${noticeColumns} from notice
      where tenant_id = ${tenantId} and ${newestFirst({ at: sql`at`, id: sql`id` }, ask)}
      order by at desc, id desc limit ${ask.limit}`,
    noticeRow,
  );
}

/** `undefined` if the tenant has no such notice. The first reading counts. */
export function markRead(
  tx: Tx,
  { tenantId, id, at }: { readonly tenantId: string; readonly id: string; readonly at: number },
): Promise<Notice | undefined> {
  return tx.maybe(
    sql`update notice set read_at = coalesce(read_at, ${new Date(at)})
      where tenant_id = ${tenantId} and id = ${id}::uuid returning ${noticeColumns}`,
    noticeRow,
  );
}

const alertRow = z
  .object({
    id: z.string(),
    key: z.string(),
    kind: z.string(),
    severity: z.enum(["warning", "critical"]),
    about_tenant_id: z.string().nullable(),
    data,
    raised_at: instant,
    last_seen_at: instant,
    seen: z.bigint(),
    resolved_at: instant.nullable(),
    resolved_by: z.string().nullable(),
  })
  .transform((row) => ({
    id: row.id,
    key: row.key,
    kind: row.kind,
    severity: row.severity,
    tenantId: row.about_tenant_id,
    data: row.data,
    raisedAt: row.raised_at,
    lastSeenAt: row.last_seen_at,
    seen: row.seen,
    resolvedAt: row.resolved_at,
    resolvedBy: row.resolved_by,
  }));
export type Alert = z.output<typeof alertRow>;

const alertColumns = sql`id, key, kind, severity, about_tenant_id, data, raised_at, last_seen_at, seen,
  resolved_at, resolved_by`;

/** Newest first; for the operator. */
export function alerts(db: Queryable, ask: PageAsk & { readonly open: boolean }): Promise<Alert[]> {
  return db.rows(
    sql`select ${alertColumns} from alert
      where (resolved_at is null or not ${ask.open})
        and ${newestFirst({ at: sql`raised_at`, id: sql`id` }, ask)}
      order by raised_at desc, id desc limit ${ask.limit}`,
    alertRow,
  );
}

export function alertById(db: Queryable, id: string): Promise<Alert | undefined> {
  return db.maybe(sql`select ${alertColumns} from alert where id = ${id}::uuid`, alertRow);
}

/** How many are open, by kind and severity; for the metrics. */
export function openAlerts(
  db: Queryable,
): Promise<{ readonly kind: string; readonly severity: string; readonly count: number }[]> {
  return db.rows(
    sql`select kind, severity, count(*)::int as count from alert
      where resolved_at is null group by kind, severity`,
    z.object({ kind: z.string(), severity: z.string(), count: z.int() }),
  );
}
