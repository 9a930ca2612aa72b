/**
 * Off what is sick (S-10), and off hosts in maintenance: jobs are told to save their work and go on
 * elsewhere, as a fault of ours; leases move while they run where their platform can do that, else nothing
 * of them is moved, and their owners and the operator are told. What must stay true: who is well again in
 * time has cost nobody but those who were told.
 */
import { z } from "zod";

import type { Queryable, Tx } from "#db/pool.ts";
import { sql } from "#db/sql.ts";
import { askMove } from "#flow/admit/lease.ts";
import { notify, raiseAlert, resolveAlert } from "#notices/store.ts";

import { interrupt } from "./interrupt.ts";
import { hostToMoveTo } from "./move-asks.ts";
import { onSick, type OnSick } from "./preempt-rows.ts";

const rowsMax = 500;
/** Each takes the network between two hosts for itself. */
const movesAtOnceMax = 4;
const alertKind = "lease_on_sick";

export async function leaveSick(
  tx: Tx,
  how: { readonly noticeSeconds: number; readonly at: number },
): Promise<void> {
  const { at } = how;
  const found = await onSick(tx, rowsMax, at);
  let moving = found.filter(({ moves }) => moves === "running").length;
  for (const each of found) {
    if (each.kind === "lease") {
      if (isToMove(each) && moving < movesAtOnceMax) {
        moving += 1;
        const key = { tenantId: each.tenantId, leaseId: each.requestId };
        await askMove(tx, { ...key, nativeHostId: await hostToMoveTo(tx, key), at });
      }
      if (!each.canMove || each.moves === "failed") await tellLease(tx, each, at);
    }
    if (each.kind === "job" && !each.told) await moveJob(tx, each, how);
  }
  const leases = new Set(
    found
      .filter(({ kind, maintenanceSince }) => kind === "lease" && maintenanceSince === null)
      .map(keyOf),
  );
  for (const key of await openKeys(tx)) {
    if (!leases.has(key)) await resolveAlert(tx, { key, by: "scheduler", at });
  }
}

/** Off a host that is well and is to be left; a device that is sick cannot come along. */
function isToMove({ canMove, maintenanceSince, moves }: OnSick): boolean {
  return canMove && maintenanceSince !== null && (moves === "never" || moves === "failed");
}

function moveJob(
  tx: Tx,
  { host, device, maintenanceSince, name, ...key }: OnSick,
  { noticeSeconds, at }: { readonly noticeSeconds: number; readonly at: number },
): Promise<void> {
  const where = device === null ? `host ${host}` : `device ${device} of host ${host}`;
  const message =
    maintenanceSince === null
      ? `It was moved off ${where}, which is out of order.`
      : `It was moved off ${where}, which is taken out of service.`;
  return interrupt(tx, name, {
    tenantId: key.tenantId,
    requestId: key.requestId,
    instanceId: key.instanceId,
    attempt: key.attempt,
    cause: "migration",
    for: null,
    reason: { code: "moved", message },
    lostUnitMs: 0,
    at,
    noticeUntil: at + noticeSeconds * 1000,
  });
}

async function tellLease(tx: Tx, lease: OnSick, at: number): Promise<void> {
  const { tenantId, name, host } = lease;
  const { maintenanceSince } = lease;
  if (maintenanceSince !== null) {
    // The operator knows: he said so himself.
    const told = `maintenance:${lease.instanceId}:${maintenanceSince}`;
    const kind = lease.startsElsewhere ? "lease_evacuation" : "lease_host_maintenance";
    await notify(tx, { tenantId, key: told, kind, severity: "warning", data: { lease: name }, at });
    return;
  }
  const device = lease.device ?? "-";
  const key = keyOf(lease);
  const data = { lease: name, host, device };
  const severity = "warning";
  await notify(tx, { tenantId, key, kind: "lease_on_sick", severity, data, at });
  if ((await openKeys(tx)).includes(key)) return;
  await raiseAlert(tx, { key, kind: alertKind, severity, tenantId, data, at });
}

function keyOf({ instanceId, device }: OnSick): string {
  return `sick:${instanceId}:${device ?? "host"}`;
}

async function openKeys(db: Queryable): Promise<string[]> {
  const rows = await db.rows(
    sql`select key from alert where kind = ${alertKind} and resolved_at is null`,
    z.object({ key: z.string() }),
  );
  return rows.map(({ key }) => key);
}
