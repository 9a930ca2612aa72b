/**
 * Rows of `placement` and `gpu_claim`: what instances hold of hosts. New ones are written by
 * commit.ts; here is what is held, and how it grows, shrinks and ends.
 */
import { z } from "zod";

import { json } from "#db/json.ts";
import { brokenConstraint, type Queryable, type Tx } from "#db/pool.ts";
import { sql } from "#db/sql.ts";
import { takenBy, type MachineCosts } from "#kernel/machine-cost.ts";
import { gibibyte, mebibyte, type Shape } from "#kernel/shape.ts";

import type { PlaceAsk } from "./ask.ts";
import { costsRow } from "./hosts-read.ts";

const heldRow = z
  .object({
    instance_id: z.string(),
    host_id: z.string(),
    device_ids: z.array(z.string()),
    state: z.enum(["full", "disk"]),
    site: z.string(),
    anywhere: z.boolean(),
  })
  .transform((row) => ({
    instanceId: row.instance_id,
    hostId: row.host_id,
    deviceIds: row.device_ids,
    state: row.state,
    site: row.site,
    /** A stopped machine may start on any host of its site: its disks are not on one of them. */
    anywhere: row.anywhere,
  }));
export type HeldPlacement = z.output<typeof heldRow>;

const heldTables = sql`placement p join host h on h.id = p.host_id join site s on s.name = h.site`;
const heldColumns = sql`p.instance_id, p.host_id, p.device_ids, p.state, h.site,
  coalesce(s.capabilities->'startElsewhere'->>'can' = 'true', false) as anywhere`;

/**
 * What the request holds already: `disk` names the host and the devices with which a stopped lease
 * must start unless it may start anywhere, `full` says that its machine has not stopped yet.
 */
export function heldPlacement(
  db: Queryable,
  of: { readonly tenantId: string; readonly requestId: string },
): Promise<HeldPlacement | undefined> {
  return db.maybe(
    sql`select ${heldColumns} from ${heldTables}
      where p.tenant_id = ${of.tenantId} and p.request_id = ${of.requestId} and p.state <> 'none'`,
    heldRow,
  );
}

/** The same for many, by request. */
export async function heldPlacements(
  db: Queryable,
  requestIds: readonly string[],
): Promise<Map<string, HeldPlacement>> {
  const rows = await db.rows(
    sql`select p.request_id, ${heldColumns} from ${heldTables}
      where p.request_id = any(${requestIds}::uuid[]) and p.state <> 'none'`,
    z.object({ request_id: z.string() }).loose(),
  );
  return new Map(rows.map((row) => [row.request_id, heldRow.parse(row)]));
}

/** The same for all that waits. */
export async function heldByWaiting(db: Queryable): Promise<Map<string, HeldPlacement>> {
  const rows = await db.rows(
    sql`select p.request_id, ${heldColumns} from ${heldTables}
        join queue_entry q on q.tenant_id = p.tenant_id and q.request_id = p.request_id
      where q.state = 'waiting' and p.state <> 'none'`,
    z.object({ request_id: z.string() }).loose(),
  );
  return new Map(rows.map((row) => [row.request_id, heldRow.parse(row)]));
}

/** Columns of `placement`: what a machine of the shape holds of a host with these costs, its disk apart. */
export function heldOf(
  shape: Shape,
  costs: MachineCosts | null,
): { milli_cpus: number; memory_bytes: number; huge_pages: Shape["hugePages"] } {
  const { milliCpus, memoryMiB, hugePages } = takenBy(shape, costs);
  return {
    milli_cpus: milliCpus,
    memory_bytes: memoryMiB * mebibyte,
    huge_pages: hugePages,
  };
}

const hostCosts = z.object({ costs: costsRow });

/** Of a stopped lease: where it must start. */
export function pinnedBy(held: HeldPlacement | undefined): Pick<PlaceAsk, "pinned"> {
  return held === undefined || held.anywhere ? {} : { pinned: held };
}

interface InstanceKey {
  readonly tenantId: string;
  readonly instanceId: string;
}

/**
 * A stopped lease gives back CPU, memory and GPUs, and keeps its disk. Only what was granted for
 * `turn`: capacity of a later one, granted meanwhile, is for a start that is still to come.
 */
export async function keepDiskOnly(db: Queryable, key: InstanceKey, turn: number): Promise<void> {
  const kept = await db.execute(sql`
    update placement set state = 'disk'
    where tenant_id = ${key.tenantId} and instance_id = ${key.instanceId} and state = 'full'
      and turn = ${turn}`);
  if (kept > 0) await dropClaims(db, key);
}

export async function releasePlacement(db: Queryable, key: InstanceKey, at: number): Promise<void> {
  await dropClaims(db, key);
  await db.execute(sql`
    update placement set state = 'none', ended_at = ${new Date(at)}
    where tenant_id = ${key.tenantId} and instance_id = ${key.instanceId} and state <> 'none'`);
}

/** What machines cost on a host beside what they were sold. */
export async function costsOn(db: Queryable, hostId: string): Promise<MachineCosts | null> {
  const host = await db.maybe(
    sql`select machine_costs as costs from host where id = ${hostId}`,
    hostCosts,
  );
  return host?.costs ?? null;
}

/** For a resize where it stands, devices apart (devices.ts): holds the new shape at once, or fails on `host_capacity`. */
export async function growPlacement(
  tx: Tx,
  key: InstanceKey,
  shape: Shape,
): Promise<"held" | "full"> {
  await tx.execute(sql`savepoint grow`);
  try {
    const host = await tx.maybe(
      sql`select machine_costs as costs from host where id = (select host_id from placement
          where tenant_id = ${key.tenantId} and instance_id = ${key.instanceId})
        for no key update`,
      hostCosts,
    );
    const held = heldOf(shape, host?.costs ?? null);
    await tx.execute(sql`
      update placement set milli_cpus = ${held.milli_cpus}, memory_bytes = ${held.memory_bytes},
        huge_pages = ${held.huge_pages}, disk_bytes = ${shape.diskGiB * gibibyte},
        shape = ${json(shape)}
      where tenant_id = ${key.tenantId} and instance_id = ${key.instanceId} and state <> 'none'`);
    await tx.execute(sql`release savepoint grow`);
    return "held";
  } catch (error) {
    if (brokenConstraint(error) !== "host_capacity") throw error;
    await tx.execute(sql`rollback to savepoint grow`);
    return "full";
  }
}

async function dropClaims(db: Queryable, key: InstanceKey): Promise<void> {
  await db.execute(sql`
    delete from gpu_claim
    where tenant_id = ${key.tenantId} and instance_id = ${key.instanceId}`);
}
