/** Instances as one decision sees them, read with what stands beside them: request, placement, operations. */
import { z } from "zod";

import { usualJobPolicy } from "#contract/schemas/job-policy.ts";
import type { Queryable } from "#db/pool.ts";
import { instant } from "#db/row.ts";
import { sql } from "#db/sql.ts";
import { shapeRow, workloadRow } from "#flow/admit/rows.ts";

import { interruptionRow, newestInterruption } from "./preemptions.ts";
import { remarkRow } from "./remarks.ts";
import { attemptRow, endpointRow, machineSpecRow, pendingCallRow } from "./rows.ts";
import type { View } from "./view.ts";

const meteringRow = z.object({
  seq: z.int(),
  lastAt: z.number(),
  ready: z.boolean(),
  workloadStarted: z.boolean(),
  workloadEnded: z.boolean(),
  created: z.boolean(),
  deleted: z.boolean(),
});

const paceRow = z.object({
  keys: z.int(),
  of: z.string().nullable(),
  inRow: z.int(),
  notBefore: z.number(),
});

const viewRow = z.object({
  tenant_id: z.string(),
  id: z.string(),
  request_id: z.string(),
  project_id: z.string(),
  kind: z.enum(["lease", "job"]),
  turn: z.int(),
  spec: machineSpecRow,
  shape: shapeRow,
  state: z.enum([
    "creating",
    "running",
    "stopping",
    "stopped",
    "starting",
    "failed",
    "deleting",
    "gone",
  ]),
  state_since: instant,
  created_at: instant,
  ready_at: instant.nullable(),
  restarts: z.int(),
  pending_resize: z.boolean(),
  endpoints: z.array(endpointRow),
  address: z.string().nullable(),
  call: pendingCallRow.nullable(),
  pace: paceRow,
  stop_before_start: instant.nullable(),
  missing_since: instant.nullable(),
  seen_until: instant.nullable(),
  workload: attemptRow.nullable(),
  collected: z.boolean(),
  waiting: remarkRow.nullable(),
  notes: z.array(remarkRow),
  waited_until: instant.nullable(),
  metering: meteringRow,
  version: z.int(),
  wanted: z.enum(["running", "stopped", "released"]),
  request_turn: z.int(),
  request_shape: shapeRow,
  restart: z.enum(["never", "on-failure"]),
  request_workload: workloadRow.nullable(),
  keep_snapshot: z.string().nullable(),
  in_gang: z.boolean(),
  ended: z.boolean(),
  placement_state: z.enum(["full", "disk", "none"]),
  placement_turn: z.int(),
  interruption: interruptionRow.nullable(),
  faults_before: z.int(),
  silent_seconds_max: z.int(),
  host_name: z.string(),
  host_native_id: z.string(),
  host_down_since: instant.nullable(),
  host_down_seconds_max: z.int(),
  operations: z.array(
    z.object({
      id: z.string(),
      kind: z.enum([
        "create",
        "start",
        "stop",
        "reboot",
        "resize",
        "move",
        "release",
        "snapshot",
        "revert",
        "snapshot-delete",
      ]),
      arguments: z.record(z.string(), z.unknown()),
      createdAt: z.number(),
    }),
  ),
});

export type InstanceRow = z.output<typeof viewRow>;

const viewSelect = sql`
  select i.tenant_id, i.id, i.request_id, i.project_id, i.kind, i.turn, i.spec, i.shape, i.state,
    i.state_since, i.created_at, i.ready_at, i.restarts, i.pending_resize, i.endpoints, i.address, i.call, i.pace,
    i.stop_before_start, i.missing_since, i.seen_until, i.workload, i.collected, i.waiting, i.notes, i.waited_until,
    i.metering, i.version, r.wanted, r.turn as request_turn, r.shape as request_shape, r.restart,
    r.workload as request_workload, r.keep_snapshot,
    r.gang_id is not null as in_gang, r.ended_at is not null as ended,
    p.state as placement_state, p.turn as placement_turn,
    ${newestInterruption} as interruption,
    (select count(*)::int from instance e where e.tenant_id = i.tenant_id
      and e.request_id = i.request_id and e.turn < i.turn and i.kind = 'job'
      and e.workload->'end'->>'kind' = 'platform_fault'
      and e.workload->'end'->'moved' is null) as faults_before,
    coalesce((select (policy->>'silentSecondsMax')::int from job_policy),
      ${usualJobPolicy.silentSecondsMax}) as silent_seconds_max,
    h.name as host_name, h.native_id as host_native_id, case h.state when 'down' then h.state_since end as host_down_since,
    coalesce((select (policy->>'hostDownSecondsMax')::int from job_policy),
      ${usualJobPolicy.hostDownSecondsMax}) as host_down_seconds_max,
    coalesce((select jsonb_agg(jsonb_build_object('id', o.id, 'kind', o.kind,
        'arguments', o.arguments,
        'createdAt', (extract(epoch from o.created_at) * 1000)::int8) order by o.created_at, o.id)
      from operation o where o.tenant_id = i.tenant_id and o.request_id = i.request_id
        and o.state = 'running'), '[]') as operations
  from instance i
    join request r on r.tenant_id = i.tenant_id and r.id = i.request_id
    join placement p on p.tenant_id = i.tenant_id and p.instance_id = i.id
    join host h on h.id = i.host_id`;

const briefRow = viewRow
  .pick({
    tenant_id: true,
    id: true,
    request_id: true,
    kind: true,
    placement_state: true,
    host_name: true,
    host_native_id: true,
  })
  // Of all that a decision reads of the row.
  .extend({ digest: z.string() });

/** What every pass reads of every instance. */
export type InstanceBrief = z.output<typeof briefRow>;

/** Every instance of a site that is not gone. */
export function instancesOfSite(db: Queryable, site: string): Promise<InstanceBrief[]> {
  return db.rows(
    sql`select v.tenant_id, v.id, v.request_id, v.kind, v.placement_state, v.host_name,
        v.host_native_id, hashtextextended(v::text, 0)::text as digest
      from (${viewSelect} where i.site = ${site} and i.state <> 'gone') v
      order by v.state_since, v.request_id`,
    briefRow,
  );
}

const digestedRow = viewRow.extend({ digest: z.string() });

/** Those of them whose rows are as they were: the others are to be looked at anew. */
export async function unchangedOf(
  db: Queryable,
  site: string,
  briefs: readonly InstanceBrief[],
): Promise<InstanceRow[]> {
  const digests = new Map(briefs.map(({ id, digest }) => [id, digest]));
  const rows = await db.rows(
    sql`select v.*, hashtextextended(v::text, 0)::text as digest
      from (${viewSelect} where i.id = any(${[...digests.keys()]}::uuid[]) and i.site = ${site}) v`,
    digestedRow,
  );
  return rows.filter(({ id, digest }) => digests.get(id) === digest);
}

export function findInstance(
  db: Queryable,
  site: string,
  instanceId: string,
): Promise<InstanceRow | undefined> {
  return db.maybe(sql`${viewSelect} where i.id = ${instanceId} and i.site = ${site}`, viewRow);
}

export function viewOf(
  row: InstanceRow,
  seen: Pick<View, "sight" | "callStatus" | "lastSeenAt" | "now">,
): View {
  return {
    instance: {
      tenantId: row.tenant_id,
      id: row.id,
      requestId: row.request_id,
      kind: row.kind,
      turn: row.turn,
      state: row.state,
      stateSince: row.state_since,
      createdAt: row.created_at,
      shape: row.shape,
      readyAt: row.ready_at,
      restarts: row.restarts,
      call: row.call,
      pace: row.pace,
      stopBeforeStart: row.stop_before_start,
      missingSince: row.missing_since,
      seenUntil: row.seen_until,
      workload: row.workload,
      collected: row.collected,
      waiting: row.waiting,
      notes: row.notes,
      waitedUntil: row.waited_until,
      metering: row.metering,
    },
    request: {
      wanted: row.wanted,
      turn: row.request_turn,
      shape: row.request_shape,
      restart: row.restart,
      workload: row.request_workload,
      inGang: row.in_gang,
      ended: row.ended,
    },
    placement: { state: row.placement_state, turn: row.placement_turn },
    operations: row.operations,
    interruption: row.interruption,
    faultsBefore: row.faults_before,
    silentMsMax: row.silent_seconds_max * 1000,
    host: { name: row.host_name, nativeId: row.host_native_id, downSince: row.host_down_since },
    hostDownMsMax: row.host_down_seconds_max * 1000,
    ...seen,
  };
}
