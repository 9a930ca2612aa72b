/**
 * GPUs of a machine that is there: more of them for a resize, and fewer after one. What must stay
 * true: a device is claimed before anything is asked of the platform, and given back only when the
 * machine was seen without it. A machine keeps the first of its devices.
 */
import { z } from "zod";

import { json } from "#db/json.ts";
import { brokenConstraint, type Queryable, type Tx } from "#db/pool.ts";
import { sql } from "#db/sql.ts";

import { lockHosts } from "./hosts-read.ts";

interface InstanceKey {
  readonly tenantId: string;
  readonly instanceId: string;
}

const placedRow = z
  .object({ host_id: z.string(), device_ids: z.array(z.string()) })
  .transform((row) => ({ hostId: row.host_id, deviceIds: row.device_ids }));

/** The devices that it was made with, or has since; in the order in which they came. */
export async function devicesOf(db: Queryable, key: InstanceKey): Promise<string[]> {
  const found = await db.maybe(
    sql`select host_id, device_ids from placement
      where tenant_id = ${key.tenantId} and instance_id = ${key.instanceId}`,
    placedRow,
  );
  return found?.deviceIds ?? [];
}

/**
 * Claims whole devices on its host until it has `count`, with `nvlink` all in the group of those that
 * it has. Returns all of them, or `undefined` and nothing changed if too few are free, or if those that
 * are must stay in reserve.
 */
export async function takeDevices(
  tx: Tx,
  key: InstanceKey,
  gpu: { readonly model: string; readonly count: number; readonly nvlink: boolean },
): Promise<string[] | undefined> {
  await tx.execute(sql`savepoint take_devices`);
  try {
    const all = await claimUpTo(tx, key, gpu);
    await tx.execute(sql`release savepoint take_devices`);
    return all;
  } catch (error) {
    if (brokenConstraint(error) !== "gpu_capacity") throw error;
    await tx.execute(sql`rollback to savepoint take_devices`);
    return undefined;
  }
}

async function claimUpTo(
  tx: Tx,
  key: InstanceKey,
  { model, count, nvlink }: Parameters<typeof takeDevices>[2],
): Promise<string[] | undefined> {
  const placed = await tx.one(
    sql`select host_id, device_ids from placement
      where tenant_id = ${key.tenantId} and instance_id = ${key.instanceId}`,
    placedRow,
  );
  await lockHosts(tx, [placed.hostId]);
  const missing = count - placed.deviceIds.length;
  const free = await tx.rows(
    sql`select d.id from gpu_device d
      where d.host_id = ${placed.hostId} and d.present and d.healthy and d.model = ${model}
        and (not ${nvlink} or d.nvlink_group in (select o.nvlink_group from gpu_device o
          where o.host_id = d.host_id and o.id = any(${placed.deviceIds})))
        and not exists (select from gpu_load l
          where l.host_id = d.host_id and l.device_id = d.id and l.claims > 0)
      order by d.id limit ${missing}`,
    z.object({ id: z.string() }),
  );
  if (free.length < missing) return undefined;
  const ids = free.map(({ id }) => id);
  // Claimed before the placement names them, by which the schema knows that this is growth (0198).
  await tx.execute(sql`
    insert into gpu_claim (tenant_id, instance_id, host_id, device_id, slice)
    select ${key.tenantId}::uuid, ${key.instanceId}::uuid, ${placed.hostId}::uuid, id, 1
    from unnest(${ids}::text[]) as id`);
  const all = [...placed.deviceIds, ...ids];
  await tx.execute(sql`
    update placement set device_ids = ${json(all)}
    where tenant_id = ${key.tenantId} and instance_id = ${key.instanceId}`);
  return all;
}

/** Gives back all but the first `count`. */
export async function keepDevices(db: Queryable, key: InstanceKey, count: number): Promise<void> {
  const all = await devicesOf(db, key);
  if (all.length <= count) return;
  const kept = all.slice(0, count);
  await db.execute(sql`
    update placement set device_ids = ${json(kept)}
    where tenant_id = ${key.tenantId} and instance_id = ${key.instanceId}`);
  await db.execute(sql`
    delete from gpu_claim where tenant_id = ${key.tenantId} and instance_id = ${key.instanceId}
      and not device_id = any(${kept})`);
}
