/** What runs now, with what it is sold for. */
import { z } from "zod";

import type { Queryable } from "#db/pool.ts";
import { sql } from "#db/sql.ts";
import { shapeRow } from "#flow/admit/rows.ts";
import { parseFen } from "#kernel/money.ts";

import type { Held } from "./fleet-plan.ts";

const row = z
  .object({
    tenant_id: z.string(),
    request_id: z.string(),
    kind: z.enum(["lease", "job"]),
    name: z.string(),
    host_id: z.string(),
    shape: shapeRow,
    hourly: z.string().nullable(),
    gang_id: z.string().nullable(),
    gang_how: z.enum(["spread", "pack"]),
  })
  .transform((each): Held => ({
    requestId: each.request_id,
    tenantId: each.tenant_id,
    kind: each.kind,
    name: each.name,
    hostId: each.host_id,
    shape: each.shape,
    gang: each.gang_id === null ? null : { id: each.gang_id, how: each.gang_how },
    fenPerHour: each.hourly === null ? null : parseFen(each.hourly),
  }));

export function heldNow(db: Queryable): Promise<Held[]> {
  return db.rows(
    sql`select p.tenant_id, p.request_id, r.kind, r.name, p.host_id, p.shape,
        r.price->>'hourly' as hourly, r.gang_id, r.gang_how
      from placement p join request r on r.tenant_id = p.tenant_id and r.id = p.request_id
      where p.state = 'full' order by p.placed_at, p.request_id`,
    row,
  );
}
