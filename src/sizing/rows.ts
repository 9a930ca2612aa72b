/** Rows of `lease_sizing`: leases that the platform may resize by itself, and how far it is with that. */
import { z } from "zod";

import { json } from "#db/json.ts";
import type { Queryable, Tx } from "#db/pool.ts";
import { instant } from "#db/row.ts";
import { sql } from "#db/sql.ts";
import { reasonRow } from "#flow/admit/rows.ts";
import { formatFen, parseFen } from "#kernel/money.ts";
import type { Reason } from "#kernel/reason.ts";

import type { Announced, Rules } from "./decide.ts";

const minuteMs = 60_000;

const rulesRow = z
  .object({
    vcpusMin: z.int(),
    vcpusMax: z.int(),
    memoryMiBMin: z.int(),
    memoryMiBMax: z.int(),
    hourlyMax: z.string(),
    cooldownMinutes: z.int(),
    noticeMinutes: z.int(),
  })
  .transform(({ hourlyMax, cooldownMinutes, noticeMinutes, ...rest }): Rules => ({
    ...rest,
    hourlyMax: parseFen(hourlyMax),
    cooldownMs: cooldownMinutes * minuteMs,
    noticeMs: noticeMinutes * minuteMs,
  }));

const announcedRow = z
  .object({ flavor: z.string(), hourly: z.string(), at: z.number() })
  .transform(({ hourly, ...rest }): Announced => ({ ...rest, hourly: parseFen(hourly) }));

const row = z
  .object({
    tenant_id: z.string(),
    request_id: z.string(),
    rules: rulesRow,
    announced: announcedRow.nullable(),
    resized_at: instant.nullable(),
    refusal: reasonRow.nullable(),
  })
  .transform((found) => ({
    tenantId: found.tenant_id,
    requestId: found.request_id,
    rules: found.rules,
    announced: found.announced,
    resizedAt: found.resized_at,
    refusal: found.refusal,
  }));
export type Sizing = z.output<typeof row>;

const columns = sql`s.tenant_id, s.request_id, s.rules, s.announced, s.resized_at, s.refusal`;

interface LeaseKey {
  readonly tenantId: string;
  readonly id: string;
}

export function sizingOf(db: Queryable, key: LeaseKey): Promise<Sizing | undefined> {
  return db.maybe(
    sql`select ${columns} from lease_sizing s
      where s.tenant_id = ${key.tenantId} and s.request_id = ${key.id}`,
    row,
  );
}

/** Of leases that are there. By id. */
export function sizings(
  db: Queryable,
  ask: { readonly after: string | undefined; readonly limit: number },
): Promise<Sizing[]> {
  return db.rows(
    sql`select ${columns} from lease_sizing s
      join request r on r.tenant_id = s.tenant_id and r.id = s.request_id
      where r.ended_at is null
        and ${ask.after === undefined ? sql`true` : sql`s.request_id > ${ask.after}::uuid`}
      order by s.request_id limit ${ask.limit}`,
    row,
  );
}

/** What was announced under other rules is said anew. */
export async function setRules(
  tx: Tx,
  { tenantId, id, rules, at }: LeaseKey & { readonly rules: Rules; readonly at: number },
): Promise<void> {
  const { hourlyMax, cooldownMs, noticeMs, ...bounds } = rules;
  const kept = json({
    ...bounds,
    hourlyMax: formatFen(hourlyMax),
    cooldownMinutes: cooldownMs / minuteMs,
    noticeMinutes: noticeMs / minuteMs,
  });
  await tx.execute(sql`
    insert into lease_sizing (tenant_id, request_id, rules, changed_at)
    values (${tenantId}, ${id}, ${kept}, ${new Date(at)})
    on conflict (tenant_id, request_id) do update set rules = excluded.rules,
      changed_at = excluded.changed_at, announced = null, refusal = null`);
}

/** Whether there were any. */
export async function removeRules(tx: Tx, { tenantId, id }: LeaseKey): Promise<boolean> {
  const removed = await tx.execute(
    sql`delete from lease_sizing where tenant_id = ${tenantId} and request_id = ${id}`,
  );
  return removed > 0;
}

export async function setAnnounced(
  tx: Tx,
  { tenantId, id, announced }: LeaseKey & { readonly announced: Announced },
): Promise<void> {
  const kept = { ...announced, hourly: formatFen(announced.hourly) };
  await tx.execute(sql`
    update lease_sizing set announced = ${json(kept)}, refusal = null
    where tenant_id = ${tenantId} and request_id = ${id}`);
}

export async function setResized(
  tx: Tx,
  { tenantId, id, at }: LeaseKey & { readonly at: number },
): Promise<void> {
  await tx.execute(sql`
    update lease_sizing set announced = null, refusal = null, resized_at = ${new Date(at)}
    where tenant_id = ${tenantId} and request_id = ${id}`);
}

/** It was right and could not be done. The announcement stands: it is tried again. */
export async function setRefusal(
  db: Queryable,
  { tenantId, id, refusal }: LeaseKey & { readonly refusal: Reason },
): Promise<void> {
  await db.execute(sql`
    update lease_sizing set refusal = ${json(refusal)}
    where tenant_id = ${tenantId} and request_id = ${id}`);
}
