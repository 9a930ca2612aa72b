/** A platform with a queue of its own hears what customers are as soon as they are something else. */
import { expect, test } from "vitest";

import { overrideTier } from "#customers/tier-store.ts";
import { sql } from "#db/sql.ts";
import { decorate } from "#providers/decorate.ts";
import type { Provider, ReadCall, TenantTier } from "#providers/provider.ts";
import { openSimulated } from "#providers/simulated/provider.ts";
import { testDatabase } from "#test/database.ts";
import { holdingRows } from "#test/holding-rows.ts";

import { tellTiersLoop } from "./tier-loop.ts";

const gib = 1024 ** 3;
const { db } = await testDatabase();
const { newHost, hold } = await holdingRows(db);
const hostId = await newHost(null);
const simulated = openSimulated({
  site: "s",
  hosts: [{ id: "h", cpus: 8, memoryBytes: 8 * gib, diskBytes: 9 * gib, gpus: [], labels: {} }],
});
const told: ReadonlyMap<string, TenantTier>[] = [];
const provider: Provider = decorate(
  Object.assign(simulated, {
    tellTiers: (_call: ReadCall, tiers: ReadonlyMap<string, TenantTier>) => {
      told.push(tiers);
      return Promise.resolve();
    },
  }),
);
const { signal } = new AbortController();
let clock = Date.now();
const loop = tellTiersLoop({ db, provider, now: () => clock });
const heard = async () => {
  await loop.pass(signal);
  return Object.fromEntries(told.at(-1) ?? []);
};

/** A customer with a project, who had work of that kind there. */
async function worked(kind: "job" | "lease"): Promise<string> {
  const { tenantId, instanceId } = await hold({ hostId });
  await db.execute(sql`
    insert into instance (tenant_id, id, request_id, project_id, kind, turn, site, host_id, spec,
      shape, state, state_since, created_at)
    select tenant_id, instance_id, request_id, tenant_id, ${kind}, 1, 's', host_id, '{}', '{}',
      'gone', now(), now() from placement where instance_id = ${instanceId}`);
  return tenantId;
}

test("whoever has had jobs at a site is told of by his tier, again when it changes, and by no other", async () => {
  const mine = await worked("job");
  const left = await worked("job");
  await worked("lease");
  await db.execute(sql`update project set deleted_at = ${new Date(clock)}
    where tenant_id = ${left}`);
  expect(await heard()).toEqual({ [mine]: "ordinary" });
  const by = { reason: "a pilot", approvedBy: "head of sales", createdBy: "operator" };
  const untilAt = clock + 3_600_000;
  await db.transaction((tx) =>
    overrideTier(tx, { ...by, tenantId: mine, tier: "diamond", untilAt, now: clock }),
  );
  clock += 1_000;
  expect(await heard()).toEqual({ [mine]: "diamond" });
  clock = untilAt + 1_000;
  expect(await heard()).toEqual({ [mine]: "ordinary" });
});
