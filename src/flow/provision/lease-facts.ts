/**
 * What a lease was seen to be, for those who sell it by the term: when it could first be used, what
 * it was promised, and whether its machine has that.
 */
import { z } from "zod";

import type { Queryable } from "#db/pool.ts";
import { instant } from "#db/row.ts";
import { sql } from "#db/sql.ts";
import { reasonRow, shapeRow } from "#flow/admit/rows.ts";
import type { Reason } from "#kernel/reason.ts";
import type { Shape } from "#kernel/shape.ts";

import { capabilityRow } from "./capability.ts";

/** What a site may lack; one of an earlier release does not say. */
const capabilities = z.object({
  resizeCpuLive: capabilityRow.optional(),
  resizeMemoryLive: capabilityRow.optional(),
  diskGrow: capabilityRow.optional(),
  diskGrowLive: capabilityRow.optional(),
  resizeGpus: capabilityRow.optional(),
});

export interface LeaseFacts {
  readonly name: string;
  readonly wanted: "running" | "stopped" | "released";
  readonly ended: boolean;
  readonly endReason: Reason | null;
  /** What it was promised; `isSettled` once its machine has it. */
  readonly shape: Shape;
  readonly isSettled: boolean;
  readonly isResizing: boolean;
  /** Of its machine; `undefined` while there is none. */
  readonly machine: "running" | "stopped" | "other" | undefined;
  /** When a customer could first log in. */
  readonly firstReadyAt: number | undefined;
  /** When the machine was last seen to have got another shape. */
  readonly resizedAt: number | undefined;
  /** When the last ask to resize it failed. */
  readonly resizeFailedAt: number | undefined;
  readonly capabilities: z.output<typeof capabilities>;
}

const row = z
  .object({
    name: z.string(),
    wanted: z.enum(["running", "stopped", "released"]),
    ended_at: instant.nullable(),
    end_reason: reasonRow.nullable(),
    shape: shapeRow,
    state: z.string().nullable(),
    machine_shape: shapeRow.nullable(),
    pending_resize: z.boolean().nullable(),
    is_resizing: z.boolean(),
    first_ready_at: instant.nullable(),
    resized_at: instant.nullable(),
    resize_failed_at: instant.nullable(),
    capabilities: capabilities.nullable(),
  })
  .transform((found): LeaseFacts => ({
    name: found.name,
    wanted: found.wanted,
    ended: found.ended_at !== null,
    endReason: found.end_reason,
    shape: found.shape,
    isSettled:
      !found.is_resizing &&
      found.pending_resize === false &&
      JSON.stringify(found.machine_shape) === JSON.stringify(found.shape),
    isResizing: found.is_resizing,
    machine: machineOf(found.state),
    firstReadyAt: found.first_ready_at ?? undefined,
    resizedAt: found.resized_at ?? undefined,
    resizeFailedAt: found.resize_failed_at ?? undefined,
    capabilities: found.capabilities ?? {},
  }));

function machineOf(state: string | null): LeaseFacts["machine"] {
  if (state === null) return undefined;
  return state === "running" || state === "stopped" ? state : "other";
}

export function leaseFacts(
  db: Queryable,
  key: { readonly tenantId: string; readonly id: string },
): Promise<LeaseFacts> {
  return db.one(
    sql`
    select r.name, r.wanted, r.ended_at, r.end_reason, r.shape, i.state, i.shape as machine_shape,
      i.pending_resize, s.capabilities,
      exists (select from operation o where o.tenant_id = r.tenant_id and o.request_id = r.id
        and o.state = 'running' and o.kind = 'resize') as is_resizing,
      (select min(t.at) from transition t join instance any_i on any_i.tenant_id = t.tenant_id
          and any_i.id = t.instance_id
        where any_i.tenant_id = r.tenant_id and any_i.request_id = r.id and t.kind = 'ready')
        as first_ready_at,
      (select max(t.at) from transition t where t.tenant_id = i.tenant_id
        and t.instance_id = i.id and t.kind = 'resized') as resized_at,
      (select max(o.ended_at) from operation o where o.tenant_id = r.tenant_id
        and o.request_id = r.id and o.kind = 'resize' and o.state = 'failed') as resize_failed_at
    from request r
      left join instance i on i.tenant_id = r.tenant_id and i.request_id = r.id and i.state <> 'gone'
      left join site s on s.name = i.site
    where r.tenant_id = ${key.tenantId} and r.id = ${key.id} and r.kind = 'lease'`,
    row,
  );
}
