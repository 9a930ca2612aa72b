/** The place of a machine that is there already, without having been placed by us. */
import { json } from "#db/json.ts";
import { brokenConstraint, type Tx } from "#db/pool.ts";
import { sql } from "#db/sql.ts";
import { gibibyte, type Shape } from "#kernel/shape.ts";

import { costsOn, heldOf } from "./store.ts";

export interface AdoptedPlace {
  readonly tenantId: string;
  readonly requestId: string;
  readonly instanceId: string;
  readonly hostId: string;
  readonly shape: Shape;
  readonly state: "full" | "disk";
  readonly at: number;
}

/** `full` when the host has no room for it, whatever runs there: then nothing is written. */
export async function holdAdopted(tx: Tx, place: AdoptedPlace): Promise<"held" | "full"> {
  const { tenantId, requestId, shape } = place;
  const at = new Date(place.at);
  const held = heldOf(shape, await costsOn(tx, place.hostId));
  await tx.execute(sql`savepoint adopted`);
  try {
    await tx.execute(sql`
      insert into placement (tenant_id, instance_id, request_id, turn, host_id, milli_cpus,
        memory_bytes, huge_pages, disk_bytes, shape, device_ids, state, placed_at)
      values (${tenantId}, ${place.instanceId}, ${requestId}, 1, ${place.hostId},
        ${held.milli_cpus}, ${held.memory_bytes}, ${held.huge_pages},
        ${shape.diskGiB * gibibyte}, ${json(shape)}, '[]', ${place.state}, ${at})`);
    // It has its turn: the queue does not ask for another place.
    await tx.execute(sql`
      insert into queue_entry (tenant_id, request_id, turn, priority, enqueued_at, state)
      select tenant_id, id, turn, priority, ${at}, 'placed' from request
      where tenant_id = ${tenantId} and id = ${requestId}`);
    await tx.execute(sql`release savepoint adopted`);
    return "held";
  } catch (error) {
    if (brokenConstraint(error) !== "host_capacity") throw error;
    await tx.execute(sql`rollback to savepoint adopted`);
    return "full";
  }
}
