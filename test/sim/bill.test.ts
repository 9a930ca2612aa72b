/**
 * A bill can be rebuilt, and money balances: the same usage and prices give the same bytes, rated
 * pass after pass by a worker that was killed now and then, or once at the end on another machine.
 */
import { expect, test } from "vitest";
import { z } from "zod";

import { loadPriceBook, seedPriceProfile } from "#catalog/price-profiles.ts";
import { json } from "#db/json.ts";
import { openDb, type Db } from "#db/pool.ts";
import { sql } from "#db/sql.ts";
import { readStatement } from "#flow/invoice/statements.ts";
import { checkLedger } from "#flow/ledger/check.ts";
import { recordTopUp } from "#flow/ledger/store.ts";
import { cutDue } from "#flow/meter/cut-loop.ts";
import { meterInstance } from "#flow/meter/loop.ts";
import { checkUsageDays } from "#flow/meter/usage-days.ts";
import { rateTenant } from "#flow/rate/loop.ts";
import { dayStart, localDay } from "#kernel/calendar.ts";
import { fen } from "#kernel/money.ts";
import { billingZone } from "#kernel/zone.ts";
import { createObserver } from "#observe/observer.ts";
import { emptyDatabase } from "#test/database.ts";

import { wrongEvents } from "./invariants.ts";
import { lease, rent, shape, type TestTenant } from "./cloud.ts";
import { randomFrom, seeds, type Random } from "./random.ts";

const hour = 3_600_000;
const begin = dayStart(billingZone, localDay("2026-05-01"));
const end = begin + 9 * 24 * hour;
const rowsOf = z.object({ rows: z.array(z.record(z.string(), z.unknown())) });

async function cloud(): Promise<Db> {
  const url = await emptyDatabase({ template: "millrace_template" });
  const observer = createObserver({ level: "silent" });
  const db = openDb({ url, connectionsMax: 4, observer, applicationName: "bill" });
  await db.transaction(async (tx) => {
    await seedPriceProfile(tx);
    await tx.execute(sql`
      insert into site (name, kind, version, execution, execution_reason, capabilities, reachable)
      values ('s', 'simulated', '1', 'simulated', '', '{}', true)`);
  });
  return db;
}

async function customer(db: Db, tenant: TestTenant): Promise<void> {
  await db.execute(sql`
    insert into tenant (id, kind, name, display_name, time_zone, created_at)
    values (${tenant.tenantId}, 'customer', 'acme', 'Acme', 'Asia/Shanghai', now())`);
  await db.execute(sql`
    insert into project (tenant_id, id, name, created_at)
    values (${tenant.tenantId}, ${tenant.projectId}, 'default', now())`);
  await db.tenant(tenant.tenantId, (tx) =>
    recordTopUp(tx, tenant.tenantId, { reference: "first", amount: fen(10_000_000n), at: begin }),
  );
}

const zone = (): Promise<typeof billingZone> => Promise.resolve(billingZone);

async function rate(db: Db, tenantId: string, at: number): Promise<void> {
  const prices = await loadPriceBook(db);
  await rateTenant({ db, now: () => at, timeZoneOf: zone }, tenantId, prices);
}

async function statement(db: Db, tenantId: string): Promise<string> {
  const bill = await readStatement(db, await loadPriceBook(db), {
    tenant: { id: tenantId, name: "Acme" },
    timeZone: billingZone,
    range: { kind: "days", from: localDay("2026-04-30"), through: localDay("2026-05-31") },
  });
  return JSON.stringify(bill, (_, value: unknown) =>
    typeof value === "bigint" ? `${value}` : value,
  );
}

/** A life of one instance as the reconciler writes it, metered in pieces as it goes. */
async function live(db: Db, tenant: TestTenant, random: Random): Promise<void> {
  const { tenantId, projectId } = tenant;
  const vcpus = 1 + random.below(4);
  const gpu = random.chance(0.3)
    ? { model: "T4", count: 1, slice: random.pick([1, 4]), nvlink: false }
    : null;
  const of = shape({ vcpus, memoryMiB: 256 * (1 + random.below(20)), gpu });
  const requestId = await rent(db, lease(tenant, { name: `vm-${random.below(1e9)}`, shape: of }));
  const { id: instanceId } = await db.one(
    sql`with host_of as (
        insert into host (id, cluster_id, site, native_id, name, state, cpus, memory_bytes,
          disk_bytes, huge_pages, labels)
        select gen_random_uuid(), c.id, 's', gen_random_uuid(), 'h', 'up', 1, 1, 1, '{}', '{}'
        from cluster c limit 1 returning id)
      insert into instance (tenant_id, id, request_id, project_id, kind, turn, site, host_id, spec,
        shape, state, state_since, created_at)
      select ${tenantId}, gen_random_uuid(), ${requestId}, ${projectId}, 'lease', 1, 's', h.id, '{}',
        ${json(of)}, 'running', now(), now() from host_of h returning id`,
    z.object({ id: z.string() }),
  );
  const instance = { tenantId, instanceId, requestId, projectId, kind: "lease" } as const;
  let [seq, at, ready] = [0, begin + random.below(3 * 24 * hour), false];
  const meter = { db, now: () => at };
  const tell = async (kind: string): Promise<void> => {
    seq += 1;
    await db.execute(sql`
      insert into transition (tenant_id, instance_id, seq, at, kind, shape, evidence)
      values (${tenantId}, ${instanceId}, ${seq}, ${new Date(at)}, ${kind}, ${json(of)}, '{}')`);
    // By two meters at once, now and then.
    if (random.chance(0.5)) await Promise.all([1, 2].map(() => meterInstance(meter, instance)));
    // Midnights are cut as they pass, or much later; now and then before the last end was seen.
    if (random.chance(0.7))
      await Promise.all([1, 2].map(() => cutDue(db, at + random.below(hour))));
  };
  await tell("created");
  for (let turns = 0; turns < 10 && at < end - 24 * hour; turns += 1) {
    at += random.below(18 * hour);
    ready = !ready;
    await tell(ready ? "ready" : "stopped");
  }
  if (ready) await tell("stopped");
  await tell("deleted");
  await meterInstance(meter, instance);
}

test.each(seeds(3))(
  "a bill can be rebuilt to the byte, seed %i",
  { timeout: 60_000 },
  async (seed) => {
    const random = randomFrom(seed);
    const [here, elsewhere] = [await cloud(), await cloud()];
    try {
      const tenant = { tenantId: crypto.randomUUID(), projectId: crypto.randomUUID() };
      await customer(here, tenant);
      await customer(elsewhere, tenant);
      await here.execute(sql`
      with z as (insert into zone (id, name) values (gen_random_uuid(), 'z') returning id),
        p as (insert into pod (id, zone_id, name) select gen_random_uuid(), id, 'p' from z returning id)
      insert into cluster (id, pod_id, name, site) select gen_random_uuid(), id, 'c', 's' from p`);
      for (let count = 0; count < 4; count += 1) await live(here, tenant, random);
      // Here: while it is used, at odd moments, some of them twice and two at once.
      for (let at = begin; at < end; at += 1 + random.below(30 * hour)) {
        await Promise.all([1, 2].map(() => rate(here, tenant.tenantId, at)));
      }
      await rate(here, tenant.tenantId, end + 72 * hour);
      expect(await checkUsageDays(here)).toEqual([]);
      expect(await wrongEvents(here)).toEqual([]);
      // Elsewhere: from the events alone, in another order, all at once.
      const { rows } = await here.one(
        sql`select jsonb_agg(to_jsonb(u) order by md5(id)) as rows from usage_event u`,
        rowsOf,
      );
      await elsewhere.execute(sql`
        insert into usage_account (tenant_id, time_zone, changes)
        values (${tenant.tenantId}, ${billingZone}, 1)`);
      await elsewhere.execute(sql`
        insert into usage_event
        select * from jsonb_populate_recordset(null::usage_event, ${json(rows)}::jsonb)`);
      await elsewhere.execute(sql`
        insert into usage_day
        select tenant_id, day, sku, slice, plan, work,
          sum(units::numeric * extract(epoch from used_until - used_from)
            * case kind when 'recorded' then 1 else -1 end)
        from usage_event where billable group by 1, 2, 3, 4, 5, 6`);
      await rate(elsewhere, tenant.tenantId, end + 72 * hour);
      const bill = await statement(here, tenant.tenantId);
      expect(await statement(elsewhere, tenant.tenantId)).toBe(bill);
      expect(bill).toContain('"state":"posted"');
      expect(await statement(here, tenant.tenantId)).toBe(bill);
      for (const db of [here, elsewhere]) expect(await checkLedger(db)).toEqual([]);
      const balance = sql`select balance::text from account where kind = 'wallet'
      and tenant_id = ${tenant.tenantId}`;
      const text = z.object({ balance: z.string() });
      const held = await here.one(
        sql`select coalesce(sum(balance), 0)::text as balance from account
          where kind = 'held' and tenant_id = ${tenant.tenantId}`,
        text,
      );
      expect(held.balance).toBe("0");
      expect(await elsewhere.one(balance, text)).toEqual(await here.one(balance, text));
    } finally {
      await here.close();
      await elsewhere.close();
    }
  },
);
