/** Rows of `snapshot`: asked for through the API, made real by operations. */
import { z } from "zod";

import { json } from "#db/json.ts";
import { oldestFirst, type PageAsk } from "#db/keyset.ts";
import type { Queryable } from "#db/pool.ts";
import { instant, size } from "#db/row.ts";
import { sql } from "#db/sql.ts";
import { reasonRow } from "#flow/admit/rows.ts";

import { snapshotArguments } from "./arguments.ts";
import type { OperationEnd } from "./view.ts";

export const snapshotRow = z.object({
  tenant_id: z.string(),
  id: z.string(),
  request_id: z.string(),
  instance_id: z.string(),
  name: z.string(),
  with_memory: z.boolean(),
  state: z.enum(["creating", "ready", "deleting", "failed", "gone"]),
  size_bytes: size.nullable(),
  reason: reasonRow.nullable(),
  created_at: instant,
  /** Of one that outlives its lease. */
  kept_until: instant.nullable(),
  /** One for a clone is removed when no copy waits for it any more. */
  made_for: z.enum(["owner", "clone"]),
});
export type SnapshotRow = z.output<typeof snapshotRow>;

/** A snapshot follows the operation that makes or removes it. */
export async function updateSnapshotOf(
  db: Queryable,
  end: OperationEnd & { readonly tenantId: string },
): Promise<void> {
  const { operation, outcome } = end;
  if (operation.kind !== "snapshot" && operation.kind !== "snapshot-delete") return;
  const { id } = snapshotArguments(operation.arguments);
  const made = operation.kind === "snapshot";
  const state =
    outcome.state === "succeeded" ? (made ? "ready" : "gone") : made ? "failed" : "ready";
  await db.execute(sql`
    update snapshot set state = ${state},
      reason = ${outcome.state === "failed" ? json(outcome.reason) : null}
    where tenant_id = ${end.tenantId} and id = ${id}`);
}

/** It outlives its lease, until then. */
export async function keepUntil(
  db: Queryable,
  change: { readonly tenantId: string; readonly id: string; readonly until: number },
): Promise<void> {
  await db.execute(sql`
    update snapshot set kept_until = ${new Date(change.until)}
    where tenant_id = ${change.tenantId} and id = ${change.id}`);
}

export function listSnapshots(
  db: Queryable,
  of: { readonly tenantId: string; readonly requestId: string },
  ask: PageAsk,
): Promise<SnapshotRow[]> {
  const position = { at: sql`created_at`, id: sql`id` };
  return db.rows(
    sql`select * from snapshot where tenant_id = ${of.tenantId}
      and request_id = ${of.requestId} and state <> 'gone' and ${oldestFirst(position, ask)}
      order by created_at, id limit ${ask.limit}`,
    snapshotRow,
  );
}
