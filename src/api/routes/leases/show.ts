/** Rows to the contract's shapes. */
import type { z } from "zod";

import type { Lease } from "#contract/schemas/compute.ts";
import type * as compute from "#contract/schemas/compute.ts";
import { price } from "#contract/schemas/catalog.ts";
import type { Reason as ShownReason } from "#contract/schemas/common.ts";
import type { Tx } from "#db/pool.ts";
import type { OperationRow } from "#flow/admit/operations.ts";
import { abilityOf } from "#flow/provision/capability.ts";
import { shownBeside } from "#flow/provision/beside-view.ts";
import { findLease, reasonOf, usedFlavor, type LeaseView } from "#flow/provision/lease-view.ts";
import { notesOf } from "#flow/provision/lease-notes.ts";
import { movesLive, startsElsewhere } from "#flow/provision/movable.ts";
import type { SnapshotRow } from "#flow/provision/snapshots.ts";
import { Failure } from "#kernel/failure.ts";
import type { Reason } from "#kernel/reason.ts";

export function rfc3339(at: number): string {
  return new Date(at).toISOString();
}

export function optionalTime(at: number | null): string | null {
  return at === null ? null : rfc3339(at);
}

export function showReason(reason: Reason | null): ShownReason | null {
  if (reason === null) return null;
  const { code, message, details } = reason;
  return { code, message, ...(details === undefined ? {} : { details: { ...details } }) };
}

export function showLease(view: LeaseView): Lease {
  return {
    id: view.id,
    projectId: view.project_id,
    name: view.name,
    state: view.state,
    reason: showReason(reasonOf(view)),
    notes: notesOf(view).map(({ code, message, advice, who }) => ({
      code,
      message,
      advice,
      who,
    })),
    line: null,
    flavor: usedFlavor(view.shape),
    image: view.image,
    restart: view.restart,
    plan: view.plan,
    price: price.parse(view.price),
    endpoints: (view.endpoints ?? []).map((each) => ({
      ...each,
      user: view.login_user,
      command: `ssh -p ${each.port} ${view.login_user}@${each.host}`,
    })),
    host: view.host,
    execution: view.execution,
    start: view.start_kind,
    pendingResize: view.pending_resize ?? false,
    createdAt: rfc3339(view.created_at),
    readyAt: optionalTime(view.ready_at),
    releasedAt: optionalTime(view.ended_at),
    instanceId: view.instance_id,
    capabilities:
      view.instance_id === null
        ? null
        : {
            diskGrow: abilityOf(view.disk_grow, view.shape),
            snapshotWithMemory: abilityOf(view.snapshot_memory, view.shape),
            moveLive: movesLive(view),
            startElsewhere: startsElsewhere(view),
          },
    owner: { id: view.created_by, name: view.created_by_name },
    ...shownBeside(view),
  };
}

export function showOperation(row: OperationRow): z.output<typeof compute.operationRecord> {
  return {
    id: row.id,
    kind: row.kind,
    resourceId: row.request_id,
    state: row.state,
    reason: showReason(row.reason),
    note: row.note,
    createdAt: rfc3339(row.created_at),
    endedAt: optionalTime(row.ended_at),
  };
}

export function showSnapshot(row: SnapshotRow): z.output<typeof compute.snapshot> {
  return {
    id: row.id,
    leaseId: row.request_id,
    name: row.name,
    withMemory: row.with_memory,
    state: row.state === "gone" ? "deleting" : row.state,
    sizeBytes: row.size_bytes,
    createdAt: rfc3339(row.created_at),
    keptUntil: optionalTime(row.kept_until),
    reason: showReason(row.reason),
  };
}

export async function leaseOf(
  { tx, tenantId, now }: { readonly tx: Tx; readonly tenantId: string; readonly now: () => number },
  id: string,
): Promise<Lease> {
  const found = await findLease(tx, { tenantId, id, at: now() });
  if (found === undefined) throw new Failure("not_found", "There is no such lease.");
  return showLease(found);
}
