import { mkdtempSync, rmSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { v7 as uuid } from "uuid";
import { afterAll, expect, test } from "vitest";

import { sql } from "#db/sql.ts";
import { openExchange } from "#providers/kubevirt/exchange/exchange.ts";
import { keptMs } from "#providers/kubevirt/exchange/sweep.ts";
import { testDatabase } from "#test/database.ts";
import { holdingRows } from "#test/holding-rows.ts";

import { exchangeLoop } from "./exchange-loop.ts";

const { db, observer } = await testDatabase();
const folder = mkdtempSync(join(tmpdir(), "millrace-exchange-loop-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const exchange = await openExchange(folder);

async function attemptOf(machineId: string): Promise<string> {
  const attemptId = uuid();
  await exchange.open({
    attemptId,
    tokenSha256: "0".repeat(64),
    logBytesMax: 1,
    resultsBytesMax: 1,
    members: [{ name: "0", machineId }],
  });
  return attemptId;
}

test("an old attempt goes once its machine is gone, or none of ours", async () => {
  const { newHost, hold } = await holdingRows(db);
  const { instanceId } = await hold({ hostId: await newHost(null) });
  await db.execute(sql`
    insert into instance (tenant_id, id, request_id, project_id, kind, turn, site, host_id, spec,
      shape, state, state_since, created_at)
    select tenant_id, instance_id, request_id, tenant_id, 'job', 1, 's', host_id, '{}', '{}',
      'deleting', now(), now() from placement where instance_id = ${instanceId}`);
  const [kept, lost] = [await attemptOf(instanceId), await attemptOf(uuid())];
  let now = Date.now();
  const loop = exchangeLoop({ db, exchange, observer, now: () => now });
  const pass = () => loop.pass(new AbortController().signal);

  expect(await pass()).toBe("rest");
  expect((await readdir(exchange.places.attempts)).toSorted()).toEqual([kept, lost].toSorted());
  now += keptMs + 60_000;
  expect(await pass()).toBe("rest");
  expect(await readdir(exchange.places.attempts)).toEqual([kept]);
  await db.execute(sql`update instance set state = 'gone' where id = ${instanceId}`);
  expect(await pass()).toBe("rest");
  expect(await readdir(exchange.places.attempts)).toEqual([]);
});
