/**
 * Rows of `placement` and `gpu_claim`: what instances hold of hosts. New ones are written by
 * commit.ts; here is what is held, and how it grows, shrinks and ends.
 */
import { z } from "zod";

import { json } from "#db/json.ts";
import { brokenConstraint, type Queryable, type Tx } from "#db/pool.ts";
import { sql } from "#db/sql.ts";
import { gibibyte, mebibyte, milliCpusOf, type Shape } from "#kernel/shape.ts";

const heldRow = z
  .object({
    instance_id: z.string(),
    host_id: z.string(),
    device_ids: z.array(z.string()),
    state: z.enum(["full", "disk"]),
  })
  .transform((row) => ({
    instanceId: row.instance_id,
    hostId: row.host_id,
    deviceIds: row.device_ids,
    state: row.state,
  }));
export type HeldPlacement = z.output<typeof heldRow>;

/**
 * What the request holds already: `disk` names the host and the devices with which a stopped lease
 * must start, `full` says that its machine has not stopped yet.
 */
export function heldPlacement(
  db: Queryable,
  of: { readonly tenantId: string; readonly requestId: string },
): Promise<HeldPlacement | undefined> {
  return db.maybe(
    sql`select instance_id, host_id, device_ids, state from placement
      where tenant_id = ${of.tenantId} and request_id = ${of.requestId} and state <> 'none'`,
    heldRow,
  );
}

/** The same for many, by request. */
export async function heldPlacements(
  db: Queryable,
  requestIds: readonly string[],
): Promise<Map<string, HeldPlacement>> {
  const rows = await db.rows(
    sql`select request_id, instance_id, host_id, device_ids, state from placement
      where request_id = any(${requestIds}::uuid[]) and state <> 'none'`,
    z.object({ request_id: z.string() }).loose(),
  );
  return new Map(rows.map((row) => [row.request_id, heldRow.parse(row)]));
}

/** The same for all that waits. */
export async function heldByWaiting(db: Queryable): Promise<Map<string, HeldPlacement>> {
  const rows = await db.rows(
    sql`select p.request_id, p.instance_id, p.host_id, p.device_ids, p.state
      from queue_entry q join placement p on p.tenant_id = q.tenant_id
        and p.request_id = q.request_id and p.state <> 'none'
      where q.state = 'waiting'`,
    z.object({ request_id: z.string() }).loose(),
  );
  return new Map(rows.map((row) => [row.request_id, heldRow.parse(row)]));
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

/** For a resize where it stands, devices apart (devices.ts): holds the new shape at once, or fails on `host_capacity`. */
export async function growPlacement(
  tx: Tx,
  key: InstanceKey,
  shape: Shape,
): Promise<"held" | "full"> {
  await tx.execute(sql`savepoint grow`);
  try {
    await tx.execute(sql`
      select from host where id = (select host_id from placement
        where tenant_id = ${key.tenantId} and instance_id = ${key.instanceId})
      for no key update`);
    await tx.execute(sql`
      update placement set milli_cpus = ${milliCpusOf(shape)},
        memory_bytes = ${shape.memoryMiB * mebibyte}, disk_bytes = ${shape.diskGiB * gibibyte},
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
