/**
 * Ten thousand requests that nobody has analyzed, as in the first minute of an installation: what a
 * pass and a commit read must be read by key whatever the planner believes.
 */
import { beforeAll, expect, test } from "vitest";
import { z } from "zod";

import { sql, type Sql } from "#db/sql.ts";
import { waitingStatement } from "#flow/queue/store.ts";
import { testDatabase } from "#test/database.ts";
import { addOwner, ask } from "#test/waiting.ts";

import { wantedStatement } from "./commit.ts";
import { placeLoop } from "./loop.ts";

const { db } = await testDatabase();
const requests = 10_000;
const batch = 500;

beforeAll(async () => {
  // Nobody analyzes meanwhile.
  for (const table of [sql`request`, sql`queue_entry`]) {
    // oxlint-disable-next-line no-await-in-loop -- two
    await db.execute(sql`alter table ${table} set (autovacuum_enabled = false)`);
  }
  const owner = await addOwner(db);
  await ask(db, owner, { at: 0 });
  await db.execute(sql`
    insert into request (tenant_id, id, project_id, kind, name, created_by, shape, image,
      login_user, ssh_keys, restart, price, priority, workload, wanted, created_at, changed_at)
    select tenant_id, gen_random_uuid(), project_id, kind, name || n, created_by, shape, image,
      login_user, ssh_keys, restart, price, priority, workload, wanted, created_at, changed_at
    from request, generate_series(2, ${requests}) n`);
  await db.execute(sql`
    insert into queue_entry (tenant_id, request_id, turn, priority, lane, enqueued_at, asked_at)
    select tenant_id, id, turn, priority, 1, created_at, created_at from request
    on conflict do nothing`);
});

const node = z.object({
  "Node Type": z.string(),
  "Relation Name": z.string().optional(),
  "Index Name": z.string().optional(),
  "Actual Rows": z.number(),
  "Actual Loops": z.number(),
  "Rows Removed by Filter": z.number().optional(),
  get Plans() {
    return z.array(node).optional();
  },
});
type Node = z.output<typeof node>;

/** How many rows of the table were looked at. */
function looked(plan: Node, table: string): number {
  const own =
    plan["Relation Name"] === table
      ? (plan["Actual Rows"] + (plan["Rows Removed by Filter"] ?? 0)) * plan["Actual Loops"]
      : 0;
  return (plan.Plans ?? []).reduce((sum, each) => sum + looked(each, table), own);
}

async function explain(statement: Sql): Promise<Node> {
  const row = z.object({ "QUERY PLAN": z.array(z.object({ Plan: node })) });
  const said = await db.one(sql`explain (analyze, format json) ${statement}`, row);
  const [first] = said["QUERY PLAN"];
  if (first === undefined) throw new Error("no plan");
  return first.Plan;
}

async function statisticsOf(table: string): Promise<number> {
  const { known } = await db.one(
    sql`select reltuples as known from pg_class where oid = ${table}::regclass`,
    z.object({ known: z.number() }),
  );
  return known;
}

test("a commit locks its requests by their keys, and a pass reads each that waits once", async () => {
  expect(await statisticsOf("request")).toBe(-1);
  const some = await db.rows(
    sql`select tenant_id as "tenantId", id as "requestId", turn from request limit ${batch}`,
    z.object({ tenantId: z.string(), requestId: z.string(), turn: z.int() }),
  );
  expect(looked(await explain(wantedStatement(some)), "request")).toBe(batch);
  const read = await explain(waitingStatement(sql`q.enqueued_at, q.request_id limit ${requests}`));
  expect(looked(read, "request")).toBe(requests);
});

test("the first pass over tables without statistics has them analyzed, once", async () => {
  const loop = placeLoop({ db, now: () => 0 });
  await loop.pass(new AbortController().signal);
  expect(await statisticsOf("request")).toBe(requests);
  expect(await statisticsOf("queue_entry")).toBe(requests);
  // There is nothing in it, and nothing to know.
  expect(await statisticsOf("gpu_claim")).toBe(-1);
});
