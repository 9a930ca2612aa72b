/** One host over the API, with what holds something of it. */
import { expect, test } from "vitest";

import { hostDetail } from "#contract/schemas/hosts.ts";
import { sql } from "#db/sql.ts";
import { testApi } from "#test/api-server.ts";
import { claimOf, holdingRows } from "#test/holding-rows.ts";

import { hostHandlers } from "./host.ts";

const api = await testApi({ handlers: hostHandlers });
const { db, operator } = api;
const { newHost, hold } = await holdingRows(db);
const { secret } = operator;

test("the operator sees who holds which GPU of a host, and what a stopped lease keeps there", async () => {
  const hostId = await newHost(null, [{ model: "A100" }, { model: "A100" }]);
  const runs = await hold({ hostId, milliCpus: 2000 });
  await db.execute(claimOf(runs, hostId, "g0", 2));
  const stopped = await hold({ hostId });
  await db.execute(sql`update placement set state = 'disk'
    where instance_id = ${stopped.instanceId}`);
  const gone = await hold({ hostId });
  await db.execute(sql`update placement set state = 'none', ended_at = now()
    where instance_id = ${gone.instanceId}`);

  const { status, body } = await api.ask("GET", `/v1/hosts/${hostId}`, { secret });
  expect(status).toBe(200);
  const { work, ...host } = hostDetail.parse(body);
  expect(host.gpus.map(({ used }) => used)).toEqual([0.5, 0]);
  expect(work).toMatchObject([
    { tenantId: runs.tenantId, holds: "full", cpus: 2, gpus: [{ deviceId: "g0", slice: 2 }] },
    { tenantId: stopped.tenantId, holds: "disk", cpus: 0, memoryMiB: 0, gpus: [] },
  ]);
});

test("an unknown host is not found", async () => {
  const { status } = await api.ask("GET", "/v1/hosts/0190c2b4-0000-7000-8000-000000000001", {
    secret,
  });
  expect(status).toBe(404);
});
