/** Invariant 8 when the operator says so: of a suspended tenant nothing runs and nothing starts. */
import { setTimeout as wait } from "node:timers/promises";

import { expect, test, vi } from "vitest";
import { z } from "zod";

import { createClient } from "#client/client.ts";
import { sql } from "#db/sql.ts";
import { ensureOperator } from "#identity/operator.ts";

import { brokenNow } from "./invariants.ts";
import { jobCloud } from "./job-cloud.ts";

const cloud = await jobCloud();
const { api, db, provider, stranger, tenantId } = cloud;
const secret = (await db.transaction((tx) => ensureOperator(tx, Date.now())))?.secret ?? "";
const operator = createClient({ baseUrl: cloud.url, credential: secret });
const actingForIt = createClient({ baseUrl: cloud.url, credential: secret, tenant: tenantId });
await cloud.start();

async function leaseIs(leaseId: string, state: string, client = api): Promise<unknown> {
  return vi.waitFor(
    async () => {
      const lease = await client.call("getLease", { params: { leaseId } });
      expect(lease.state).toBe(state);
      return lease;
    },
    { timeout: 30_000, interval: 20 },
  );
}

async function openUsage(): Promise<string[]> {
  const rows = await db.rows(
    sql`select sku from usage_interval where tenant_id = ${tenantId} and ended_at is null`,
    z.object({ sku: z.string() }),
  );
  return rows.map(({ sku }) => sku);
}

function setState(state: "active" | "suspended"): Promise<unknown> {
  return operator.call("updateTenant", { params: { tenantId }, body: { state } });
}

/** Of each lease, at the platform. */
function machines(): Record<string, string> {
  return Object.fromEntries(
    provider.platform.machines().map(({ spec, power }) => [spec.owner.resourceId, power]),
  );
}

test("suspending stops leases and cancels jobs; activating lets the customer start again", async () => {
  const body = { name: "vm", flavor: "nano" };
  const { lease } = await api.call("createLease", { body });
  const leaseId = lease.id;
  const theirs = await stranger.call("createLease", { body });
  await leaseIs(leaseId, "running");
  await leaseIs(theirs.lease.id, "running", stranger);
  const job = await cloud.submit({ script: "work", environment: { SIMULATE_SECONDS: "600" } });
  await cloud.until(job.id, "running");
  await vi.waitFor(async () => expect(await openUsage()).toHaveLength(5), { timeout: 30_000 });

  await setState("suspended");
  expect(await leaseIs(leaseId, "stopped")).toMatchObject({ reason: { code: "tenant_suspended" } });
  expect(await cloud.ended(job.id)).toMatchObject({
    state: "canceled",
    reason: { code: "tenant_suspended" },
  });
  await vi.waitFor(async () => expect(await openUsage()).toEqual(["storage"]), { timeout: 30_000 });
  // Stopped, not deleted; and nothing of anybody else.
  await vi.waitFor(
    () =>
      expect(machines()).toEqual({
        [leaseId]: "stopped",
        [theirs.lease.id]: "running",
      }),
    { timeout: 30_000 },
  );

  // Neither he nor the operator in his name starts anything.
  const params = { leaseId };
  const refused = { code: "forbidden", details: { reason: "tenant_suspended" } };
  await expect(api.call("startLease", { params })).rejects.toMatchObject(refused);
  await expect(actingForIt.call("startLease", { params })).rejects.toMatchObject(refused);
  const another = { body: { ...body, name: "another" } };
  await expect(actingForIt.call("createLease", another)).rejects.toMatchObject(refused);

  await setState("active");
  await leaseIs(leaseId, "stopped");
  await api.call("startLease", { params });
  expect(await leaseIs(leaseId, "running")).toMatchObject({ reason: null });
  const { items } = await api.call("listAudit", { query: { limit: 100 } });
  expect(items.filter(({ action }) => action.startsWith("tenant."))).toMatchObject([
    { action: "tenant.activate", actor: "operator/root", outcome: "done" },
    {
      action: "tenant.suspend",
      actor: "operator/root",
      target: tenantId,
      details: { stoppedLeases: [leaseId], canceledJobs: [job.id] },
    },
  ]);
  expect(await brokenNow(db)).toEqual([]);
});

test("what is admitted while the tenant is being suspended does not run either", async () => {
  for (let round = 0; round < 12; round += 1) {
    await setState("active");
    const asked = Array.from({ length: 4 }, async (_, index) => {
      const body = { name: `race-${round}-${index}`, flavor: "nano" };
      return api.call("createLease", { body }).catch(() => undefined);
    });
    await wait(round);
    await Promise.all([...asked, setState("suspended")]);
    const running = await db.rows(
      sql`select id from request where tenant_id = ${tenantId} and wanted = 'running'`,
      z.object({ id: z.string() }),
    );
    expect(running).toEqual([]);
  }
});
