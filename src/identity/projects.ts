/**
 * Projects: what a tenant sorts its work into. The row of a removed project stays, because usage
 * and bills name it; it is only no longer there to put work into.
 */
import { v7 as newId } from "uuid";
import { z } from "zod";

import { explained } from "#db/constraint.ts";
import { oldestFirst, type PageAsk } from "#db/keyset.ts";
import type { Tx } from "#db/pool.ts";
import { instant } from "#db/row.ts";
import { sql } from "#db/sql.ts";
import { Failure } from "#kernel/failure.ts";

import { projectsPerTenantMax, requireRoom } from "./limits.ts";

/** Every tenant has it, and work goes there unless it says otherwise. */
export const defaultProjectName = "default";

const row = z.object({ id: z.string(), name: z.string(), createdAt: instant });
export type Project = z.output<typeof row>;

const columns = sql`id, name, created_at as "createdAt"`;
const position = { at: sql`created_at`, id: sql`id` };

export async function listProjects(tx: Tx, tenantId: string, ask: PageAsk): Promise<Project[]> {
  return tx.rows(
    sql`select ${columns} from project
      where tenant_id = ${tenantId} and deleted_at is null and ${oldestFirst(position, ask)}
      order by created_at, id limit ${ask.limit}`,
    row,
  );
}

/**
 * The project that new work goes into, the tenant's default one when none is named. It cannot be
 * removed before this transaction ends. Throws `not_found`.
 */
export async function projectForWork(
  tx: Tx,
  tenantId: string,
  projectId: string | undefined,
): Promise<Project> {
  const which =
    projectId === undefined ? sql`name = ${defaultProjectName}` : sql`id = ${projectId}`;
  const found = await tx.maybe(
    sql`select ${columns} from project
      where tenant_id = ${tenantId} and deleted_at is null and ${which}
      for key share`,
    row,
  );
  if (found === undefined) throw new Failure("not_found", "There is no such project.");
  return found;
}

export async function createProject(
  tx: Tx,
  ask: { readonly tenantId: string; readonly name: string; readonly now: number },
): Promise<Project> {
  await requireRoom(tx, {
    what: "projects",
    rows: sql`from project where tenant_id = ${ask.tenantId} and deleted_at is null`,
    limit: projectsPerTenantMax,
  });
  const insert = tx.one(
    sql`insert into project (tenant_id, id, name, created_at)
      values (${ask.tenantId}, ${newId()}, ${ask.name}, ${new Date(ask.now)})
      returning ${columns}`,
    row,
  );
  // Platforms may be told of it (openings/loop.ts).
  tx.nudge("project");
  return explained(insert, {
    project_name: () => new Failure("conflict", `There is a project "${ask.name}" already.`),
  });
}

export interface Holding {
  readonly kind: "leases" | "jobs" | "groups";
  readonly count: number;
}

/**
 * The default project goes only of a tenant who left: of one that the operator suspended.
 * `holdings` is asked under a lock that keeps new work out (`projectForWork`), and says what the
 * other parts of the program still have in the project.
 */
export async function deleteProject(
  tx: Tx,
  project: { readonly tenantId: string; readonly projectId: string; readonly now: number },
  holdings: () => Promise<readonly Holding[]>,
): Promise<Project> {
  const found = await tx.maybe(
    sql`select ${columns} from project
      where tenant_id = ${project.tenantId} and id = ${project.projectId} and deleted_at is null
      for update`,
    row,
  );
  if (found === undefined) throw new Failure("not_found", "There is no such project.");
  if (found.name === defaultProjectName && !(await isSuspended(tx, project.tenantId))) {
    throw new Failure("wrong_state", "The default project stays: work goes there by itself.");
  }
  const held = (await holdings()).filter(({ count }) => count > 0);
  if (held.length > 0) {
    const list = held.map(countText).join(", ");
    const one = held.length === 1 && held[0]?.count === 1;
    const message = one
      ? `The project still holds ${list}; remove it first.`
      : `The project still holds ${list}; remove them first.`;
    throw new Failure("wrong_state", message, { details: { holdings: held } });
  }
  await tx.execute(sql`update project set deleted_at = ${new Date(project.now)}
    where tenant_id = ${project.tenantId} and id = ${project.projectId}`);
  // What platforms hold of it goes too (flow/provision/project-ends.ts).
  tx.nudge("project");
  return found;
}

function countText({ kind, count }: Holding): string {
  switch (kind) {
    case "leases":
      return count === 1 ? "1 lease" : `${count} leases`;
    case "jobs":
      return count === 1 ? "1 job" : `${count} jobs`;
    case "groups":
      return count === 1 ? "1 group" : `${count} groups`;
  }
}

/** Nothing new goes into his projects then, not even into the default one. */
async function isSuspended(tx: Tx, tenantId: string): Promise<boolean> {
  const { state } = await tx.one(
    sql`select state from tenant where id = ${tenantId}`,
    z.object({ state: z.string() }),
  );
  return state === "suspended";
}

/** For a tenant who comes back: his default project went when he left. */
export async function requireDefaultProject(
  tx: Tx,
  { tenantId, now }: { readonly tenantId: string; readonly now: number },
): Promise<void> {
  const found = await tx.maybe(
    sql`select ${columns} from project
      where tenant_id = ${tenantId} and name = ${defaultProjectName} and deleted_at is null`,
    row,
  );
  if (found === undefined) await createProject(tx, { tenantId, name: defaultProjectName, now });
}
