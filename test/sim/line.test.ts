import { expect, test, vi } from "vitest";
import { z } from "zod";

import { sql } from "#db/sql.ts";
import { askRelease, askStart, askStop } from "#flow/admit/lease.ts";
import { openSimulated } from "#providers/simulated/provider.ts";

import { testDatabase } from "#test/database.ts";
import { addTenant, endlessCredit, lease, rent, startStages, stateOf } from "./cloud.ts";

const { db, observer } = await testDatabase();
const gib = 2 ** 30;
const provider = openSimulated({
  site: "simulated",
  hosts: [{ id: "h1", cpus: 4, memoryBytes: 16 * gib, diskBytes: 100 * gib, gpus: [], labels: {} }],
  latencies: { createMs: 5, bootMs: 5 },
});
startStages({ db, observer, provider });

test("a lease goes through the stages: placed, made, metered, stopped, started, released", async () => {
  const tenant = await addTenant(db, "acme");
  const id = await rent(db, lease(tenant));
  const becomes = (state: string): Promise<void> =>
    vi.waitFor(async () => expect(await stateOf(db, id)).toMatchObject({ state }), {
      timeout: 30_000,
      interval: 20,
    });
  await becomes("running");

  const key = { tenantId: tenant.tenantId, leaseId: id };
  await db.tenant(tenant.tenantId, (tx) =>
    askStop(tx, { ...key, at: Date.now(), graceSeconds: 1 }),
  );
  await becomes("stopped");
  await db.tenant(tenant.tenantId, (tx) => askStart(tx, endlessCredit, { ...key, at: Date.now() }));
  await becomes("running");
  await db.tenant(tenant.tenantId, (tx) => askRelease(tx, { ...key, at: Date.now() }));
  await becomes("gone");
  await vi.waitFor(
    async () => {
      const rows = await db.rows(
        sql`select sku, count(*)::int as count, count(ended_at)::int as closed
          from usage_interval where request_id = ${id} group by sku order by sku`,
        z.object({ sku: z.string(), count: z.int(), closed: z.int() }),
      );
      expect(rows).toEqual([
        { sku: "cpu.core", count: 2, closed: 2 },
        { sku: "mem.gib", count: 2, closed: 2 },
        { sku: "storage", count: 1, closed: 1 },
      ]);
    },
    { timeout: 30_000 },
  );
});
