/** How the meter finds what it has to do, and what that costs. */
import { expect, test } from "vitest";
import { z } from "zod";

import { recordHosts, recordSite } from "#catalog/sites.ts";
import { json } from "#db/json.ts";
import { sql } from "#db/sql.ts";
import { instancesBehind, lockCursor, moveCursor } from "#flow/meter/store.ts";
import { openSimulated } from "#providers/simulated/provider.ts";
import { testDatabase } from "#test/database.ts";

import { addTenant, lease, rent, shape } from "./cloud.ts";
import { simulatedHosts } from "./simulated-hosts.ts";

const { db } = await testDatabase();
const tenant = await addTenant(db, "customer");
const provider = openSimulated({ site: "s", hosts: simulatedHosts });
const { signal } = new AbortController();
await db.transaction(async (tx) => {
  await recordSite(tx, await provider.info({ signal }), 0);
  await recordHosts(tx, { site: "s", listing: await provider.hosts({ signal }), at: 0 });
});
const instancesMax = 20_000;

test("the look costs what is behind, not what there is", { timeout: 60_000 }, async () => {
  const requestId = await rent(db, lease(tenant));
  await manyInstances(requestId);
  expect(await instancesBehind(db, 100)).toEqual([]);
  expect(await pagesRead()).toBeLessThan(10);

  const some = await db.rows(
    sql`select id from instance order by id limit 3`,
    z.object({ id: z.string() }),
  );
  for (const { id } of some) await addTransition(id, 2);
  const found = await instancesBehind(db, 100);
  expect(found.map(({ instanceId }) => instanceId)).toEqual(some.map(({ id }) => id));
  expect(await instancesBehind(db, 2)).toHaveLength(2);
  expect(await pagesRead()).toBeLessThan(40);

  // One that got another transition while it was metered is behind again.
  const [first] = found;
  if (first === undefined) throw new Error("one is behind");
  await db.transaction(async (tx) => {
    await lockCursor(tx, first);
    await moveCursor(tx, first, 2);
  });
  expect(await instancesBehind(db, 100)).toHaveLength(2);
  await addTransition(first.instanceId, 3);
  expect(await instancesBehind(db, 100)).toHaveLength(3);
});

async function manyInstances(requestId: string): Promise<void> {
  await db.execute(sql`
    insert into instance (tenant_id, id, request_id, project_id, kind, turn, site, host_id, spec,
      shape, state, state_since, created_at, metering)
    select ${tenant.tenantId}, gen_random_uuid(), ${requestId}, ${tenant.projectId}, 'lease', 1, 's',
      (select id from host limit 1), '{}', '{}', 'gone', now(), now(), '{"seq": 1}'
    from generate_series(1, ${instancesMax})`);
  await db.execute(sql`
    insert into transition (tenant_id, instance_id, seq, at, kind, shape, evidence)
    select tenant_id, id, 1, now(), 'created', ${json(shape())}, '{}' from instance`);
  await db.execute(sql`update meter_cursor set metered_seq = 1`);
  await db.execute(sql`vacuum analyze meter_cursor, instance`);
}

async function addTransition(instanceId: string, seq: number): Promise<void> {
  await db.execute(sql`
    insert into transition (tenant_id, instance_id, seq, at, kind, shape, evidence)
    values (${tenant.tenantId}, ${instanceId}, ${seq}, now(), 'ready', ${json(shape())}, '{}')`);
}

const planRow = z.object({
  "QUERY PLAN": z
    .array(
      z.object({
        Plan: z.object({ "Shared Hit Blocks": z.int(), "Shared Read Blocks": z.int() }),
        "Execution Time": z.number(),
      }),
    )
    .length(1),
});

/** Of the very statement that the meter sends. */
async function pagesRead(): Promise<number> {
  const asked: string[] = [];
  await instancesBehind(
    {
      ...db,
      rows: (statement, row) => {
        asked.push(statement.text);
        return db.rows(statement, row);
      },
    },
    100,
  );
  const [text = ""] = asked;
  const { rows } = await db.pool.query(`explain (analyze, buffers, format json) ${text}`, [100]);
  const [plan] = planRow.parse(rows[0])["QUERY PLAN"];
  const blocks = plan?.Plan;
  if (process.env["SIM_LOG"] !== undefined) process.stdout.write(`${JSON.stringify(plan)}\n`);
  return (blocks?.["Shared Hit Blocks"] ?? 0) + (blocks?.["Shared Read Blocks"] ?? 0);
}
