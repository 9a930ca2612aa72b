/** Sums of usage are exact, in local days, and by what was asked for. */
import { expect, test } from "vitest";
import { v7 as newId } from "uuid";
import { z } from "zod";

import { seedPriceProfile } from "#catalog/price-profiles.ts";
import { usageSums } from "#contract/schemas/billing.ts";
import { sql } from "#db/sql.ts";
import { testApi } from "#test/api-server.ts";
import { lease, rent } from "#test/sim/cloud.ts";

import { getUsageSums } from "./usage-sums.ts";

const api = await testApi({ handlers: { getUsageSums } });
const { db, customer } = api;
await db.transaction(seedPriceProfile);
const tenantId = customer.tenant.id;
const { id: projectId, name: projectName } = await db.one(
  sql`select id, name from project where tenant_id = ${tenantId} limit 1`,
  z.object({ id: z.string(), name: z.string() }),
);
const leaseId = await rent(db, lease({ tenantId, projectId }));
const { name: leaseName, created_by: userId } = await db.one(
  sql`select name, created_by from request where id = ${leaseId}`,
  z.object({ name: z.string(), created_by: z.string() }),
);

async function used(of: {
  readonly from: string;
  readonly until: string | null;
  readonly units: number;
  readonly slice?: number;
  readonly billable?: boolean;
}): Promise<void> {
  await db.execute(sql`
    insert into usage_interval (tenant_id, id, instance_id, request_id, project_id, sku, units, slice,
      started_at, ended_at, billable, source_seq, work, plan, cut_next_at)
    values (${tenantId}, ${newId()}, ${newId()}, ${leaseId}, ${projectId}, 'gpu.A100', ${of.units},
      ${of.slice ?? 1}, ${of.from}::timestamptz, ${of.until}::timestamptz, ${of.billable ?? true}, 1,
      'lease', 'on_demand', '2030-01-01T00:00:00Z')`);
}

// The tenant's days begin at 16:00 UTC; it is 10:00 UTC of the 4th.
await used({ from: "2026-05-01T15:00:00Z", until: "2026-05-01T18:00:00Z", units: 2 });
await used({ from: "2026-05-02T00:00:00Z", until: "2026-05-02T01:00:00Z", units: 1, slice: 4 });
await used({ from: "2026-05-04T09:00:00Z", until: null, units: 1 });
await used({
  from: "2026-05-02T00:00:00Z",
  until: "2026-05-02T09:00:00Z",
  units: 1,
  billable: false,
});

async function sums(query: string): Promise<z.output<typeof usageSums>> {
  const { status, body } = await api.ask("GET", `/v1/usage/sums?${query}`, {
    secret: customer.administrator.secret,
  });
  expect(status).toBe(200);
  return usageSums.parse(body);
}

test("usage is split at local midnights, slices add up, and what goes on counts to now", async () => {
  const { buckets, items, isCut } = await sums("from=2026-05-01&through=2026-05-05");
  expect(buckets).toEqual(["2026-05-01", "2026-05-02", "2026-05-03", "2026-05-04", "2026-05-05"]);
  expect(items.map(({ bucket, unitSeconds }) => [bucket, unitSeconds])).toEqual([
    ["2026-05-01", "7200"],
    ["2026-05-02", "15300"],
    ["2026-05-04", "3600"],
  ]);
  expect(items[1]).toMatchObject({ sku: "gpu.A100", quantity: "4.250000", unit: "GPU-hour" });
  expect(isCut).toBe(false);
});

test.each([
  ["project", projectId, projectName],
  ["resource", leaseId, leaseName],
  ["user", userId, null],
])("by %s, with its name where it has one", async (by, group, name) => {
  const { items } = await sums(`month=2026-05&bucket=month&by=${by}`);
  expect(items).toMatchObject([{ group, name, unitSeconds: "26100" }]);
});

test("by week, the first one shorter; another SKU has none; too many stretches are refused", async () => {
  const { buckets } = await sums("from=2026-05-01&through=2026-05-12&bucket=week");
  expect(buckets).toEqual(["2026-05-01", "2026-05-04", "2026-05-11"]);
  expect((await sums("month=2026-05&sku=gpu.T4")).items).toEqual([]);
  const { status } = await api.ask("GET", "/v1/usage/sums?from=2020-01-01&through=2026-05-01", {
    secret: customer.administrator.secret,
  });
  expect(status).toBe(400);
});

test("what other meters sent in counts, less what was taken back; once, where both are known", async () => {
  const [interval] = await db.rows(
    sql`select id from usage_interval where tenant_id = ${tenantId} limit 1`,
    z.object({ id: z.string() }),
  );
  await event({ id: "sent", interval: newId() });
  await event({ id: "wrong", interval: newId() });
  await event({ id: "back", interval: newId(), retracts: "wrong" });
  await event({ id: "own", interval: interval?.id ?? "" });
  const { items } = await sums("from=2026-04-20&through=2026-04-21");
  expect(items).toMatchObject([{ bucket: "2026-04-20", unitSeconds: "3600" }]);
});

async function event(of: {
  readonly id: string;
  readonly interval: string;
  readonly retracts?: string;
}): Promise<void> {
  await db.execute(sql`
    insert into usage_event (source, id, received_at, tenant_id, kind, retracts, work, plan, sku, units,
      slice, used_from, used_until, day, billable, counted, interval_id, instance_id, request_id,
      project_id, event_at, salt, leaf_hash)
    values ('meter', ${of.id}, now(), ${tenantId}, ${of.retracts === undefined ? "recorded" : "retracted"},
      ${of.retracts ?? null}, 'lease', 'on_demand', 'gpu.A100', 1, 1, '2026-04-20T01:00:00Z',
      '2026-04-20T02:00:00Z', '2026-04-20', true, true, ${of.interval}, ${newId()}, ${newId()},
      ${projectId}, '2026-04-20T02:00:00Z', ${Buffer.alloc(16)}, ${Buffer.alloc(32)})`);
}
