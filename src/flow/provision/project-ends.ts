/**
 * A project that was removed leaves things at platforms that keep a place for each project. What must
 * stay true: nothing is taken away while a machine of the project is in our rows, for only then are all
 * its runs recorded; the platform's own word ends it, however often it is asked; what it keeps on purpose
 * is told to the operator.
 */
import { z } from "zod";

import { json } from "#db/json.ts";
import type { Db } from "#db/pool.ts";
import { instant } from "#db/row.ts";
import { sql } from "#db/sql.ts";
import type { AfterPass, LoopDefinition } from "#loops/loop.ts";
import { raiseAlert, resolveAlert } from "#notices/store.ts";
import type { Observer } from "#observe/observer.ts";
import type { ProjectEnd, Provider } from "#providers/provider.ts";

export interface ProjectEndContext {
  readonly db: Db;
  readonly provider: Provider;
  readonly observer: Observer;
  readonly now: () => number;
}

const periodMs = 30_000;
const rowsPerPassMax = 50;
/** So long a process may work on one before another takes it up; twice does no harm, and one may have died. */
const heldMs = 20_000;
const firstRestMs = 2_000;
const restMaxMs = 10 * 60_000;
/** After it the operator hears that a project does not go. */
const alertAfterMs = 60 * 60_000;
const saidCharactersMax = 1_000;
const leftoversMax = 200;

export function projectEndLoop(context: ProjectEndContext): LoopDefinition {
  return {
    name: `project ends ${context.provider.site}`,
    periodMs,
    channels: ["project"],
    pass: (signal) => endProjects(context, signal),
  };
}

const dueRow = z
  .object({
    tenant_id: z.string(),
    project_id: z.string(),
    tries: z.int(),
    said: z.string().nullable(),
    begun_at: instant,
  })
  .transform((row) => ({
    tenantId: row.tenant_id,
    projectId: row.project_id,
    tries: row.tries,
    said: row.said,
    begunAt: row.begun_at,
  }));
type Due = z.output<typeof dueRow>;

export async function endProjects(
  context: ProjectEndContext,
  signal: AbortSignal,
): Promise<AfterPass> {
  if (context.provider.removeProject === undefined) return "rest";
  await begin(context);
  const due = await take(context);
  for (const row of due) {
    if (signal.aborted) return "rest";
    // oxlint-disable-next-line no-await-in-loop -- never urgent, and few
    await tend(context, row, signal);
  }
  if (due.length === rowsPerPassMax) return "again";
  const next = await nextAt(context);
  return next === undefined ? "rest" : { restMs: next - context.now() };
}

/** Rows for projects that ended since the last look. */
async function begin({ db, provider, now }: ProjectEndContext): Promise<void> {
  const at = new Date(now());
  await db.execute(sql`
    insert into project_end (tenant_id, project_id, site, next_at, begun_at)
    select p.tenant_id, p.id, s.name, ${at}, ${at} from project p
      join site s on s.name = ${provider.site}
      where p.deleted_at is not null and not exists (select from project_end e
        where e.tenant_id = p.tenant_id and e.project_id = p.id and e.site = s.name)
      limit ${rowsPerPassMax}
    on conflict do nothing`);
}

/** Those that are due; nobody else works on them now. */
function take({ db, provider, now }: ProjectEndContext): Promise<Due[]> {
  const at = now();
  return db.rows(
    sql`update project_end e set next_at = ${new Date(at + heldMs)}, tries = e.tries + 1
      where (e.tenant_id, e.project_id, e.site) in (
        select d.tenant_id, d.project_id, d.site from project_end d
          where d.site = ${provider.site} and d.ended_at is null and d.next_at <= ${new Date(at)}
            and ${isEmpty}
          order by d.next_at limit ${rowsPerPassMax} for update skip locked)
      returning e.tenant_id, e.project_id, e.tries, e.said, e.begun_at`,
    dueRow,
  );
}

/** Of a row `d`: no machine of the project is left in our rows, nor a snapshot that was promised to be kept. */
const isEmpty = sql`not exists (select from request r where r.tenant_id = d.tenant_id
    and r.project_id = d.project_id and r.ended_at is null)
  and not exists (select from instance i where i.tenant_id = d.tenant_id
    and i.project_id = d.project_id and (i.state <> 'gone'
      or exists (select from snapshot s where s.tenant_id = i.tenant_id
        and s.instance_id = i.id and s.kept_until is not null and s.state = 'ready')))`;

/** Of those that wait for nothing but their time. */
async function nextAt({ db, provider }: ProjectEndContext): Promise<number | undefined> {
  const { at } = await db.one(
    sql`select min(d.next_at) as at from project_end d
      where d.site = ${provider.site} and d.ended_at is null and ${isEmpty}`,
    z.object({ at: instant.nullable() }),
  );
  return at ?? undefined;
}

async function tend(context: ProjectEndContext, row: Due, signal: AbortSignal): Promise<void> {
  const { provider, observer } = context;
  const { tenantId, projectId } = row;
  let end: ProjectEnd | undefined;
  try {
    end = await provider.removeProject?.({ signal }, { tenantId, projectId });
  } catch (error) {
    if (signal.aborted) return;
    observer.log.warn(
      { site: provider.site, projectId, err: error },
      "a project could not be removed",
    );
    await wait(context, row, error instanceof Error ? error.message : String(error));
    return;
  }
  if (end?.state === "gone") await finish(context, row, end.leftovers);
  else if (end !== undefined) await wait(context, begunAnew(row, end.waitsFor), end.waitsFor);
}

/** Where the platform has got on, it waits for something else now: that is asked after soon again. */
function begunAnew(row: Due, waitsFor: string): Due {
  return row.said === shortened(waitsFor) ? row : { ...row, tries: 1 };
}

function shortened(said: string): string {
  return said.slice(0, saidCharactersMax);
}

async function wait(context: ProjectEndContext, row: Due, said: string): Promise<void> {
  const { db, provider, now } = context;
  const at = now();
  const restMs = Math.min(restMaxMs, firstRestMs * 2 ** Math.min(row.tries - 1, 20));
  const short = shortened(said);
  await db.transaction(async (tx) => {
    await tx.execute(sql`update project_end set next_at = ${new Date(at + restMs)}, said = ${short},
        tries = ${row.tries}
      where tenant_id = ${row.tenantId} and project_id = ${row.projectId}
        and site = ${provider.site}`);
    if (at - row.begunAt < alertAfterMs) return;
    const data = { project: row.projectId, site: provider.site, waits: short };
    const key = staysAlert(provider.site, row.projectId);
    await raiseAlert(tx, { key, kind: "project_stays", severity: "warning", data, at });
  });
}

async function finish(
  context: ProjectEndContext,
  row: Due,
  leftovers: Extract<ProjectEnd, { state: "gone" }>["leftovers"],
): Promise<void> {
  const { db, provider, observer, now } = context;
  const { site } = provider;
  const { tenantId, projectId } = row;
  const at = now();
  await db.transaction(async (tx) => {
    const done = await tx.execute(sql`
      update project_end set ended_at = ${new Date(at)}, said = null,
        leftovers = ${json(leftovers.slice(0, leftoversMax))}::jsonb
      where tenant_id = ${tenantId} and project_id = ${projectId} and site = ${site}
        and ended_at is null`);
    if (done === 0) return;
    await resolveAlert(tx, { key: staysAlert(site, projectId), by: "provision", at });
    if (leftovers.length === 0) return;
    const [first] = leftovers;
    const data = {
      project: projectId,
      site,
      count: leftovers.length,
      what: first?.what ?? "",
      why: (first?.why ?? "").slice(0, saidCharactersMax),
    };
    const key = `project-left:${site}:${projectId}`;
    await raiseAlert(tx, { key, kind: "project_left", severity: "warning", data, at });
  });
  observer.log.info({ site, tenantId, projectId, leftovers }, "a project is gone from a platform");
}

function staysAlert(site: string, projectId: string): string {
  return `project-stays:${site}:${projectId}`;
}
