/** What the rows say of leases that are copies: whether one may begin, and which wait for a disk. */
import { z } from "zod";

import type { Queryable } from "#db/pool.ts";
import { sql, type Sql } from "#db/sql.ts";
import { reasonRow } from "#flow/admit/rows.ts";
import type { Reason } from "#kernel/reason.ts";

/** Why a copy has no machine yet. */
export const copyingCode = "disk_being_copied";

const snapshotRow = z.object({
  made_for: z.enum(["owner", "clone"]),
  state: z.enum(["creating", "ready", "deleting", "failed", "gone"]),
  reason: reasonRow.nullable(),
  name: z.string(),
});

/** `later`: its snapshot is being taken. A reason: it never will be. */
export async function beginsWhen(
  db: Queryable,
  of: { readonly tenantId: string; readonly fromSnapshot: string | null },
): Promise<"now" | "later" | Reason> {
  if (of.fromSnapshot === null) return "now";
  const found = await db.maybe(
    sql`select s.made_for, s.state, s.reason, r.name
      from snapshot s join request r on r.tenant_id = s.tenant_id and r.id = s.request_id
      where s.tenant_id = ${of.tenantId} and s.id = ${of.fromSnapshot}`,
    snapshotRow,
  );
  // One that outlived its lease is its own business: nobody removes it while something is made of it.
  if (found?.made_for !== "clone" || found.state === "ready") return "now";
  return found.state === "creating" ? "later" : neverWhy(found);
}

function neverWhy({ name, reason }: z.output<typeof snapshotRow>): Reason {
  const why = reason === null ? `${name} was released before that was done.` : reason.message;
  return {
    code: "clone_failed",
    message: `The disk of ${name} could not be copied, and nothing was billed: ${why}`,
  };
}

/** A request that is to be made of a clone's snapshot `s`, and has no machine yet. */
export const awaits = sql`r.from_snapshot = s.id and r.tenant_id = s.tenant_id and r.ended_at is null
  and r.wanted <> 'released' and not exists (select from instance m where m.tenant_id = r.tenant_id
    and m.request_id = r.id and m.state <> 'creating')`;

/** Names of the copies that wait for the disk of a lease. */
export function awaitedCopies(
  db: Queryable,
  key: { readonly tenantId: string; readonly leaseId: string },
): Promise<string[]> {
  return copies(db, sql`s.tenant_id = ${key.tenantId} and s.request_id = ${key.leaseId}`);
}

/** Of those, the ones that are made of this snapshot. */
export function awaitedCopiesOf(
  db: Queryable,
  key: { readonly tenantId: string; readonly snapshotId: string },
): Promise<string[]> {
  return copies(db, sql`s.tenant_id = ${key.tenantId} and s.id = ${key.snapshotId}`);
}

async function copies(db: Queryable, of: Sql): Promise<string[]> {
  const rows = await db.rows(
    sql`select r.name from snapshot s join request r on ${awaits}
      where ${of} and s.made_for = 'clone' and s.state in ('creating', 'ready')
      order by r.created_at`,
    z.object({ name: z.string() }),
  );
  return rows.map(({ name }) => name);
}
