/** For the operator: who waits, whoever's it is, in the order in which the placer saw them last. */
import { z } from "zod";

import type { Queryable } from "#db/pool.ts";
import { instant } from "#db/row.ts";
import { sql } from "#db/sql.ts";
import { reasonRow, shapeRow } from "#flow/admit/rows.ts";

import { classOf } from "./store.ts";

/** After whom a page goes on. Places move, so one who moved forward meanwhile may be seen twice. */
export interface LinePlace {
  readonly pool: string;
  readonly position: number;
  readonly id: string;
}

/** Of those that the placer has not looked at yet: behind all others of their pool. */
const lastPosition = 2_147_483_647;

const row = z
  .object({
    id: z.string(),
    tenant_id: z.string(),
    tenant: z.string(),
    kind: z.enum(["lease", "job"]),
    name: z.string(),
    priority: z.int(),
    shape: shapeRow,
    state: z.enum(["waiting", "held"]),
    asked_at: instant,
    refusal: reasonRow.nullable(),
    gang_size: z.int(),
    pool: z.string(),
    place: z.int(),
    waiting: z.int().nullable(),
    earliest: z.bigint().nullable(),
    likely: z.bigint().nullable(),
    latest: z.bigint().nullable(),
  })
  .transform((found) => ({
    requestId: found.id,
    tenantId: found.tenant_id,
    tenant: found.tenant,
    kind: found.kind,
    name: found.name,
    flavor: found.shape.flavor,
    workClass: classOf(found.priority),
    state: found.state === "held" ? ("resting" as const) : ("waiting" as const),
    askedAt: found.asked_at,
    reason: found.refusal,
    members: found.gang_size,
    pool: found.pool,
    place: found.place,
    position: found.place === lastPosition ? null : found.place,
    waiting: found.waiting,
    earliest: numberOf(found.earliest),
    likely: numberOf(found.likely),
    latest: numberOf(found.latest),
  }));
export type InLine = z.output<typeof row>;

function numberOf(at: bigint | null): number | null {
  return at === null ? null : Number(at);
}

/** Members of a gang have one place together: its first stands for all. */
export function whoWaits(
  db: Queryable,
  ask: {
    readonly pool: string | undefined;
    readonly after: LinePlace | undefined;
    readonly limit: number;
  },
): Promise<InLine[]> {
  const { pool, after, limit } = ask;
  return db.rows(
    sql`with place as (
        select o.pool, u.id, u.position::int as position, cardinality(o.request_ids) as waiting,
          o.earliest[u.position] as earliest, o.likely[u.position] as likely,
          o.latest[u.position] as latest
        from queue_outlook o, unnest(o.request_ids) with ordinality as u (id, position)),
      line as (
        select r.id, r.tenant_id, t.name as tenant, r.kind, r.name, r.priority, r.shape, q.state,
          coalesce(q.asked_at, q.enqueued_at) as asked_at, q.refusal, r.gang_size,
          coalesce(p.pool, r.shape->'gpu'->>'model', 'cpu') as pool,
          coalesce(p.position, ${lastPosition}) as place, p.waiting, p.earliest, p.likely, p.latest
        from queue_entry q
          join request r on r.tenant_id = q.tenant_id and r.id = q.request_id and r.turn = q.turn
          join tenant t on t.id = r.tenant_id
          left join place p on p.id = r.id and q.state = 'waiting'
        where q.state in ('waiting', 'held') and r.gang_rank = 0
          and r.ended_at is null and r.wanted = 'running')
      select * from line
      where (${pool ?? null}::text is null or pool = ${pool ?? null})
        and ${
          after === undefined
            ? sql`true`
            : sql`(pool, place, id) > (${after.pool}, ${after.position}, ${after.id}::uuid)`
        }
      order by pool, place, id limit ${limit}`,
    row,
  );
}
