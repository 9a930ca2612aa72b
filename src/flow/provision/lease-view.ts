/**
 * What a lease looks like from outside: one read over the rows of the stages that it passed.
 * The state is derived here and stored nowhere.
 */
import { z } from "zod";

import type { GpuAsk } from "#contract/schemas/catalog.ts";
import type { lease as leaseSchema } from "#contract/schemas/compute.ts";
import type { Queryable } from "#db/pool.ts";
import type { PageAsk } from "#db/keyset.ts";
import { instant } from "#db/row.ts";
import { unseenSince } from "#catalog/sites.ts";
import { sql, type Sql } from "#db/sql.ts";
import { reasonRow, shapeRow } from "#flow/admit/rows.ts";
import type { Reason } from "#kernel/reason.ts";
import type { Shape } from "#kernel/shape.ts";

import { besideRow } from "./beside-view.ts";
import { capabilityRow } from "./capability.ts";
import { copyingCode } from "./clone-rows.ts";
import { newestRequests, type RequestFilter } from "./newest.ts";
import { leavingSince } from "./preempt-rows.ts";
import { reasonOfRemark, remarkRow } from "./remarks.ts";
import { endpointRow } from "./rows.ts";

export type LeaseState = z.output<typeof leaseSchema>["state"];

const row = z.object({
  id: z.string(),
  project_id: z.string(),
  name: z.string(),
  shape: shapeRow,
  image: z.string(),
  login_user: z.string(),
  restart: z.enum(["never", "on-failure"]),
  plan: z.enum(["on_demand", "subscription"]),
  price: z.record(z.string(), z.unknown()),
  created_by: z.string(),
  created_by_name: z.string().nullable(),
  created_at: instant,
  ended_at: instant.nullable(),
  end_reason: reasonRow.nullable(),
  state: z.enum([
    "queued",
    "creating",
    "running",
    "stopping",
    "stopped",
    "starting",
    "failed",
    "releasing",
    "released",
  ]),
  instance_id: z.string().nullable(),
  endpoints: z.array(endpointRow).nullable(),
  ready_at: instant.nullable(),
  start_kind: z.enum(["cold", "warm", "simulated"]).nullable(),
  pending_resize: z.boolean().nullable(),
  instance_reason: reasonRow.nullable(),
  waiting: remarkRow.nullable(),
  notes: z.array(remarkRow).nullable(),
  refusal: reasonRow.nullable(),
  host: z.string().nullable(),
  host_down_since: instant.nullable(),
  site_away_since: instant.nullable(),
  disk_grow: capabilityRow.nullable(),
  snapshot_memory: capabilityRow.nullable(),
  move_live: capabilityRow.nullable(),
  start_elsewhere: capabilityRow.nullable(),
  host_left_since: instant.nullable(),
  execution: z.enum(["kvm", "emulated", "simulated"]).nullable(),
  ...besideRow,
});
export type LeaseView = z.output<typeof row>;

/** Newest instance, the queue entry of this turn, host and site of each lease. */
const leaseRows = (at: number): Sql => sql`
  select r.id, r.project_id, r.name, r.shape, r.image, r.login_user, r.restart, r.plan, r.price,
    r.created_by, u.name as created_by_name, r.created_at, r.ended_at, r.end_reason, i.id as instance_id, i.endpoints, i.ready_at,
    r.group_name, r.near, r.apart, r.near_groups, r.apart_groups,
    i.start_kind, i.pending_resize, i.reason as instance_reason, i.waiting, i.notes, q.refusal, h.name as host,
    case h.state when 'down' then h.state_since end as host_down_since, s.execution,
    ${unseenSince(sql`s`, at)} as site_away_since,
    s.capabilities->'diskGrow' as disk_grow, s.capabilities->'snapshotWithMemory' as snapshot_memory,
    s.capabilities->'moveLive' as move_live,
    s.capabilities->'startElsewhere' as start_elsewhere,
    ${leavingSince} as host_left_since,
    case
      when r.ended_at is not null and (r.end_reason->>'code') <> 'idle_released' then 'failed'
      when r.ended_at is not null then 'released'
      when r.wanted = 'released' then 'releasing'
      when i.id is null and r.wanted = 'stopped' then 'stopped'
      when i.id is null and q.state is distinct from 'placed' then 'queued'
      when i.id is null then 'creating'
      when r.wanted = 'running' and i.state = 'stopped' and q.state is distinct from 'placed'
        then 'queued'
      when r.wanted = 'running' and i.state = 'stopped' then 'starting'
      when r.wanted = 'stopped' and i.state in ('running', 'starting') then 'stopping'
      when i.state in ('deleting', 'gone') then 'releasing'
      else i.state
    end as state
  from request r
    left join lateral (select * from instance i where i.tenant_id = r.tenant_id
      and i.request_id = r.id order by i.created_at desc limit 1) i on true
    left join queue_entry q on q.tenant_id = r.tenant_id and q.request_id = r.id
      and q.turn = r.turn
    left join tenant_user u on u.tenant_id = r.tenant_id and u.id = r.created_by
    left join host h on h.id = i.host_id
    left join site s on s.name = i.site
  where r.kind = 'lease'`;

export function findLease(
  db: Queryable,
  key: { readonly tenantId: string; readonly id: string; readonly at: number },
): Promise<LeaseView | undefined> {
  return db.maybe(
    sql`${leaseRows(key.at)} and r.tenant_id = ${key.tenantId} and r.id = ${key.id}`,
    row,
  );
}

/** Those of these ids that there are, in no order. */
export function leasesById(
  db: Queryable,
  of: { readonly tenantId: string; readonly ids: readonly string[]; readonly at: number },
): Promise<LeaseView[]> {
  return db.rows(
    sql`${leaseRows(of.at)} and r.tenant_id = ${of.tenantId} and r.id = any(${[...of.ids]}::uuid[])`,
    row,
  );
}

export function listLeases(
  db: Queryable,
  filter: RequestFilter<LeaseState>,
  ask: PageAsk,
  at: number,
): Promise<LeaseView[]> {
  return db.rows(newestRequests(leaseRows(at), filter, ask), row);
}

/** Why it is as it is: the wait in the queue, what the platform said, or how it ended. */
export function reasonOf(view: LeaseView): Reason | null {
  if (view.state === "queued") return view.refusal ?? copying(view);
  return (
    hostDown(view) ?? siteAway(view) ?? waitsFor(view) ?? view.instance_reason ?? view.end_reason
  );
}

/** A copy in line, which no host was looked for yet. */
function copying({ end_reason: reason }: LeaseView): Reason | null {
  return reason?.code === copyingCode ? reason : null;
}

/** By its platform's words, as long as it is there. */
function waitsFor(view: LeaseView): Reason | null {
  const { waiting } = view;
  return waiting === null || !isThere(view) ? null : reasonOfRemark(waiting);
}

function isThere({ state }: LeaseView): boolean {
  return state !== "stopped" && state !== "released" && state !== "failed";
}

/** Of what is to be there: it is shown as it was when its host was seen last. */
function hostDown(view: LeaseView): Reason | null {
  const { host, host_down_since: since } = view;
  if (since === null || !isThere(view)) return null;
  const message = `Its host has been down since ${new Date(since).toISOString()}. Its disk is there, so it cannot go elsewhere; it goes on when the host is back.`;
  return { code: "host_down", message, details: { host } };
}

/** Its platform does not answer: it is shown as it was when that was seen last. */
function siteAway(view: LeaseView): Reason | null {
  const { site_away_since: since } = view;
  if (since === null || !isThere(view)) return null;
  const message = `Its platform has not answered since ${new Date(since).toISOString()}: it is shown as it was then. What is asked for waits, and is done by itself once the platform answers again.`;
  return { code: "site_away", message };
}

function gpuAskOf({ model, count, slice }: NonNullable<Shape["gpu"]>): GpuAsk {
  return { model, count, slice };
}

export function usedFlavor(shape: Shape): z.output<typeof leaseSchema>["flavor"] {
  return {
    name: shape.flavor,
    vcpus: shape.vcpus,
    cpu: { ...shape.cpu },
    memoryMiB: shape.memoryMiB,
    diskGiB: shape.diskGiB,
    gpu: shape.gpu === null ? null : gpuAskOf(shape.gpu),
  };
}
