/**
 * Machines that run on another host than they were placed on: the platform moved them, by our wish or by
 * itself (a node that is drained, a job whose node its queue chose). What they hold follows them.
 */
import { v7 as uuid } from "uuid";

import type { Db } from "#db/pool.ts";
import { json } from "#db/json.ts";
import { sql } from "#db/sql.ts";
import { followMove, type Followed } from "#flow/place/moved.ts";
import type { Observer } from "#observe/observer.ts";
import type { Machine } from "#providers/provider.ts";

import type { InstanceBrief } from "./instance-rows.ts";

/** In one pass; the rest follow in the next. */
const movesMax = 200;

export interface MovesContext {
  readonly db: Db;
  readonly site: string;
  readonly observer: Observer;
  readonly now: () => number;
}

/** Those whose host is another one than their row says; pure. */
export function movedMachines(
  rows: readonly InstanceBrief[],
  seen: ReadonlyMap<string, Machine>,
): readonly { readonly row: InstanceBrief; readonly machine: Machine }[] {
  return rows.flatMap((row) => {
    const machine = seen.get(row.id);
    if (machine === undefined || row.placement_state !== "full") return [];
    const isOn = machine.power.value === "running" || machine.power.value === "paused";
    return isOn && machine.hostId !== row.host_native_id ? [{ row, machine }] : [];
  });
}

export async function followMoves(
  context: MovesContext,
  rows: readonly InstanceBrief[],
  seen: ReadonlyMap<string, Machine>,
): Promise<void> {
  const { db, site, observer, now } = context;
  for (const { row, machine } of movedMachines(rows, seen).slice(0, movesMax)) {
    const followed = await db.transaction(async (tx): Promise<Followed> => {
      const move = {
        tenantId: row.tenant_id,
        instanceId: row.id,
        site,
        toNativeId: machine.hostId,
      };
      const done = await followMove(tx, move);
      if (done.followed) {
        const message = `The machine runs on ${done.to} now, and no longer on ${done.from}.`;
        await tx.execute(sql`
          insert into request_event (tenant_id, id, request_id, at, kind, message, details)
          values (${row.tenant_id}, ${uuid()}, ${row.request_id}, ${new Date(now())}, 'moved',
            ${message}, ${json({ from: done.from, to: done.to })})`);
      }
      return done;
    });
    if (!followed.followed && followed.because !== "same") {
      const fields = { site, instanceId: row.id, hostId: machine.hostId };
      observer.log.warn(
        fields,
        `a machine moved, and what it holds could not: ${followed.because}`,
      );
    }
  }
}
