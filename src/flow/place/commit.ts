/**
 * Makes plans real, many in one transaction: locks their requests, then their hosts, both in order of
 * id, and decides again on what the hosts have now. What became stale is left out alone, with nothing
 * held; of a gang all members are written or none. The triggers of the schema are the second wall:
 * should they refuse what was decided under the locks, the batch is cut in halves until the one that
 * they refuse stands alone.
 */
import { randomUUID } from "node:crypto";

import { z } from "zod";

import { json } from "#db/json.ts";
import { brokenConstraint, sqlState, type Db, type Tx } from "#db/pool.ts";
import { sql, type Sql } from "#db/sql.ts";
import type { WaitingEntry } from "#flow/queue/store.ts";
import type { MachineCosts } from "#kernel/machine-cost.ts";
import { gibibyte } from "#kernel/shape.ts";

import type { Placed } from "./ask.ts";
import { lockHosts, readHosts } from "./hosts-read.ts";
import { Planner } from "./planner.ts";
import { neighborsOf, placedAs, type Neighbors } from "./neighbors.ts";
import { heldOf, heldPlacements, pinnedBy, type HeldPlacement } from "./store.ts";

/** One start of an entry on a host. */
export interface Start {
  readonly entry: WaitingEntry;
  readonly hostId: string;
}

/** All of them or none; most often one. */
export type Starts = readonly Start[];

export interface Committed {
  readonly starts: readonly (Start & Pick<Placed, "deviceIds">)[];
  /** Whose host filled up or went away, or who does not wait any more. */
  readonly stale: readonly Starts[];
}

interface Decided extends Start {
  readonly placed: Placed;
  readonly instanceId: string;
  /** Of its host. */
  readonly costs: MachineCosts | null;
}

/** Starts of a batch; more take locks for too long. */
export const startsPerCommitMax = 500;

/** `groups` has `startsPerCommitMax` starts at most, or is one gang. */
export async function commitStarts(
  db: Db,
  groups: readonly Starts[],
  at: number,
): Promise<Committed> {
  if (groups.length === 0) return { starts: [], stale: [] };
  try {
    return await db.transaction(async (tx) => {
      const committed = await commitIn(tx, groups, at);
      if (committed.starts.length > 0) tx.nudge("provision");
      return committed;
    });
  } catch (error) {
    if (!isRefusal(error)) throw error;
    if (groups.length === 1) return { starts: [], stale: groups };
    const middle = groups.length >> 1;
    const first = await commitStarts(db, groups.slice(0, middle), at);
    const second = await commitStarts(db, groups.slice(middle), at);
    return {
      starts: [...first.starts, ...second.starts],
      stale: [...first.stale, ...second.stale],
    };
  }
}

async function commitIn(tx: Tx, groups: readonly Starts[], at: number): Promise<Committed> {
  const asked = groups.flat();
  const wanted = await lockWanted(tx, asked);
  const running = groups.filter((group) => group.every(({ entry }) => wanted.has(entry.requestId)));
  const decided = await decide(tx, running, at);
  const starts = decided.flat();
  if (starts.length > 0) await write(tx, starts, at);
  const done = new Set(starts.map(({ entry }) => entry.requestId));
  return {
    starts: starts.map(({ entry, hostId, placed }) => ({
      entry,
      hostId,
      deviceIds: placed.deviceIds,
    })),
    stale: groups.filter((group) => group.some(({ entry }) => !done.has(entry.requestId))),
  };
}

const idRow = z.object({ id: z.string() });

/**
 * Which of the requests still run for their turn, locked against asks and other placers. One that
 * somebody else has locked is as good as changed: nobody waits here.
 */
async function lockWanted(tx: Tx, starts: readonly Start[]): Promise<Set<string>> {
  const found = await tx.rows(wantedStatement(starts.map(({ entry }) => entry)), idRow);
  return new Set(found.map(({ id }) => id));
}

/**
 * Each request by its key, whatever the planner believes of the table: as a plain join it read all
 * open requests for each batch. What is asked of the row stands outside and is asked of the version
 * that was locked; inside, it would invite the planner to look for the request among all open ones of
 * its tenant (at 10,000 of them without statistics 1.8 s for 500 requests, in place of 8 ms).
 */
export function wantedStatement(
  entries: readonly Pick<WaitingEntry, "tenantId" | "requestId" | "turn">[],
): Sql {
  return sql`select r.id
    from (select * from unnest(${entries.map(({ tenantId }) => tenantId)}::uuid[],
          ${entries.map(({ requestId }) => requestId)}::uuid[],
          ${entries.map(({ turn }) => turn)}::int[]) as s(tenant_id, id, turn)
        order by id) s
      cross join lateral (select r.id, r.turn, r.wanted, r.ended_at from request r
        where r.tenant_id = s.tenant_id and r.id = s.id
        offset 0 for no key update skip locked) r
    where r.turn = s.turn and r.wanted = 'running' and r.ended_at is null`;
}

/** On the hosts as they are now that they are locked. */
async function decide(tx: Tx, groups: readonly Starts[], at: number): Promise<Decided[][]> {
  const starts = groups.flat();
  if (starts.length === 0) return [];
  const hostIds = [...new Set(starts.map(({ hostId }) => hostId))];
  const requestIds = starts.map(({ entry }) => entry.requestId);
  await lockHosts(tx, hostIds);
  const hosts = await readHosts(tx, sql`h.id = any(${hostIds}::uuid[])`, at);
  const waiting = new Set((await stillWaiting(tx, starts)).map(({ id }) => id));
  const held = await heldPlacements(tx, requestIds);
  const neighbors = await neighborsOf(
    tx,
    starts.map(({ entry }) => entry),
  );
  const planner = new Planner(hosts);
  const costs = new Map(hosts.map(({ id, machineCosts }) => [id, machineCosts]));
  return groups.flatMap((group) => {
    const decided: Decided[] = [];
    for (const start of group) {
      const { entry } = start;
      const one = waiting.has(entry.requestId)
        ? decideOne(planner, {
            start,
            held: held.get(entry.requestId),
            neighbors,
            costs: costs.get(start.hostId) ?? null,
          })
        : undefined;
      if (one === undefined) {
        for (const { placed, entry: member } of decided.toReversed()) {
          planner.release(placed);
          neighbors.remove(member.requestId);
        }
        return [];
      }
      decided.push(one);
      neighbors.add(placedAs(entry, start.hostId));
    }
    return [decided];
  });
}

function stillWaiting(tx: Tx, starts: readonly Start[]): Promise<{ id: string }[]> {
  return tx.rows(
    sql`select q.request_id as id
      from unnest(${starts.map(({ entry }) => entry.tenantId)}::uuid[],
          ${starts.map(({ entry }) => entry.requestId)}::uuid[],
          ${starts.map(({ entry }) => entry.turn)}::int[]) as s(tenant_id, request_id, turn)
        join queue_entry q using (tenant_id, request_id, turn)
      where q.state = 'waiting'`,
    idRow,
  );
}

function decideOne(
  planner: Planner,
  of: {
    readonly start: Start;
    readonly held: HeldPlacement | undefined;
    readonly neighbors: Neighbors;
    readonly costs: MachineCosts | null;
  },
): Decided | undefined {
  const { start, held, neighbors, costs } = of;
  const { entry, hostId } = start;
  if (held?.state === "full") return undefined;
  const around = neighbors.around(entry);
  if (around === undefined || around.not.includes(hostId)) return undefined;
  if (around.only?.includes(hostId) === false) return undefined;
  const placed = planner.place({
    tenantId: entry.tenantId,
    kind: entry.kind,
    shape: entry.shape,
    ...(entry.image === undefined || held !== undefined ? {} : { image: entry.image }),
    only: [hostId],
    // A reserve is a share of all of a pool, which is not here: its wall in the schema decides.
    afterFault: true,
    ...pinnedBy(held),
  });
  if (!placed.placed) return undefined;
  return { ...start, placed, costs, instanceId: held?.instanceId ?? randomUUID() };
}

async function write(tx: Tx, starts: readonly Decided[], at: number): Promise<void> {
  const rows = starts.map(({ entry, hostId, placed, instanceId, costs }) => ({
    tenant_id: entry.tenantId,
    request_id: entry.requestId,
    turn: entry.turn,
    instance_id: instanceId,
    host_id: hostId,
    ...heldOf(entry.shape, costs),
    disk_bytes: entry.shape.diskGiB * gibibyte,
    shape: entry.shape,
    device_ids: placed.deviceIds,
    numa_node: placed.numaNode,
    after_fault: entry.afterFault,
    slice: entry.shape.gpu?.slice ?? 1,
  }));
  const marked = await tx.execute(sql`
    update queue_entry q set state = 'placed', refusal = null
    from unnest(${rows.map((row) => row.tenant_id)}::uuid[],
        ${rows.map((row) => row.request_id)}::uuid[], ${rows.map((row) => row.turn)}::int[])
      as s(tenant_id, request_id, turn)
    where q.tenant_id = s.tenant_id and q.request_id = s.request_id and q.turn = s.turn
      and q.state = 'waiting'`);
  if (marked !== rows.length) throw new Withdrawn();
  await tx.execute(sql`
    insert into placement (tenant_id, instance_id, request_id, turn, host_id, milli_cpus,
      memory_bytes, huge_pages, disk_bytes, shape, device_ids, numa_node, after_fault, state,
      placed_at)
    select tenant_id, instance_id, request_id, turn, host_id, milli_cpus, memory_bytes, huge_pages,
      disk_bytes, shape, device_ids, numa_node, after_fault, 'full', ${new Date(at)}
    from jsonb_to_recordset(${json(rows)}::jsonb) as s(tenant_id uuid, instance_id uuid,
      request_id uuid, turn int, host_id uuid, milli_cpus int, memory_bytes int8,
      huge_pages text, disk_bytes int8, shape jsonb, device_ids jsonb, numa_node int, after_fault boolean)
    order by host_id, request_id
    on conflict (tenant_id, instance_id) do update set turn = excluded.turn, state = 'full',
      host_id = excluded.host_id, device_ids = excluded.device_ids,
      milli_cpus = excluded.milli_cpus, memory_bytes = excluded.memory_bytes,
      huge_pages = excluded.huge_pages, disk_bytes = excluded.disk_bytes,
      shape = excluded.shape, numa_node = excluded.numa_node,
      after_fault = excluded.after_fault, placed_at = excluded.placed_at`);
  // What was stopped may come up on another host than before.
  await tx.execute(sql`
    update instance i set host_id = s.host_id
    from unnest(${rows.map((row) => row.tenant_id)}::uuid[],
        ${rows.map((row) => row.instance_id)}::uuid[], ${rows.map((row) => row.host_id)}::uuid[])
      as s(tenant_id, id, host_id)
    where i.tenant_id = s.tenant_id and i.id = s.id and i.host_id <> s.host_id`);
  const claims = rows.filter((row) => row.device_ids.length > 0);
  if (claims.length === 0) return;
  await tx.execute(sql`
    insert into gpu_claim (tenant_id, instance_id, host_id, device_id, slice)
    select tenant_id, instance_id, host_id, d.id, slice
    from jsonb_to_recordset(${json(claims)}::jsonb) as s(tenant_id uuid, instance_id uuid,
        host_id uuid, device_ids jsonb, slice int),
      lateral jsonb_array_elements_text(s.device_ids) as d(id)
    order by host_id, d.id`);
}

/** Somebody took an entry out of the queue between our look and our mark. */
class Withdrawn extends Error {}

const uniqueViolation = "23505";

function isRefusal(error: unknown): boolean {
  if (error instanceof Withdrawn) return true;
  const constraint = brokenConstraint(error);
  const full = constraint === "host_capacity" || constraint === "gpu_capacity";
  return full || sqlState(error) === uniqueViolation;
}
