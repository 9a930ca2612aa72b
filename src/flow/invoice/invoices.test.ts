/** Statements and closed months against a real PostgreSQL, from usage to invoice. */
import { expect, test } from "vitest";
import { v7 as newId } from "uuid";

import { loadPriceBook, seedPriceProfile } from "#catalog/price-profiles.ts";
import { sql } from "#db/sql.ts";
import { credit } from "#flow/ledger/accounts.ts";
import { recordTopUp } from "#flow/ledger/store.ts";
import { cutDue } from "#flow/meter/cut-loop.ts";
import { latestCheckpoint, logSize, saveCheckpoint } from "#flow/meter/log-store.ts";
import { sequence } from "#flow/meter/sequencer.ts";
import { rateTenant } from "#flow/rate/loop.ts";
import type { LineRange } from "#flow/rate/charge-lines.ts";
import { createTenant } from "#identity/tenants.ts";
import { present } from "#kernel/assert.ts";
import { addDays, dayStart, localDay, localMonth } from "#kernel/calendar.ts";
import { parseFen } from "#kernel/money.ts";
import { billingZone } from "#kernel/zone.ts";
import { notices } from "#notices/store.ts";
import { insertItem } from "#orders/items.ts";
import { testDatabase } from "#test/database.ts";

import type { Statement } from "./decide.ts";
import { invoiceLoop } from "./loop.ts";
import { documentOf, findInvoice, invoiceDocument, listInvoices } from "./invoices.ts";
import { readStatement } from "./statements.ts";
import { voidInvoice } from "./void.ts";

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
  while (await cutDue(db, now));
  await sequence(db);
  await sign(await logSize(db), now);
  await rateTenant({ db, now: () => now, timeZoneOf: async () => billingZone }, tenant, prices);
}

/** So many entries of the log. */
function sign(size: number, now: number): Promise<unknown> {
  const closesDay = undefined;
  return db.transaction(async (tx) => {
    if ((await latestCheckpoint(tx))?.size === size || size === 0) return;
    await saveCheckpoint(tx, {
      size,
      root: Buffer.alloc(32, 1),
      note: "note",
      signedAt: now,
      closesDay,
    });
  });
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
  expect(await listInvoices(db, tenant, { after: undefined, limit: 10 })).toEqual([]);
  await rate(tenant, at("2026-06-03"));
  await Promise.all([closeMonths(at("2026-06-03")), closeMonths(at("2026-06-03"))]);
  await closeMonths(at("2026-06-04"));
  const invoices = await listInvoices(db, tenant, { after: undefined, limit: 10 });
  expect(invoices).toMatchObject([
    { period: "2026-05", gross: parseFen("390.00"), net: 36_792n, vat: 2208n },
  ]);
  await expect(
    db.execute(sql`update invoice set gross = 0, net = 0, vat = 0 where tenant_id = ${tenant}`),
  ).rejects.toThrow("append-only");
});

test("R-LOG-1: no month is closed before the log has the events that its lines rest on", async () => {
  const tenant = await newTenant("hasty");
  await use(tenant, at("2026-05-10", 1), at("2026-05-10", 2));
  const now = at("2026-06-03");
  while (await cutDue(db, now));
  await rateTenant({ db, now: () => now, timeZoneOf: async () => billingZone }, tenant, prices);
  await closeMonths(now);
  const closed = () => listInvoices(db, tenant, { after: undefined, limit: 9 });
  expect(await closed()).toEqual([]);
  await sequence(db);
  await sign(await logSize(db), now);
  await closeMonths(now);
  const [invoice] = await closed();
  const document = await invoiceDocument(db, tenant, present(invoice, "the invoice").id);
  expect(document).toMatchObject({ lines: [{ leaves: { count: 1 } }] });
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
  const invoices = await listInvoices(db, tenant, { after: undefined, limit: 10 });
  expect(invoices.map(({ period, gross }) => [period, gross])).toEqual([
    ["2026-06", 3000n],
    ["2026-05", 1500n],
  ]);
});

test("R-INV-1: an invoice is paid from the oldest debt on, overdue after its day, told once", async () => {
  const tenant = await newTenant("owing");
  await use(tenant, at("2026-05-30"), at("2026-05-30", 2));
  await rate(tenant, at("2026-06-03"));
  await use(tenant, at("2026-06-10"), at("2026-06-10", 1));
  await closeMonths(at("2026-06-03"));
  const state = async () => {
    const found = await listInvoices(db, tenant, { after: undefined, limit: 10 });
    return found.map(({ period, state: is, outstanding }) => [period, is, outstanding]);
  };
  expect(await state()).toEqual([["2026-05", "final", 3000n]]);
  const pay = (amount: string, now: number) =>
    db.tenant(tenant, (tx) =>
      recordTopUp(tx, tenant, { reference: `${now}`, amount: parseFen(amount), at: now }),
    );
  await pay("10.00", at("2026-06-05"));
  await rate(tenant, at("2026-07-03"));
  await closeMonths(at("2026-06-18", 23));
  expect(await state()).toEqual([
    ["2026-06", "final", 1500n],
    ["2026-05", "final", 2000n],
  ]);
  for (const now of [at("2026-06-19"), at("2026-06-20")]) {
    // oxlint-disable-next-line no-await-in-loop -- twice
    await closeMonths(now);
  }
  expect((await state())[1]).toEqual(["2026-05", "overdue", 2000n]);
  const told = await db.tenant(tenant, (tx) => notices(tx, tenant, { after: undefined, limit: 9 }));
  expect(told.map(({ kind, data }) => [kind, data["amount"]])).toEqual([
    ["invoice_overdue", "20.00"],
  ]);
  await pay("30.00", at("2026-07-04"));
  await closeMonths(at("2026-07-04"));
  expect(await state()).toEqual([
    ["2026-06", "overdue", 500n],
    ["2026-05", "paid", 0n],
  ]);
  await pay("5.00", at("2026-07-05"));
  await closeMonths(at("2026-07-05"));
  expect((await state())[0]).toEqual(["2026-06", "paid", 0n]);
});

test("an invoice is void only with its credit note, once, and its money comes back", async () => {
  const tenant = await newTenant("void");
  await use(tenant, at("2026-05-30"), at("2026-05-30", 2));
  await rate(tenant, at("2026-06-03"));
  await closeMonths(at("2026-06-03"));
  const [invoice] = await listInvoices(db, tenant, { after: undefined, limit: 10 });
  const number = invoice?.number ?? "";
  const ask = { tenantId: tenant, invoice: number, reason: "wrong machine", now: at("2026-06-04") };
  const back = () => db.tenant(tenant, (tx) => voidInvoice(tx, ask));
  const ended = await Promise.all([back(), back()]);
  expect(ended.map(({ state }) => state)).toContain("void");
  expect(await credit(db, tenant)).toMatchObject({ owed: 0n, balance: 0n });
  const all = await listInvoices(db, tenant, { after: undefined, limit: 10 });
  expect(all.map(({ kind, gross, state }) => [kind, gross, state])).toEqual([
    ["credit_note", -3000n, null],
    ["monthly", 3000n, "void"],
  ]);
  const note = { ...ask, invoice: all[0]?.number ?? "" };
  await expect(db.tenant(tenant, (tx) => voidInvoice(tx, note))).rejects.toMatchObject({
    code: "wrong_state",
  });
  await expect(
    db.tenant(tenant, (tx) => voidInvoice(tx, { ...ask, invoice: "MR-1" })),
  ).rejects.toMatchObject({ code: "not_found" });
});

test("an invoice's document is the statement, and its hash is that of its canonical bytes", async () => {
  const tenant = await newTenant("hashed");
  await use(tenant, at("2026-05-30"), at("2026-05-30", 2));
  await rate(tenant, at("2026-06-03"));
  await closeMonths(at("2026-06-03"));
  const [invoice] = await listInvoices(db, tenant, { after: undefined, limit: 10 });
  const { id, number, sha256 } = present(invoice, "the invoice");
  const document = await invoiceDocument(db, tenant, id);
  expect(documentOf(document).sha256).toBe(sha256);
  const again = await read(tenant, { kind: "billed", month: localMonth("2026-05") });
  expect(document).toEqual({ ...again, tenant: { id: tenant, name: "hashed" } });
  expect(await findInvoice(db, tenant, number)).toEqual(invoice);
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

test("what was ordered is on the bill of its month, also of somebody who used nothing; a package is not", async () => {
  const tenant = await newTenant("orders");
  const booked = { tenantId: tenant, zone: billingZone, at: at("2026-05-20", 9) };
  const item = {
    id: newId(),
    kind: "service",
    sku: "support_24x7",
    subjectId: newId(),
    data: { service: "24x7" },
    listPrice: parseFen("3000.00"),
    discounts: [],
    amount: parseFen("3000.00"),
    journalKey: null,
    service: undefined,
  } as const;
  await db.tenant(tenant, async (tx) => {
    await insertItem(tx, booked, { ...item, isPrepayment: false });
    await insertItem(tx, booked, { ...item, id: newId(), kind: "package", isPrepayment: true });
  });
  const may = await read(tenant, { kind: "billed", month: localMonth("2026-05") });
  expect(may).toMatchObject({ total: "3000.00", lines: [{ kind: "order", date: "2026-05-20" }] });
  const day = localDay("2026-05-20");
  const [on, before] = [
    await read(tenant, { kind: "days", from: day, through: day }),
    await read(tenant, { kind: "days", from: addDays(day, -2), through: addDays(day, -1) }),
  ];
  expect([on.total, before.total]).toEqual(["3000.00", "0.00"]);
  await closeMonths(at("2026-06-03") - 1);
  expect(await listInvoices(db, tenant, { after: undefined, limit: 9 })).toEqual([]);
  await closeMonths(at("2026-06-03"));
  expect(await listInvoices(db, tenant, { after: undefined, limit: 9 })).toMatchObject([
    { period: "2026-05", gross: 300_000n },
  ]);
});

test("R-LOG-1: no month is closed before the entries that its lines rest on are signed", async () => {
  const tenant = await newTenant("unsigned");
  const now = at("2026-06-03");
  await use(tenant, at("2026-05-10", 1), at("2026-05-10", 2));
  while (await cutDue(db, now));
  await sequence(db);
  await rateTenant({ db, now: () => now, timeZoneOf: async () => billingZone }, tenant, prices);
  const size = await logSize(db);
  await sign(size - 1, now);
  await closeMonths(now);
  const closed = () => listInvoices(db, tenant, { after: undefined, limit: 9 });
  expect(await closed()).toEqual([]);
  await sign(size, now);
  await closeMonths(at("2026-06-03"));
  const [invoice] = await closed();
  const document = await invoiceDocument(db, tenant, present(invoice, "the invoice").id);
  expect(document).toMatchObject({ checkpoint: { size } });
});
