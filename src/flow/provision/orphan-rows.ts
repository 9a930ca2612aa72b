/** Rows of `orphan`, as the operator sees them and decides about them. */
import { z } from "zod";

import { isKept } from "#catalog/sites.ts";
import { oldestFirst, type PageAsk } from "#db/keyset.ts";
import type { Queryable, Tx } from "#db/pool.ts";
import { instant } from "#db/row.ts";
import { sql } from "#db/sql.ts";

/** What the platform showed when it was last seen. */
const detailRow = z.object({
  owner: z
    .object({ tenantId: z.string(), projectId: z.string(), resourceId: z.string() })
    .nullable(),
  locator: z.record(z.string(), z.string()),
  hostId: z.string(),
  power: z.enum(["running", "paused", "stopped", "unknown"]),
  cpu: z.object({ sockets: z.int(), cores: z.int(), threads: z.int() }),
  memoryBytes: z.number(),
  diskBytes: z.number(),
  isJob: z.boolean(),
});
export type OrphanDetail = z.output<typeof detailRow>;

const orphanRow = z
  .object({
    site: z.string(),
    machine_id: z.string(),
    first_seen_at: instant,
    seen_at: instant,
    known: z.boolean(),
    decision: z.enum(["remove"]).nullable(),
    decided_by: z.string().nullable(),
    detail: detailRow,
  })
  .transform((row) => ({
    site: row.site,
    machineId: row.machine_id,
    firstSeenAt: row.first_seen_at,
    seenAt: row.seen_at,
    known: row.known,
    decision: row.decision,
    decidedBy: row.decided_by,
    detail: row.detail,
  }));
export type Orphan = z.output<typeof orphanRow>;

const columns = sql`site, machine_id, first_seen_at, seen_at, known, decision, decided_by, detail`;
/** Rows from before there was an operator's word have less in them, until they are seen again. */
const isThere = sql`removed_at is null and seen_at is not null
  and exists (select from site where site.name = orphan.site and ${isKept(sql`site`)})`;

/** Those that are there, the oldest first. */
export function listOrphans(db: Queryable, ask: PageAsk): Promise<Orphan[]> {
  const position = { at: sql`first_seen_at`, id: sql`machine_id` };
  return db.rows(
    sql`select ${columns} from orphan where ${isThere} and ${oldestFirst(position, ask)}
      order by first_seen_at, machine_id limit ${ask.limit}`,
    orphanRow,
  );
}

export function lockOrphan(tx: Tx, machineId: string): Promise<Orphan | undefined> {
  return tx.maybe(
    sql`select ${columns} from orphan where ${isThere} and machine_id = ${machineId}
      order by site limit 1 for update`,
    orphanRow,
  );
}

export function orphanAlert(site: string, machineId: string): string {
  return `orphan:${site}:${machineId}`;
}

const uuid7 = /^([0-9a-f]{8})-([0-9a-f]{4})-7/;

/**
 * When what it was made for was asked for: the ids of leases and jobs begin with their time, those of
 * machines do not. An id of another kind does not say.
 */
export function askedAt(owner: { readonly resourceId: string } | null): number | undefined {
  const found = owner === null ? null : uuid7.exec(owner.resourceId);
  return found === null ? undefined : Number.parseInt(`${found[1]}${found[2]}`, 16);
}
