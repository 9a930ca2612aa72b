/** What the operator sees of all customers: the list and its filters, what today brought, what is to do. */
import { expect, test } from "vitest";
import { v7 as newId } from "uuid";
import type { z } from "zod";

import { loadPriceBook, seedPriceProfile } from "#catalog/price-profiles.ts";
import { operations } from "#contract/operations.ts";
import { overrideTier } from "#customers/tier-store.ts";
import { sql } from "#db/sql.ts";
import { recordTopUp } from "#flow/ledger/store.ts";
import { createTenant, updateTenant } from "#identity/tenants.ts";
import { addTask } from "#insights/tasks.ts";
import { dayOf, monthOf } from "#kernel/calendar.ts";
import { parseFen } from "#kernel/money.ts";
import { timeZone } from "#kernel/zone.ts";
import { insertService } from "#orders/service-rows.ts";
import { testApi } from "#test/api-server.ts";

import { serviceHandlers } from "#api/routes/orders/services.ts";

import { insightHandlers } from "./insights.ts";

const api = await testApi({ handlers: { ...insightHandlers, ...serviceHandlers } });
const { db, clock, operator } = api;
await db.transaction(seedPriceProfile);
const [profile] = await loadPriceBook(db);
const zone = timeZone("America/Los_Angeles");
const userId = api.customer.administrator.userId;

async function customer(name: string, displayName: string): Promise<string> {
  clock.now += 1000;
  const ask = { name, displayName, timeZone: zone, now: clock.now };
  return (await db.transaction((tx) => createTenant(tx, ask))).tenant.id;
}

async function charged(tenantId: string, day: string, amount: string): Promise<void> {
  await db.execute(sql`
    insert into charge_line (tenant_id, service_date, sku, quantity, quantity_divisor, unit,
      base_per_unit, list_price, multiplier, amount, paid_wallet, profile_id, billed_month, state)
    values (${tenantId}, ${day}::date, 'gpu.T4', 3600, 1, 'GPU-hour', 3600, '5', '1',
      ${parseFen(amount)}::int8, ${parseFen(amount)}::int8, ${profile?.id}, ${day.slice(0, 7)},
      'provisional')`);
}

async function see<Schema extends z.ZodType>(
  path: string,
  result: Schema,
): Promise<z.output<Schema>> {
  const answer = await api.ask("GET", path, { secret: operator.secret });
  expect({ status: answer.status, body: answer.status === 200 ? "" : answer.text }).toEqual({
    status: 200,
    body: "",
  });
  return result.parse(answer.body);
}

const list = (query = "") => see(`/v1/customers${query}`, operations.listCustomers.result);
const namesOf = async (query: string): Promise<string[]> =>
  (await list(query)).items.map(({ name }) => name);

const acme = await customer("acme", "Acme <b>有限公司</b>");
const busy = await customer("busy", "Busy Bees");
const today = dayOf(zone, clock.now);
const month = monthOf(today);
await charged(busy, today, "12.50");
await charged(busy, `${month}-01` === today ? `${month}-02` : `${month}-01`, "3.00");
await db.execute(sql`
  insert into order_item (tenant_id, id, kind, sku, subject_id, data, list_price, amount,
    is_prepayment, at, billed_month)
  values (${busy}, ${newId()}, 'service', 'support_24x7', ${newId()}, '{}', 3000, 3000, false,
      ${new Date(clock.now)}, ${month}),
    (${busy}, ${newId()}, 'package', 'P1000', ${newId()}, '{}', 100000, 100000, true,
      ${new Date(clock.now)}, ${month})`);
await db.tenant(busy, (tx) =>
  recordTopUp(tx, busy, { reference: "r", amount: parseFen("100.00"), at: clock.now }),
);
await db.transaction(async (tx) => {
  await overrideTier(tx, {
    tenantId: acme,
    tier: "diamond",
    reason: "trial",
    approvedBy: "Li",
    createdBy: "root",
    untilAt: clock.now + 86_400_000,
    now: clock.now,
  });
  await updateTenant(tx, { tenantId: acme, state: "suspended" });
  const sign = { tenantId: busy, data: { ratio: "0.25", month: "2026-05" }, at: clock.now };
  await addTask(tx, { ...sign, key: "a", kind: "usage_drop" });
  await addTask(tx, { ...sign, key: "b", kind: "review_due" });
});
await db.execute(sql`
  insert into dunning_state (tenant_id, stage, since)
  values (${busy}, 'warning', ${new Date(clock.now)})`);

test("customers with tier, standing, money, month and signs, newest first, without the operator", async () => {
  const { items } = await list();
  expect(items.map(({ name }) => name).slice(0, 2)).toEqual(["busy", "acme"]);
  expect(items.map(({ id }) => id)).not.toContain(operator.tenantId);
  expect(items[0]).toMatchObject({
    tier: "normal",
    isTierByHand: false,
    stage: "warning",
    balance: "100.00",
    available: "100.00",
    spentThisMonth: "45.50",
    signs: ["review_due", "usage_drop"],
  });
  expect(items[1]).toMatchObject({
    displayName: "Acme <b>有限公司</b>",
    state: "suspended",
    tier: "diamond",
    isTierByHand: true,
    stage: "ok",
    balance: "0.00",
    spentThisMonth: "0.00",
    signs: [],
  });
});

test("filters are the database's, so that pages are full", async () => {
  expect(await namesOf("?nameHas=BEES")).toEqual(["busy"]);
  expect(await namesOf(`?nameHas=${encodeURIComponent("<B>")}`)).toEqual(["acme"]);
  expect(await namesOf("?nameHas=%25")).toEqual([]);
  expect(await namesOf("?tier=diamond")).toEqual(["acme"]);
  expect(await namesOf("?state=suspended")).toEqual(["acme"]);
  expect(await namesOf("?stage=low")).toEqual(["busy"]);
  expect(await namesOf("?stage=warning&tier=diamond")).toEqual([]);
  expect(await namesOf("?sign=any")).toEqual(["busy"]);
  expect(await namesOf("?sign=review_due")).toEqual(["busy"]);
  expect(await namesOf("?sign=no_spend_2m")).toEqual([]);
  const first = await list("?limit=1");
  expect(first.items.map(({ name }) => name)).toEqual(["busy"]);
  expect(await namesOf(`?limit=1&cursor=${first.next}`)).toEqual(["acme"]);
});

test("tasks of one customer", async () => {
  const result = operations.listCustomerTasks.result;
  const of = (id: string) => see(`/v1/customer-tasks?tenantId=${id}`, result);
  expect((await of(busy)).items).toHaveLength(2);
  expect((await of(acme)).items).toEqual([]);
});

test("P-23: today is each customer's own day, with what was ordered and without prepayments", async () => {
  const revenue = await see("/v1/revenue", operations.getRevenue.result);
  expect(revenue.today).toMatchObject({ revenue: "42.50", active: 1 });
  expect(revenue.months.at(-1)).toMatchObject({ revenue: "45.50", active: 1 });
});

test("services of all customers: those that wait for an offer or for work, or all", async () => {
  const at = clock.now;
  const common = { tenantId: api.customer.tenant.id, zone, userId, at } as const;
  const [asked, support] = [newId(), newId()];
  await db.transaction(async (tx) => {
    const kind = "model_optimization";
    await insertService(tx, { ...common, id: asked, kind, description: "faster" });
    await insertService(tx, {
      ...common,
      at: at + 1,
      id: support,
      kind: "support_24x7",
      description: "support",
      paid: {
        amount: parseFen("1.00"),
        priceProfileId: profile?.id ?? "",
        support: { months: 1, until: at + 86_400_000, autoRenew: false },
        optimizations: 0,
      },
    });
  });
  const result = operations.listAllServices.result;
  const { displayName } = api.customer.tenant;
  const toDo = await see("/v1/all-services", result);
  expect(toDo.items).toMatchObject([{ id: asked, tenant: displayName, state: "asked" }]);
  const all = await see("/v1/all-services?state=all", result);
  expect(all.items.map(({ id }) => id)).toEqual([support, asked]);
});
