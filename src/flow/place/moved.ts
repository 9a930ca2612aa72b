/**
 * A machine that its platform runs on another host than it was placed on: what it holds goes there too.
 * Nothing is refused, since it is there already; where the host is taken, by our count, what it holds stays
 * where it was until there is room, so that no host is ever oversold on paper.
 */
import { z } from "zod";

import { json } from "#db/json.ts";
import { brokenConstraint, type Tx } from "#db/pool.ts";
import { sql } from "#db/sql.ts";

import { lockHosts } from "./hosts-read.ts";

export interface Move {
  readonly tenantId: string;
  readonly instanceId: string;
  readonly site: string;
  /** As its platform names it. */
  readonly toNativeId: string;
}

export type Followed =
  | { readonly followed: true; readonly from: string; readonly to: string }
  | { readonly followed: false; readonly because: "same" | "no such host" | "no room" };

const place = z.object({
  from_id: z.string(),
  from_name: z.string(),
  to_id: z.string().nullable(),
  to_name: z.string().nullable(),
});
const claim = z.object({ device_id: z.string(), model: z.string(), slice: z.int() });
const device = z.object({ id: z.string(), model: z.string() });

export async function followMove(tx: Tx, move: Move): Promise<Followed> {
  const { tenantId, instanceId, site, toNativeId } = move;
  const seen = await tx.maybe(
    sql`select h.id as from_id, h.name as from_name, t.id as to_id, t.name as to_name
      from placement p join host h on h.id = p.host_id
        left join host t on t.site = ${site} and t.native_id = ${toNativeId}
      where p.tenant_id = ${tenantId} and p.instance_id = ${instanceId} and p.state = 'full'`,
    place,
  );
  if (seen === undefined || seen.from_id === seen.to_id)
    return { followed: false, because: "same" };
  const { from_id: fromId, from_name: from, to_id: toId, to_name: to } = seen;
  if (toId === null || to === null) return { followed: false, because: "no such host" };
  await lockHosts(tx, [fromId, toId]);
  await tx.execute(sql`savepoint follow`);
  try {
    const deviceIds = await moveClaims(tx, move, toId);
    if (deviceIds !== undefined) {
      await tx.execute(sql`
        update placement set host_id = ${toId}, device_ids = ${json(deviceIds)}, numa_node = null
        where tenant_id = ${tenantId} and instance_id = ${instanceId} and state = 'full'
          and host_id = ${fromId}`);
      await tx.execute(sql`
        update instance set host_id = ${toId}, version = version + 1
        where tenant_id = ${tenantId} and id = ${instanceId}`);
      await tx.execute(sql`release savepoint follow`);
      return { followed: true, from, to };
    }
  } catch (error) {
    const constraint = brokenConstraint(error);
    if (constraint !== "host_capacity" && constraint !== "gpu_capacity") throw error;
  }
  await tx.execute(sql`rollback to savepoint follow`);
  return { followed: false, because: "no room" };
}

/** For each device one of its model over there that has room; `undefined` if one has none. */
async function moveClaims(
  tx: Tx,
  { tenantId, instanceId }: Move,
  toId: string,
): Promise<string[] | undefined> {
  const claims = await tx.rows(
    sql`delete from gpu_claim c using gpu_device d
      where c.tenant_id = ${tenantId} and c.instance_id = ${instanceId}
        and d.host_id = c.host_id and d.id = c.device_id
      returning c.device_id, d.model, c.slice`,
    claim,
  );
  const taken: string[] = [];
  for (const { model, slice } of claims) {
    const found = await tx.maybe(
      sql`select d.id, d.model from gpu_device d
        where d.host_id = ${toId} and d.model = ${model} and d.present and d.healthy
          and d.slices_max >= ${slice} and d.id <> all(${taken}::text[])
          and coalesce((select sum(1.0 / c.slice) from gpu_claim c
            where c.host_id = d.host_id and c.device_id = d.id), 0) + 1.0 / ${slice}::int <= 1
        order by d.id limit 1`,
      device,
    );
    if (found === undefined) return undefined;
    taken.push(found.id);
    await tx.execute(sql`
      insert into gpu_claim (tenant_id, instance_id, host_id, device_id, slice)
      values (${tenantId}, ${instanceId}, ${toId}, ${found.id}, ${slice})`);
  }
  return taken;
}
