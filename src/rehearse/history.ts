/**
 * What really happened, as the rehearsal wants it: each ask for capacity with when it was made and how
 * long it held its place, read from the queue's entries and the machines' transitions.
 */
import { z } from "zod";

import type { Queryable } from "#db/pool.ts";
import { instant } from "#db/row.ts";
import { sql } from "#db/sql.ts";
import { shapeRow } from "#flow/admit/rows.ts";
import { classOf } from "#flow/queue/store.ts";
import { parseFen } from "#kernel/money.ts";
import type { Shape } from "#kernel/shape.ts";

import type { Span } from "./figures.ts";
import type { Piece, Standing } from "./simulate.ts";

export interface History {
  readonly standing: readonly Standing[];
  readonly arrivals: readonly Piece[];
  /** Withdrawn before they had a place: nobody knows how long they would have run. */
  readonly gaveUp: number;
  /** When what started within the stretch really started, by the piece's id. */
  readonly startedAt: ReadonlyMap<string, number>;
  /** There was more than `piecesMax`; the stretch should be shorter. */
  readonly cut: boolean;
}

export const piecesMax = 50_000;

const row = z.object({
  tenant_id: z.string(),
  request_id: z.string(),
  turn: z.int(),
  project_id: z.string(),
  kind: z.enum(["lease", "job"]),
  state: z.enum(["waiting", "placed", "withdrawn", "held"]),
  priority: z.int(),
  shape: shapeRow,
  hourly: z.string().nullable(),
  estimate_seconds: z.number().nullable(),
  deadline: z.string().nullable(),
  gang_id: z.string().nullable(),
  gang_size: z.int(),
  gang_how: z.enum(["spread", "pack"]),
  enqueued_at: instant,
  started_at: instant.nullable(),
  ended_at: instant.nullable(),
  host_id: z.string().nullable(),
});
type Row = z.output<typeof row>;

/** A retry that keeps its place has its first ask's time; it cannot have started before its turn. */
export async function historyOf(db: Queryable, { from, until }: Span): Promise<History> {
  const rows = await db.rows(
    sql`
    with asks as (
      select q.tenant_id, q.request_id, q.turn, q.state, q.priority, q.enqueued_at,
        lead(q.enqueued_at) over (partition by q.tenant_id, q.request_id order by q.turn) as next_at
      from queue_entry q
        join request r on r.tenant_id = q.tenant_id and r.id = q.request_id
      where q.enqueued_at < ${new Date(until)}
        and (r.ended_at is null or r.ended_at > ${new Date(from)})
    )
    select a.tenant_id, a.request_id, a.turn, r.project_id, r.kind, a.state, a.priority, r.shape,
      r.price->>'hourly' as hourly, r.gang_id, r.gang_size, r.gang_how,
      coalesce((r.workload->>'expectedSeconds')::float8,
        (r.workload->>'timeLimitSeconds')::float8) as estimate_seconds,
      r.workload->>'deadline' as deadline,
      a.enqueued_at, s.at as started_at, e.at as ended_at, s.host_id
    from asks a
      join request r on r.tenant_id = a.tenant_id and r.id = a.request_id
      left join lateral (
        select t.at, t.instance_id, i.host_id from instance i
          join transition t on t.tenant_id = i.tenant_id and t.instance_id = i.id
        where i.tenant_id = a.tenant_id and i.request_id = a.request_id
          and (i.kind = 'lease' or i.turn = a.turn)
          and t.kind in ('created', 'ready') and t.at >= a.enqueued_at
          and (i.kind = 'job' or t.at < coalesce(a.next_at, 'infinity'))
        order by t.at limit 1) s on true
      left join lateral (
        select t.at from transition t
        where t.tenant_id = a.tenant_id and t.instance_id = s.instance_id and t.at > s.at
          and t.kind in ('stopped', 'deleted')
        order by t.at limit 1) e on true
    where a.enqueued_at >= ${new Date(from)}
      or s.at is not null and (e.at is null or e.at > ${new Date(from)})
    order by a.enqueued_at, a.request_id, a.turn limit ${piecesMax + 1}`,
    row,
  );
  const known = rows.slice(0, piecesMax);
  const one = sameObjects();
  const standing: Standing[] = [];
  const arrivals: Piece[] = [];
  const startedAt = new Map<string, number>();
  let gaveUp = 0;
  for (const each of known) {
    if (each.started_at === null) {
      if (each.state === "withdrawn") gaveUp += 1;
      else arrivals.push(pieceOf(each, one, Infinity));
      continue;
    }
    const piece = pieceOf(each, one, (each.ended_at ?? Infinity) - each.started_at);
    if (each.started_at < from) {
      if (each.host_id !== null) {
        standing.push({ piece, hostId: each.host_id, startedAt: each.started_at });
      }
      continue;
    }
    startedAt.set(piece.id, each.started_at);
    arrivals.push({ ...piece, askedAt: Math.max(from, piece.askedAt) });
  }
  return { standing, arrivals, gaveUp, startedAt, cut: rows.length > piecesMax };
}

/** Equal shapes become one object, by which the planner tells that they are of one kind. */
export function sameObjects(): (shape: Shape) => Shape {
  const known = new Map<string, Shape>();
  return (shape) => {
    const key = JSON.stringify(shape);
    const found = known.get(key);
    if (found !== undefined) return found;
    known.set(key, shape);
    return shape;
  };
}

function pieceOf(each: Row, one: (shape: Shape) => Shape, ranMs: number): Piece {
  return {
    id: `${each.request_id}/${each.turn}`,
    tenantId: each.tenant_id,
    projectId: each.project_id,
    kind: each.kind,
    workClass: classOf(each.priority),
    shape: one(each.shape),
    askedAt: each.enqueued_at,
    estimateMs: (each.estimate_seconds ?? Infinity) * 1000,
    deadlineAt: each.deadline === null ? undefined : Date.parse(each.deadline),
    gang:
      each.gang_id === null
        ? null
        : { id: `${each.gang_id}/${each.turn}`, size: each.gang_size, how: each.gang_how },
    ranMs,
    fenPerHour: each.hourly === null ? null : parseFen(each.hourly),
  };
}
