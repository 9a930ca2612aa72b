/**
 * Rows of `opening`. What must stay true: they go with their lease or project (triggers of migration 0242),
 * and one is accepted only where a platform that can hold what it is of opens ports.
 */
import { v7 as newId } from "uuid";
import { z } from "zod";

import { isKept } from "#catalog/sites.ts";
import { openingsMax } from "#contract/schemas/openings.ts";
import { oldestFirst, type PageAsk } from "#db/keyset.ts";
import type { Queryable, Tx } from "#db/pool.ts";
import { instant } from "#db/row.ts";
import { sql } from "#db/sql.ts";
import { openLease } from "#flow/admit/lease.ts";
import { capabilityRow } from "#flow/provision/capability.ts";
import { requireRoom } from "#identity/limits.ts";
import { projectForWork } from "#identity/projects.ts";
import { Failure } from "#kernel/failure.ts";
import type { PortOpening, ToldProject } from "#providers/provider.ts";

import { sourcesOf } from "./sources.ts";

/** What platforms are told of projects has changed. */
export const toldChannel = "told";

/** Of all sites and tenants: what a platform is told of at once. */
const toldMax = 100_000;
/** So that no one tenant comes near of that. */
const perTenantMax = 2_000;
const sshPort = 22;

const protocol = z.enum(["tcp", "udp"]);
const row = z.object({
  id: z.string(),
  projectId: z.string(),
  leaseId: z.string().nullable(),
  protocol,
  port: z.int(),
  sources: z.array(z.string()),
  note: z.string().nullable(),
  createdAt: instant,
});
export type Opening = z.output<typeof row>;

const columns = sql`id, project_id as "projectId", lease_id as "leaseId", protocol, port,
  sources::text[] as sources, note, created_at as "createdAt"`;
const position = { at: sql`created_at`, id: sql`id` };

export interface ProjectKey {
  readonly tenantId: string;
  readonly projectId: string;
}

/** Throws `not_found`. */
export async function listOpenings(tx: Tx, of: ProjectKey, ask: PageAsk): Promise<Opening[]> {
  const project = await tx.maybe(
    sql`select id from project where tenant_id = ${of.tenantId} and id = ${of.projectId}
      and deleted_at is null`,
    z.object({ id: z.string() }),
  );
  if (project === undefined) throw new Failure("not_found", "There is no such project.");
  return tx.rows(
    sql`select ${columns} from opening
      where tenant_id = ${of.tenantId} and project_id = ${of.projectId}
        and ${oldestFirst(position, ask)}
      order by created_at, id limit ${ask.limit}`,
    row,
  );
}

export interface NewOpening extends ProjectKey {
  readonly leaseId: string | undefined;
  readonly protocol: Opening["protocol"];
  readonly port: number;
  readonly sources: readonly string[];
  readonly note: string | undefined;
  readonly at: number;
}

export async function createOpening(tx: Tx, ask: NewOpening): Promise<Opening> {
  const { tenantId, projectId, leaseId, port } = ask;
  if (port === sshPort) {
    throw new Failure(
      "rule_violation",
      "Port 22 is not a customer's to open: from where SSH reaches machines is the operator's decision. Choose another port, or ask him.",
      { details: { port } },
    );
  }
  const sources = sourcesOf(ask.sources);
  await projectForWork(tx, tenantId, projectId);
  if (leaseId !== undefined) await requireLease(tx, { ...ask, leaseId });
  await requirePlatform(tx, { tenantId, leaseId });
  const rows = sql`from opening where tenant_id = ${tenantId}`;
  await requireRoom(tx, { what: "open ports of this tenant", rows, limit: perTenantMax });
  await requireRoom(tx, {
    what: "open ports of this project",
    rows: sql`${rows} and project_id = ${projectId}`,
    limit: openingsMax,
  });
  const made = await tx.one(
    sql`insert into opening (tenant_id, id, project_id, lease_id, protocol, port, sources, note,
        created_at)
      values (${tenantId}, ${newId()}, ${projectId}, ${leaseId ?? null}, ${ask.protocol}, ${port},
        ${sources}::cidr[], ${ask.note ?? null}, ${new Date(ask.at)})
      returning ${columns}`,
    row,
  );
  tx.nudge(toldChannel);
  return made;
}

export async function deleteOpening(
  tx: Tx,
  of: { readonly tenantId: string; readonly openingId: string },
): Promise<Opening> {
  const gone = await tx.maybe(
    sql`delete from opening where tenant_id = ${of.tenantId} and id = ${of.openingId}
      returning ${columns}`,
    row,
  );
  if (gone === undefined) throw new Failure("not_found", "There is no such open port.");
  tx.nudge(toldChannel);
  return gone;
}

/** It cannot end before this transaction does. */
async function requireLease(
  tx: Tx,
  { tenantId, projectId, leaseId, at }: NewOpening & { readonly leaseId: string },
): Promise<void> {
  const lease = await openLease(tx, { tenantId, leaseId, at });
  if (lease.project_id === projectId) return;
  throw new Failure("not_found", "There is no such lease in this project.");
}

const platformRow = z.object({ site: z.string(), can: capabilityRow.nullable() });

/** Where the lease is; for a project, and for a lease without a machine, all sites are looked at. */
async function requirePlatform(
  tx: Tx,
  of: { readonly tenantId: string; readonly leaseId: string | undefined },
): Promise<void> {
  const platforms = await tx.rows(
    sql`with its as (select i.site from instance i where i.tenant_id = ${of.tenantId}
        and i.request_id = ${of.leaseId ?? null} and i.state <> 'gone')
      select s.name as site, s.capabilities->'openings' as can from site s
      where ${isKept(sql`s`)}
        and (s.name in (select site from its) or not exists (select from its))
      order by s.name`,
    platformRow,
  );
  if (platforms.some(({ can }) => can?.can === true)) return;
  const because = new Set(
    platforms.map(({ can }) => can?.because ?? "its platform says nothing of it"),
  );
  throw new Failure(
    "unsupported",
    platforms.length === 0
      ? "No port can be opened: no site is connected."
      : `No port can be opened: ${[...because].join("; ")}.`,
    { details: { sites: platforms.map(({ site }) => site) } },
  );
}

const toldRow = z.object({
  projectId: z.string(),
  leaseId: z.string().nullable(),
  protocol,
  port: z.int(),
  sources: z.array(z.string()),
});

const strictRow = z.object({ projectId: z.string() });

/**
 * Of all projects with open ports, and of those of core tenants. More than can be told is not told in part:
 * what is missing would be closed.
 */
export async function projectsToTell(db: Queryable): Promise<ReadonlyMap<string, ToldProject>> {
  const rows = await db.rows(
    sql`select project_id as "projectId", lease_id as "leaseId", protocol, port,
        sources::text[] as sources
      from opening order by created_at, id limit ${toldMax + 1}`,
    toldRow,
  );
  const strict = await db.rows(
    sql`select p.id as "projectId" from project p
      join tenant t on t.id = p.tenant_id and t.service_class = 'core'
      where p.deleted_at is null limit ${toldMax + 1}`,
    strictRow,
  );
  if (Math.max(rows.length, strict.length) > toldMax) {
    throw new Error(
      `there are more than ${toldMax} open ports or strict projects: none is told now`,
    );
  }
  const told = new Map<string, { openings: PortOpening[]; serviceClass: "core" | "standard" }>();
  for (const { projectId } of strict) told.set(projectId, { openings: [], serviceClass: "core" });
  for (const { projectId, leaseId, ...opening } of rows) {
    const known = told.get(projectId) ?? { openings: [], serviceClass: "standard" };
    known.openings.push({ ...opening, ...(leaseId === null ? {} : { resourceId: leaseId }) });
    told.set(projectId, known);
  }
  return told;
}
