/**
 * Hosts that their platform was told to empty, and that wait for leases which cannot move while they run:
 * an alert for each, until none is left there. Their owners were told when the host went out of service.
 */
import { z } from "zod";

import type { Db } from "#db/pool.ts";
import { sql } from "#db/sql.ts";
import { raiseAlert, resolveAlert } from "#notices/store.ts";
import type { Machine } from "#providers/provider.ts";

import type { InstanceBrief } from "./instance-rows.ts";

const kind = "drain_waits";

/** How many leases each host waits for, by its name; pure. */
export function waitedFor(
  rows: readonly InstanceBrief[],
  seen: ReadonlyMap<string, Machine>,
): ReadonlyMap<string, number> {
  const leases = new Map<string, number>();
  for (const { id, kind: of, host_name: host } of rows) {
    if (of !== "lease" || seen.get(id)?.evacuating !== true) continue;
    leases.set(host, (leases.get(host) ?? 0) + 1);
  }
  return leases;
}

/** Writes only when something changed since the call before. */
export function drainAlerts(context: {
  readonly db: Db;
  readonly site: string;
  readonly now: () => number;
}): (rows: readonly InstanceBrief[], seen: ReadonlyMap<string, Machine>) => Promise<void> {
  const { db, site, now } = context;
  let said: string | undefined;
  return async (rows, seen) => {
    const leases = waitedFor(rows, seen);
    const says = JSON.stringify([...leases.keys()].toSorted());
    if (says === said) return;
    const prefix = `drain:${site}:`;
    await db.transaction(async (tx) => {
      const open = await tx.rows(
        sql`select key from alert where kind = ${kind} and resolved_at is null
          and starts_with(key, ${prefix})`,
        z.object({ key: z.string() }),
      );
      const at = now();
      for (const [host, count] of leases) {
        const data = { host, leases: count };
        const key = prefix + host;
        if (open.some((each) => each.key === key)) continue;
        await raiseAlert(tx, { key, kind, severity: "warning", data, at });
      }
      for (const { key } of open) {
        if (!leases.has(key.slice(prefix.length))) await resolveAlert(tx, { key, by: site, at });
      }
    });
    said = says;
  };
}
