/**
 * Rows of `placement` and `gpu_claim`: what instances hold of hosts. A commit locks the request and
 * the host's row and decides again on that host, so that commits on one host are serial; the
 * triggers of the schema are the second wall.
 */
import { z } from "zod";

import { json } from "#db/json.ts";
import { brokenConstraint, sqlState, type Queryable, type Tx } from "#db/pool.ts";
import { sql } from "#db/sql.ts";
import { markPlaced, type WaitingEntry } from "#flow/queue/store.ts";
import { gibibyte, mebibyte, milliCpusOf, type Shape } from "#kernel/shape.ts";

import { place } from "./decide.ts";
import { readHosts } from "./hosts-read.ts";

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

export interface Plan {
  readonly entry: WaitingEntry;
  readonly instanceId: string;
  readonly hostId: string;
  readonly at: number;
}

export type Committed =
  | { readonly placed: true; readonly deviceIds: readonly string[] }
  /** The host filled up or went away, or the entry does not wait any more; nothing was written. */
  | { readonly placed: false };

/** Makes a plan real, or nothing of it: decides once more on that host, with its row locked. */
export async function commitPlan(tx: Tx, plan: Plan): Promise<Committed> {
  const { entry } = plan;
  const { tenantId, requestId, turn, shape } = entry;
  await tx.execute(sql`savepoint plan`);
  try {
    if (!(await stillWanted(tx, entry))) return await undo(tx);
    const held = await heldPlacement(tx, entry);
    if (held !== undefined && (held.state === "full" || held.instanceId !== plan.instanceId)) {
      return await undo(tx);
    }
    await tx.execute(sql`select from host where id = ${plan.hostId} for no key update`);
    const answer = place(await readHosts(tx, sql`h.id = ${plan.hostId}`), {
      tenantId,
      shape,
      ...(held === undefined ? {} : { pinned: held }),
    });
    if (!answer.placed || !(await markPlaced(tx, entry))) return await undo(tx);
    await tx.execute(sql`
      insert into placement (tenant_id, instance_id, request_id, turn, host_id, milli_cpus,
        memory_bytes, disk_bytes, shape, device_ids, state, placed_at)
      values (${tenantId}, ${plan.instanceId}, ${requestId}, ${turn}, ${plan.hostId},
        ${milliCpusOf(shape)}, ${shape.memoryMiB * mebibyte}, ${shape.diskGiB * gibibyte},
        ${json(shape)}, ${json(answer.deviceIds)}, 'full', ${new Date(plan.at)})
      on conflict (tenant_id, instance_id) do update set turn = excluded.turn, state = 'full',
        milli_cpus = excluded.milli_cpus, memory_bytes = excluded.memory_bytes,
        disk_bytes = excluded.disk_bytes, shape = excluded.shape, placed_at = excluded.placed_at`);
    for (const deviceId of answer.deviceIds) {
      // oxlint-disable-next-line no-await-in-loop -- one connection
      await tx.execute(sql`
        insert into gpu_claim (tenant_id, instance_id, host_id, device_id, slice)
        values (${tenantId}, ${plan.instanceId}, ${plan.hostId}, ${deviceId},
          ${shape.gpu?.slice ?? 1})`);
    }
    await tx.execute(sql`release savepoint plan`);
    return { placed: true, deviceIds: answer.deviceIds };
  } catch (error) {
    const constraint = brokenConstraint(error);
    const full = constraint === "host_capacity" || constraint === "gpu_capacity";
    if (!full && sqlState(error) !== uniqueViolation) throw error;
    return undo(tx);
  }
}

/** The request, locked against asks, still runs for this turn. */
async function stillWanted(tx: Tx, { tenantId, requestId, turn }: WaitingEntry): Promise<boolean> {
  const found = await tx.maybe(
    sql`select wanted from request
      where tenant_id = ${tenantId} and id = ${requestId} and turn = ${turn}
        and wanted = 'running' and ended_at is null for no key update`,
    z.object({ wanted: z.string() }),
  );
  return found !== undefined;
}

const uniqueViolation = "23505";

async function undo(tx: Tx): Promise<{ placed: false }> {
  await tx.execute(sql`rollback to savepoint plan`);
  return { placed: false };
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
