/** What of a customer ends soon, and what would serve him better, on a real database. */
import { expect, test } from "vitest";
import { v7 as newId } from "uuid";

import { loadPriceBook, seedPriceProfile } from "#catalog/price-profiles.ts";
import { defaultProfile } from "#catalog/profile.ts";
import { overrideTier } from "#customers/tier-store.ts";
import { tierLoop } from "#customers/loop.ts";
import { json } from "#db/json.ts";
import { sql } from "#db/sql.ts";
import { buyPackage } from "#flow/ledger/purchases.ts";
import { recordTopUp } from "#flow/ledger/store.ts";
import { createTenant } from "#identity/tenants.ts";
import { localDay } from "#kernel/calendar.ts";
import { parseFen } from "#kernel/money.ts";
import { notices } from "#notices/store.ts";
import { testDatabase } from "#test/database.ts";
import { addTenant, lease, rent, shape } from "#test/sim/cloud.ts";

import { insightLoop } from "./loop.ts";
import { renewalSaving } from "./next-tier.ts";
import { taskKinds, tasks, type CustomerTask } from "./tasks.ts";
import { taskText } from "./words.ts";

const { db } = await testDatabase();
await db.transaction(seedPriceProfile);
const [profile] = await loadPriceBook(db);
const never = new AbortController().signal;

function at(text: string): number {
  return Date.parse(`${text}+08:00`);
}

let names = 0;
async function customer(registered: string): Promise<string> {
  names += 1;
  const ask = { name: `customer-${names}`, now: at(registered) };
  const { tenant } = await db.transaction((tx) => createTenant(tx, ask));
  return tenant.id;
}

async function look(when: string): Promise<void> {
  await insightLoop({ db, now: () => at(when) }).pass(never);
}

async function tasksOf(tenantId: string): Promise<CustomerTask[]> {
  const all = await tasks(db, { after: undefined, limit: 100, open: true });
  return all.filter((task) => task.tenantId === tenantId);
}

async function pay(tenantId: string, amount: string, when: string): Promise<void> {
  const ask = { reference: newId(), amount: parseFen(amount), at: at(when) };
  await db.tenant(tenantId, (tx) => recordTopUp(tx, tenantId, ask));
}

/** A subscription whose last paid term ends then. */
async function subscribed(
  tenant: { readonly tenantId: string; readonly projectId: string },
  ask: { readonly name: string; readonly term: string; readonly until: string; renew?: boolean },
): Promise<void> {
  const { tenantId } = tenant;
  const requestId = await rent(db, lease(tenant, { name: ask.name, plan: "subscription" }));
  const id = newId();
  await db.execute(sql`
    insert into subscription (tenant_id, id, request_id, name, state, auto_renew, term, sku,
      list_price, discounts, amount, price_profile_id, locked_monthly, ordered_at, ordered_by,
      anchor_at, zone)
    values (${tenantId}, ${id}, ${requestId}, ${ask.name}, 'active', ${ask.renew ?? false},
      ${ask.term}, 'vm.a100x1', 15000000, '[]', 15000000, ${newId()}, 1500000,
      ${new Date(at("2026-01-01T00:00:00"))}, ${newId()},
      ${new Date(at("2026-01-01T00:00:00"))}, 'Asia/Shanghai')`);
  await db.execute(sql`
    insert into subscription_period (tenant_id, subscription_id, number, term, from_month,
      until_month, from_at, until_at, sku, shape, monthly_list)
    values (${tenantId}, ${id}, 1, ${ask.term}, 0, 12, ${new Date(at("2026-01-01T00:00:00"))},
      ${new Date(at(ask.until))}, 'vm.a100x1', ${json(shape())}, 1500000)`);
}

test("C-13, C-14, R-CHURN-3: a term, a package and an agreed tier that end soon make a task each, once", async () => {
  const tenant = await addTenant(db, "ending");
  const { tenantId } = tenant;
  await db.execute(sql`update tenant set created_at = '2026-01-01' where id = ${tenantId}`);
  await subscribed(tenant, { name: "year", term: "annual", until: "2026-06-20T00:00:00" });
  await subscribed(tenant, { name: "month", term: "monthly", until: "2026-06-20T00:00:00" });
  await subscribed(tenant, {
    name: "again",
    term: "annual",
    until: "2026-06-20T00:00:00",
    renew: true,
  });
  await pay(tenantId, "1000.00", "2026-03-15T12:00:00");
  await db.tenant(tenantId, (tx) =>
    buyPackage(tx, tenantId, {
      packageId: newId(),
      code: "P1000",
      price: parseFen("1000.00"),
      bonus: parseFen("50.00"),
      usableFrom: localDay("2026-03-15"),
      usableThrough: localDay("2026-06-15"),
      expiresAt: at("2026-06-16T00:00:00"),
      at: at("2026-03-15T12:00:00"),
    }),
  );
  await db.transaction((tx) =>
    overrideTier(tx, {
      tenantId,
      tier: "gold",
      reason: "trial",
      approvedBy: "Li",
      createdBy: "root",
      untilAt: at("2026-06-25T00:00:00"),
      now: at("2026-05-01T00:00:00"),
    }),
  );
  await look("2026-05-10T12:00:00");
  expect((await tasksOf(tenantId)).map(({ kind }) => kind)).toEqual([]);
  await look("2026-05-27T12:00:00");
  await look("2026-05-28T12:00:00");
  const seen = await tasksOf(tenantId);
  expect(seen.map(({ kind }) => kind).toSorted()).toEqual([
    "package_ending",
    "term_ending",
    "tier_by_hand_ending",
  ]);
  const text = seen.map(({ kind, data }) => taskText(kind, data, "en")).toSorted();
  expect(text[0]).toMatch(/can be used until 2026-06-15; 1050.00 yuan of it are left/);
  // Gold pays 80 % of twelve months on the renewal of a year.
  expect(text[1]).toBe(
    "The annual term of year ends at 2026-06-19T16:00:00.000Z and no renewal is ordered. A renewal costs 144000.00 yuan now.",
  );
  // A month is only near its end a week before.
  await look("2026-06-14T12:00:00");
  const later = (await tasksOf(tenantId)).filter(({ kind }) => kind === "term_ending");
  expect(later.map(({ data }) => data["name"] ?? "").toSorted()).toEqual(["month", "year"]);
  // One is renewed, the other renews itself from now on: nobody has to do anything.
  await db.execute(sql`
    insert into subscription_period (tenant_id, subscription_id, number, term, from_month,
      until_month, from_at, until_at, sku, shape, monthly_list)
    select p.tenant_id, p.subscription_id, 2, p.term, 12, 24, p.until_at,
      p.until_at + interval '1 year', p.sku, p.shape, p.monthly_list
    from subscription_period p join subscription s on s.id = p.subscription_id
    where p.tenant_id = ${tenantId} and s.name = 'year'`);
  await db.execute(sql`
    update subscription set auto_renew = true where tenant_id = ${tenantId} and name = 'month'`);
  await look("2026-06-15T12:00:00");
  expect((await tasksOf(tenantId)).filter(({ kind }) => kind === "term_ending")).toEqual([]);
  const all = await tasks(db, { after: undefined, limit: 100, open: false });
  expect(
    all.filter((each) => each.tenantId === tenantId && each.kind === "term_ending"),
  ).toMatchObject([
    { doneBy: "insights", note: "renewed" },
    { doneBy: "insights", note: "renewed" },
  ]);
});

test("C-12: an ordinary customer is told of the package that fits, once a month", async () => {
  const tenantId = await customer("2026-04-01T00:00:00");
  await db.execute(sql`
    insert into charge_line (tenant_id, service_date, sku, quantity, quantity_divisor, job_quantity,
      unit, base_per_unit, list_price, multiplier, amount, job_amount, paid_wallet, profile_id,
      billed_month, state, posted_at)
    values (${tenantId}, '2026-05-05', 'gpu.T4', 720000, 1, 720000, 'GPU-hour', 3600, '5', '1',
      100000, 100000, 100000, ${profile?.id}, '2026-05', 'posted', now())`);
  await look("2026-06-01T09:00:00");
  await look("2026-06-02T09:00:00");
  const told = await db.tenant(tenantId, (tx) =>
    notices(tx, tenantId, { after: undefined, limit: 10 }),
  );
  expect(told).toMatchObject([
    { kind: "package_advice", data: { period: "2026-05", package: "P10000", saves: "1500.00" } },
  ]);
});

test("C-12: a gold customer near diamond makes a task that says what is missing and what it saves", async () => {
  const tenantId = await customer("2025-01-01T00:00:00");
  await pay(tenantId, "420000.00", "2026-05-10T12:00:00");
  await tierLoop({ db, now: () => at("2026-06-01T00:00:01") }).pass(never);
  await look("2026-06-01T09:00:00");
  await look("2026-07-01T09:00:00");
  const near = (await tasksOf(tenantId)).filter(({ kind }) => kind === "near_next_tier");
  expect(near).toMatchObject([
    { data: { tier: "diamond", missing: "80000.00", before: "2026-07-01", saves: "0.00" } },
  ]);
});

test("C-07, C-08, O-13: the review of a tier is a task too: monthly for diamond, quarterly for gold", async () => {
  const ids = { diamond: "", gold: "", normal: "" };
  for (const tier of ["diamond", "gold", "normal"] as const) {
    // oxlint-disable-next-line no-await-in-loop -- three customers
    ids[tier] = await customer("2026-01-01T00:00:00");
    const ask = { tier, reason: "t", approvedBy: "Li", createdBy: "root" };
    const [untilAt, now] = [at("2027-12-31T00:00:00"), at("2026-02-01T00:00:00")];
    // oxlint-disable-next-line no-await-in-loop -- three customers
    await db.transaction((tx) => overrideTier(tx, { ...ask, tenantId: ids[tier], untilAt, now }));
  }
  for (const month of ["03", "04", "05", "06", "07"]) {
    // oxlint-disable-next-line no-await-in-loop -- month after month
    await look(`2026-${month}-01T09:00:00`);
  }
  const periods = async (tier: keyof typeof ids): Promise<string[]> => {
    const due = (await tasksOf(ids[tier])).filter(({ kind }) => kind === "review_due");
    return due.map(({ data }) => data["period"] ?? "").toSorted();
  };
  expect(await periods("diamond")).toEqual(["2026-02", "2026-03", "2026-04", "2026-05", "2026-06"]);
  expect(await periods("gold")).toEqual(["2026-Q1", "2026-Q2"]);
  expect(await periods("normal")).toEqual([]);
});

test("C-10: what a higher tier saves on the renewals to come: a year at 60 % and 80 %", () => {
  const lockedMonthly = parseFen("15000.00");
  const year = { sku: "vm.a100x1", term: "annual", lockedMonthly } as const;
  const saved = (from: "normal" | "gold", to: "gold" | "diamond", list = [year]) =>
    renewalSaving(list, { profile: defaultProfile, from, to });
  expect(saved("normal", "gold")).toBe(parseFen("6000.00"));
  expect(saved("normal", "diamond")).toBe(parseFen("42000.00"));
  expect(saved("gold", "diamond", [year, year])).toBe(parseFen("72000.00"));
  expect(renewalSaving([], { profile: defaultProfile, from: "normal", to: "gold" })).toBe(0n);
});

test("every task is told in both languages", () => {
  for (const kind of taskKinds) {
    expect(taskText(kind, {}, "en")).not.toMatch(/[\u4E00-\u9FFF]/);
    expect(taskText(kind, {}, "zh-CN")).toMatch(/[\u4E00-\u9FFF]/);
  }
});
