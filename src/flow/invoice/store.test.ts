/** Statements and closed months against a real PostgreSQL, from usage to invoice. */
import { expect, test } from "vitest";
import { v7 as newId } from "uuid";

import { loadPriceBook, seedPriceProfile } from "#catalog/price-profiles.ts";
import { sql } from "#db/sql.ts";
import { rateTenant } from "#flow/rate/loop.ts";
import type { LineRange } from "#flow/rate/store.ts";
import { createTenant } from "#identity/tenants.ts";
import { addDays, dayStart, localDay, localMonth } from "#kernel/calendar.ts";
import { parseFen } from "#kernel/money.ts";
import { billingZone } from "#kernel/zone.ts";
import { testDatabase } from "#test/database.ts";

import type { Statement } from "./decide.ts";
import { invoiceLoop } from "./loop.ts";
import { listInvoices, readStatement } from "./store.ts";

const { db } = await testDatabase();
await db.transaction(seedPriceProfile);
const prices = await loadPriceBook(db);

function at(day: string, hours = 0): number {
  return dayStart(billingZone, localDay(day)) + hours * 3_600_000;
}

async function newTenant(name: string): Promise<string> {
  const { tenant } = await db.transaction((tx) => createTenant(tx, { name, now: 0 }));
  return tenant.id;
}

async function use(tenant: string, from: number, until: number): Promise<void> {
  const id = newId();
  await db.execute(sql`
    insert into usage_interval (tenant_id, id, instance_id, request_id, project_id, sku, units,
      started_at, ended_at, source_seq)
    values (${tenant}, ${id}, ${id}, ${id}, ${id}, 'gpu.A10', 1, ${new Date(from)},
      ${new Date(until)}, 1)`);
}

async function rate(tenant: string, now: number): Promise<void> {
  await rateTenant({ db, now: () => now, timeZoneOf: async () => billingZone }, tenant, prices);
}

function closeMonths(now: number): Promise<unknown> {
  return invoiceLoop({ db, now: () => now }).pass(new AbortController().signal);
}

function read(tenant: string, range: LineRange): Promise<Statement> {
  const of = { tenant: { id: tenant, name: "x" }, timeZone: billingZone, range };
  return db.tenant(tenant, (tx) => readStatement(tx, prices, of));
}

test("R-INV-1: a month is closed once its last day is posted, once, and never edited", async () => {
  const tenant = await newTenant("closing");
  await use(tenant, at("2026-05-30", 22), at("2026-06-01", 1));
  await rate(tenant, at("2026-06-03") - 1);
  await closeMonths(at("2026-06-03") - 1);
  expect(await listInvoices(db, tenant, { before: undefined, limit: 10 })).toEqual([]);
  await rate(tenant, at("2026-06-03"));
  await Promise.all([closeMonths(at("2026-06-03")), closeMonths(at("2026-06-03"))]);
  await closeMonths(at("2026-06-04"));
  const invoices = await listInvoices(db, tenant, { before: undefined, limit: 10 });
  expect(invoices).toMatchObject([
    { period: "2026-05", gross: parseFen("390.00"), net: 36_792n, vat: 2208n },
  ]);
  await expect(
    db.execute(sql`update invoice set gross = 0, net = 0, vat = 0 where tenant_id = ${tenant}`),
  ).rejects.toThrow("append-only");
});

test("R-EXP-1: statements of a month, a week and a day have the same lines", async () => {
  const tenant = await newTenant("ranges");
  await use(tenant, at("2026-06-28", 12), at("2026-07-02", 12));
  await rate(tenant, at("2026-07-03"));
  const june = await read(tenant, { kind: "billed", month: localMonth("2026-06") });
  const monday = localDay("2026-06-29");
  const week = await read(tenant, { kind: "days", from: monday, through: addDays(monday, 6) });
  const day = await read(tenant, { kind: "days", from: monday, through: monday });
  expect(june).toMatchObject({ total: "900.00", profile: "Default v1", vatRate: "0.06" });
  expect(june.lines.map(({ date, amount }) => [date, amount])).toEqual([
    ["2026-06-28", "180.00"],
    ["2026-06-29", "360.00"],
    ["2026-06-30", "360.00"],
  ]);
  expect(week).toMatchObject({ total: "1260.00", from: "2026-06-29", through: "2026-07-05" });
  expect(week.lines.slice(0, 2)).toEqual(june.lines.slice(1));
  expect(day.lines).toEqual(week.lines.slice(0, 1));
  expect(await read(tenant, { kind: "days", from: monday, through: monday })).toEqual(day);
});

test("R-LATE-1: late usage of a closed month is on the next invoice", async () => {
  const tenant = await newTenant("late");
  await use(tenant, at("2026-05-30"), at("2026-05-30", 1));
  await rate(tenant, at("2026-06-03"));
  await closeMonths(at("2026-06-03"));
  await use(tenant, at("2026-05-31"), at("2026-05-31", 2));
  await rate(tenant, at("2026-06-05"));
  const june = await read(tenant, { kind: "billed", month: localMonth("2026-06") });
  expect(june.lines).toMatchObject([{ date: "2026-05-31", amount: "30.00", state: "posted" }]);
  expect(await read(tenant, { kind: "billed", month: localMonth("2026-05") })).toMatchObject({
    total: "15.00",
  });
  await rate(tenant, at("2026-07-03"));
  await closeMonths(at("2026-07-03"));
  const invoices = await listInvoices(db, tenant, { before: undefined, limit: 10 });
  expect(invoices.map(({ period, gross }) => [period, gross])).toEqual([
    ["2026-06", 3000n],
    ["2026-05", 1500n],
  ]);
});

test("a range that is empty, turned round or endless is refused; one without usage is not", async () => {
  const tenant = await newTenant("refused");
  const from = localDay("2026-05-04");
  for (const through of [addDays(from, -1), addDays(from, 400)]) {
    // oxlint-disable-next-line no-await-in-loop -- two refusals
    await expect(read(tenant, { kind: "days", from, through })).rejects.toMatchObject({
      code: "invalid_request",
    });
  }
  expect(await read(tenant, { kind: "days", from, through: from })).toMatchObject({
    lines: [],
    total: "0.00",
    vat: "0.00",
    profile: "Default v1",
  });
});
