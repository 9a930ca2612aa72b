/** Rows of `usage_event`, read back as what was hashed. */
import { z } from "zod";

import type { Queryable } from "#db/pool.ts";
import { instant, int8, size } from "#db/row.ts";
import { sql, type Sql } from "#db/sql.ts";
import { isLocalDay, localDay, type LocalDay } from "#kernel/calendar.ts";

import type { Plan, UsageEvent, Use, Work } from "./event.ts";

const eventRow = z
  .object({
    source: z.string(),
    id: z.string(),
    received: int8,
    leaf_index: size.nullable(),
    received_at: instant,
    tenant_id: z.string(),
    kind: z.enum(["recorded", "retracted"]),
    retracts: z.string().nullable(),
    work: z.enum(["lease", "job"]),
    plan: z.enum(["on_demand", "subscription"]),
    sku: z.string(),
    units: int8,
    slice: z.int(),
    used_from: instant,
    used_until: instant,
    day: z.string().refine(isLocalDay),
    billable: z.boolean(),
    counted: z.boolean(),
    reason: z.string().nullable(),
    interval_id: z.string(),
    instance_id: z.string(),
    request_id: z.string(),
    project_id: z.string(),
    event_at: instant,
    salt: z.string(),
    leaf_hash: z.string(),
  })
  .transform((row) => ({
    event: eventOf(row),
    use: useOf(row),
    day: localDay(row.day),
    counted: row.counted,
    received: row.received,
    /** `undefined` until the log has it. */
    leafIndex: row.leaf_index ?? undefined,
    receivedAt: row.received_at,
    salt: row.salt,
    leafHash: row.leaf_hash,
  }));
/** `salt` is in base64, `leafHash` in hexadecimal. */
export type StoredEvent = z.output<typeof eventRow>;

interface EventColumns {
  readonly source: string;
  readonly id: string;
  readonly tenant_id: string;
  readonly retracts: string | null;
  readonly work: Work;
  readonly plan: Plan;
  readonly sku: string;
  readonly units: bigint;
  readonly slice: number;
  readonly used_from: number;
  readonly used_until: number;
  readonly billable: boolean;
  readonly reason: string | null;
  readonly interval_id: string;
  readonly instance_id: string;
  readonly request_id: string;
  readonly project_id: string;
  readonly event_at: number;
}

function useOf(row: EventColumns): Use {
  return {
    tenantId: row.tenant_id,
    projectId: row.project_id,
    requestId: row.request_id,
    instanceId: row.instance_id,
    intervalId: row.interval_id,
    work: row.work,
    plan: row.plan,
    sku: row.sku,
    units: row.units,
    slice: row.slice,
    from: row.used_from,
    until: row.used_until,
    billable: row.billable,
    reason: row.reason,
  };
}

function eventOf(row: EventColumns): UsageEvent {
  const { source, id, event_at: at, retracts, tenant_id: tenantId, reason } = row;
  if (retracts === null) return { kind: "recorded", source, id, at, ...useOf(row) };
  return { kind: "retracted", source, id, at, tenantId, retracts, reason: reason ?? "" };
}

const eventColumns = sql`e.source, e.id, e.received, l.leaf_index, e.received_at, e.tenant_id, e.kind, e.retracts,
  e.work, e.plan, e.sku, e.units, e.slice, e.used_from, e.used_until, e.day::text, e.billable,
  e.counted, e.reason, e.interval_id, e.instance_id, e.request_id, e.project_id, e.event_at,
  encode(e.salt, 'base64') as salt, encode(e.leaf_hash, 'hex') as leaf_hash`;

/** Of `usage_event e` and `log_entry l`; in the order of acceptance where none is named. */
export function eventsWhere(
  db: Queryable,
  ask: { readonly where: Sql; readonly limit: number; readonly order?: Sql },
): Promise<StoredEvent[]> {
  return db.rows(
    sql`select ${eventColumns} from usage_event e left join log_entry l on l.received = e.received
      where ${ask.where} order by ${ask.order ?? sql`e.received`} limit ${ask.limit}`,
    eventRow,
  );
}

/** A tenant's, of local days, both included; by day, then as they were accepted. */
export function eventsOfDays(
  db: Queryable,
  ask: {
    readonly tenantId: string;
    readonly from: LocalDay;
    readonly through: LocalDay;
    readonly after: { readonly day: LocalDay; readonly received: number } | undefined;
    readonly limit: number;
  },
): Promise<StoredEvent[]> {
  const { tenantId, from, through, after, limit } = ask;
  return eventsWhere(db, {
    where: sql`e.tenant_id = ${tenantId} and e.day between ${from}::date and ${through}::date ${
      after === undefined
        ? sql``
        : sql`and (e.day, e.received) > (${after.day}::date, ${after.received}::int8)`
    }`,
    order: sql`e.day, e.received`,
    limit,
  });
}

/** `undefined` where the leaf is another tenant's. */
export async function eventOfLeaf(
  db: Queryable,
  leaf: { readonly tenantId: string; readonly leafIndex: number },
): Promise<StoredEvent | undefined> {
  const [found] = await eventsWhere(db, {
    where: sql`e.tenant_id = ${leaf.tenantId} and l.leaf_index = ${leaf.leafIndex}`,
    limit: 1,
  });
  return found;
}

/** Those of an interval that nobody has taken back. */
export function standingEvents(
  db: Queryable,
  interval: { readonly instanceId: string; readonly sku: string; readonly id: string },
): Promise<StoredEvent[]> {
  return eventsWhere(db, {
    where: sql`e.instance_id = ${interval.instanceId} and e.sku = ${interval.sku}
      and e.interval_id = ${interval.id} and e.kind = 'recorded'
      and not exists (select from usage_event r where r.source = e.source and r.retracts = e.id)`,
    limit: eventsOfIntervalMax,
  });
}

/** One for each day of some 30 years; longer intervals are refused where they are cut. */
const eventsOfIntervalMax = 20_000;
