/** What the preempting loop looks at: attempts that hold a place, and who stands on what is sick. */
import { z } from "zod";

import type { Queryable } from "#db/pool.ts";
import { instant } from "#db/row.ts";
import { sql } from "#db/sql.ts";
import { shapeRow } from "#flow/admit/rows.ts";
import type { Running } from "#flow/queue/preempt.ts";
import { unitsOf } from "#flow/queue/snapshot.ts";
import { classOf } from "#flow/queue/store.ts";
import type { Shape } from "#kernel/shape.ts";

const runningRow = z
  .object({
    tenant_id: z.string(),
    id: z.string(),
    request_id: z.string(),
    name: z.string(),
    turn: z.int(),
    host_id: z.string(),
    priority: z.int(),
    preemptible: z.boolean(),
    shape: shapeRow,
    device_ids: z.array(z.string()),
    numa_node: z.int().nullable(),
    started_at: instant.nullable(),
    told: z.boolean(),
    preemptions: z.int(),
    gang_id: z.string().nullable(),
    gang_size: z.int(),
  })
  .transform((row) => ({
    id: row.id,
    kind: "job" as const,
    hostId: row.host_id,
    workClass: classOf(row.priority),
    preemptible: row.preemptible,
    units: unitsOf(row.shape),
    startedAt: row.started_at,
    // What a program saves by itself nobody is told; an attempt begins with what the last one saved.
    checkpointAt: null,
    preemptions: row.preemptions,
    told: row.told,
    tenantId: row.tenant_id,
    requestId: row.request_id,
    name: row.name,
    turn: row.turn,
    instanceId: row.id,
    gangId: row.gang_id,
    gangSize: row.gang_size,
    part: { shape: row.shape, deviceIds: row.device_ids, numaNode: row.numa_node },
  }));
type RunningAttempt = z.output<typeof runningRow>;

/** What one machine holds of its host. */
export interface HeldPart {
  readonly shape: Shape;
  readonly deviceIds: readonly string[];
  readonly numaNode: number | null;
}

/** An attempt, or a gang as far as it is on one host: to end it ends all of the gang. */
export interface RunningJob extends Running {
  readonly tenantId: string;
  readonly requestId: string;
  readonly instanceId: string;
  readonly name: string;
  readonly turn: number;
  /** On this host. */
  readonly parts: readonly HeldPart[];
  /** All that it is on. */
  readonly hostIds: readonly string[];
}

/** Attempts whose program runs; of a gang, once all of its members' do. */
export async function runningJobs(db: Queryable): Promise<RunningJob[]> {
  const attempts = await runningAttempts(db);
  return [...Map.groupBy(attempts, ({ gangId, id }) => gangId ?? id)].flatMap(([id, members]) => {
    const [first] = members;
    if (first === undefined || members.length !== first.gangSize) return [];
    const hostIds = [...new Set(members.map(({ hostId }) => hostId))];
    const startedAt = members.map((member) => member.startedAt);
    return hostIds.map((hostId): RunningJob => ({
      ...first,
      id,
      hostId,
      hostIds,
      parts: members.filter((member) => member.hostId === hostId).map(({ part }) => part),
      // What is lost with it is lost on all hosts.
      units: members.reduce((sum, { units }) => sum + units, 0),
      startedAt: startedAt.includes(null) ? null : Math.min(...startedAt.map((at) => at ?? 0)),
      told: members.some(({ told }) => told),
    }));
  });
}

function runningAttempts(db: Queryable): Promise<RunningAttempt[]> {
  return db.rows(
    sql`select i.tenant_id, i.id, i.request_id, r.name, i.turn, p.host_id, r.priority, r.preemptible,
        r.gang_id, r.gang_size, p.shape, p.device_ids, p.numa_node,
        to_timestamp((i.workload->>'startedAt')::float8 / 1000) as started_at,
        exists (select from preemption x where x.instance_id = i.id and x.state = 'asked') as told,
        (select count(*)::int from preemption x where x.tenant_id = r.tenant_id
          and x.request_id = r.id and x.cause = 'preemption' and x.state = 'done') as preemptions
      from placement p
        join instance i on i.tenant_id = p.tenant_id and i.id = p.instance_id
        join request r on r.tenant_id = p.tenant_id and r.id = p.request_id
      where p.state = 'full' and r.kind = 'job' and r.wanted = 'running'
        and i.state = 'running' and i.workload->>'state' = 'running'
      order by r.gang_rank, i.id`,
    runningRow,
  );
}

/** Of each entry, whether somebody was told to make room for it and has not ended yet. */
export async function entriesWithVictims(db: Queryable): Promise<ReadonlySet<string>> {
  const rows = await db.rows(
    sql`select distinct for_request_id as id from preemption
      where state = 'asked' and for_request_id is not null`,
    z.object({ id: z.string() }),
  );
  return new Set(rows.map(({ id }) => id));
}

const sickRow = z
  .object({
    tenant_id: z.string(),
    id: z.string(),
    request_id: z.string(),
    kind: z.enum(["lease", "job"]),
    name: z.string(),
    turn: z.int(),
    host: z.string(),
    device: z.string().nullable(),
    leaving_since: instant.nullable(),
    told: z.boolean(),
    can_move: z.boolean(),
    starts_elsewhere: z.boolean(),
    moves: z.enum(["never", "running", "lately", "failed"]),
  })
  .transform((row) => ({
    tenantId: row.tenant_id,
    instanceId: row.id,
    requestId: row.request_id,
    kind: row.kind,
    name: row.name,
    attempt: row.turn,
    host: row.host,
    /** Null: the whole host is to be left. */
    device: row.device,
    /** Nothing is out of order: since then its operator, or its platform's, takes the host out of service. */
    maintenanceSince: row.leaving_since,
    told: row.told,
    /** Its platform can take it to another host while it runs, and it runs. */
    canMove: row.can_move,
    /** Stopped and started again, it comes up on another host. */
    startsElsewhere: row.starts_elsewhere,
    /** Whether it was asked to, since the host is to be left; `failed` is a while ago. */
    moves: row.moves,
  }));
export type OnSick = z.output<typeof sickRow>;

/** Of a host `h`: since when nobody may stay on it, by the operator's word or by its platform's. */
export const leavingSince = sql`coalesce(h.maintenance_since,
  case when h.state = 'maintenance' then h.state_since end)`;
/** A move that failed is asked for again after so long. */
const moveAgainMs = 10 * 60_000;

/** Machines on a device that is sick, or on a host that its platform or the operator takes out of service. */
export function onSick(db: Queryable, rowsMax: number, at: number): Promise<OnSick[]> {
  return db.rows(
    sql`select distinct on (i.id) i.tenant_id, i.id, i.request_id, i.kind, r.name, i.turn,
        h.name as host, d.id as device,
        case when d.id is null then ${leavingSince} end as leaving_since,
        i.kind = 'lease' and i.state = 'running' and r.wanted = 'running' and r.shape->'gpu' = 'null'::jsonb
          and coalesce(s.capabilities->'moveLive'->>'can' = 'true', false) as can_move,
        coalesce(s.capabilities->'startElsewhere'->>'can' = 'true', false) as starts_elsewhere,
        coalesce((select case when o.state = 'running' then 'running'
              when o.ended_at > ${new Date(at - moveAgainMs)} then 'lately' else 'failed' end
            from operation o where o.tenant_id = i.tenant_id and o.request_id = i.request_id
              and o.kind = 'move' and o.created_at >= ${leavingSince}
            order by o.created_at desc limit 1), 'never') as moves,
        exists (select from preemption x where x.instance_id = i.id
          and x.state in ('asked', 'done')) as told
      from placement p
        join host h on h.id = p.host_id
        join site s on s.name = h.site
        join instance i on i.tenant_id = p.tenant_id and i.id = p.instance_id
        join request r on r.tenant_id = p.tenant_id and r.id = p.request_id
        left join gpu_claim c on c.tenant_id = p.tenant_id and c.instance_id = p.instance_id
        left join gpu_device d on d.host_id = c.host_id and d.id = c.device_id and not d.healthy
      where p.state = 'full' and (d.id is not null or h.state = 'maintenance' or h.maintenance_since is not null)
        and i.state not in ('deleting', 'gone') and r.wanted <> 'released'
      order by i.id, d.id limit ${rowsMax}`,
    sickRow,
  );
}
