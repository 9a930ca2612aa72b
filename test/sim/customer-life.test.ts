/**
 * A customer's life over the API: he applies, pays, rises, gets what his tier gives, and is looked
 * after. Everything lives by one clock; the loops look when the test says so.
 */
import { expect, test } from "vitest";
import { v7 as newId } from "uuid";
import { z } from "zod";

import {
  activatePriceProfile,
  createPriceProfile,
  loadPriceBook,
} from "#catalog/price-profiles.ts";
import { defaultProfileJson } from "#catalog/profile.ts";
import type { Tier } from "#catalog/sku.ts";
import { tierLoop } from "#customers/loop.ts";
import { sql } from "#db/sql.ts";
import { cutDue } from "#flow/meter/cut-loop.ts";
import { rateTenant } from "#flow/rate/loop.ts";
import { insightLoop } from "#insights/loop.ts";
import { addDays, dayOf, dayStart, localDay } from "#kernel/calendar.ts";
import { billingZone } from "#kernel/zone.ts";

import { orderCloud, type Customer } from "./order-cloud.ts";

const cloud = await orderCloud("2026-03-10T09:00:00", { gpus: "A100=1,T4=1" });
const { db, now } = cloud;
const never = new AbortController().signal;
const dayMs = 86_400_000;

async function look(): Promise<void> {
  await tierLoop({ db, now }).pass(never);
  await insightLoop({ db, now }).pass(never);
}

/** To nine in the morning of that day. */
async function goTo(day: string): Promise<void> {
  cloud.advance(dayStart(billingZone, localDay(day)) + 9 * 3_600_000 - now());
  await look();
}

async function tierOf(of: Customer): Promise<Tier> {
  return (await of.api.call("getTier")).tier;
}

async function setTier(of: Customer, tier: Tier): Promise<void> {
  const until = new Date(now() + 300 * dayMs).toISOString();
  const body = { tier, reason: "agreed", approvedBy: "Li", until };
  await cloud.operator(of).call("overrideTier", { body });
}

test("C-04, C-05, C-09: who registers and applies is rated by his figures, and begins as an ordinary customer", async () => {
  const of = await cloud.customer("100.00");
  await look();
  const body = {
    company: "智算科技有限公司",
    scale: "11-50",
    monthlyBudget: "60000.00",
    demand: "8 x A100 for training, three months",
    contact: "Wang, 010-5555",
  } as const;
  const sent = await of.api.call("submitApplication", { body });
  expect(sent).toMatchObject({ state: "submitted", suggestedTier: "diamond", initialRating: null });
  const root = cloud.operator(of);
  const waiting = await root.call("listAllApplications", { query: {} });
  expect(waiting.items.map(({ company }) => company)).toContain(body.company);
  const params = { applicationId: sent.id };
  const note = "pilot first, then a year";
  await root.call("rateApplication", { params, body: { rating: "gold", note } });
  const { items } = await of.api.call("listApplications", { query: {} });
  expect(items).toMatchObject([{ state: "rated", initialRating: "gold", note }]);
  // A note without effect: what he pays decides.
  expect(await of.api.call("getTier")).toMatchObject({
    tier: "normal",
    benefits: { priority: "basic", contact: "self_service", support: "none", storage: "list" },
  });
});

test("C-01, C-02, C-03, C-11, C-14, C-15: by what he pays a customer rises, is told why, and falls back after a year", async () => {
  const of = await cloud.customer("4999.99");
  await goTo("2026-03-12");
  expect(await tierOf(of)).toBe("normal");
  const { next } = await of.api.call("getTier");
  expect(next[0]).toMatchObject({ tier: "gold", rule: "R-CT-3", missing: "0.01" });
  await cloud.topUp(of, "0.01");
  expect(await tierOf(of)).toBe("normal");
  await goTo("2026-03-13");
  expect(await tierOf(of)).toBe("gold");
  await cloud.topUp(of, "495000.00");
  await goTo("2026-03-31");
  expect(await tierOf(of)).toBe("gold");
  await goTo("2026-04-01");
  expect(await of.api.call("getTier")).toMatchObject({
    tier: "diamond",
    holdUntil: "2027-04-01",
    netPaid: { netPaid12m: "500000.00" },
    benefits: { priority: "high", contact: "account_manager", support: "24x7" },
  });
  const { items } = await of.api.call("listTierChanges", { query: {} });
  expect(items.map(({ tier, rule, effective }) => [tier, rule, effective])).toEqual([
    ["diamond", "R-CT-2", "2026-04-01"],
    ["gold", "R-CT-3", "2026-03-13"],
  ]);
  expect(items[0]?.inputs).toMatchObject({ netPaid12m: "500000.00" });
  // Nothing more is paid: he is told ahead, and stands on what he paid in the last year.
  await goTo("2027-03-05");
  await goTo("2027-04-01");
  expect(await tierOf(of)).toBe("normal");
  const told = await of.api.call("listNotices", { query: { language: "zh-CN" } });
  const kinds = told.items.map(({ kind }) => kind);
  for (const kind of ["tier_raised", "tier_review_ahead", "tier_lowered"]) {
    expect(kinds).toContain(kind);
  }
});

test("C-06: three months of 50000.00 each make gold, where the profile asks for more otherwise", async () => {
  await db.transaction(async (tx) => {
    const thresholds = {
      ...defaultProfileJson.tier_thresholds,
      gold_cumulative: null,
      gold_12m: "400000.00",
    };
    const profile = { ...defaultProfileJson, tier_thresholds: thresholds };
    const { id } = await createPriceProfile(tx, { name: "Strict", profile });
    const from = addDays(dayOf(billingZone, now()), 3);
    await activatePriceProfile(tx, { id, from, now: now() });
  });
  const [steady, almost] = [await cloud.customer("1.00"), await cloud.customer("1.00")];
  for (const month of ["05", "06", "07"]) {
    // oxlint-disable-next-line no-await-in-loop -- month after month
    await goTo(`2027-${month}-10`);
    // oxlint-disable-next-line no-await-in-loop -- month after month
    await cloud.topUp(steady, "50000.00");
    // oxlint-disable-next-line no-await-in-loop -- month after month
    await cloud.topUp(almost, month === "06" ? "49999.99" : "60000.00");
  }
  await goTo("2027-08-01");
  expect([await tierOf(steady), await tierOf(almost)]).toEqual(["gold", "normal"]);
  const { items } = await steady.api.call("listTierChanges", { query: {} });
  expect(items).toMatchObject([
    { reason: "3m", inputs: { netPaidLast3Months: ["50000.00", "50000.00", "50000.00"] } },
  ]);
});

const tiers = ["normal", "gold", "diamond"] as const;

test("C-07, C-08, C-09: a tier's storage price and support are those that are charged", async () => {
  const customers = new Map<Tier, Customer>();
  for (const tier of tiers) {
    // oxlint-disable-next-line no-await-in-loop -- three customers
    const of = await cloud.customer("10000.00");
    customers.set(tier, of);
    // oxlint-disable-next-line no-await-in-loop -- three customers
    if (tier !== "normal") await setTier(of, tier);
  }
  const day = addDays(dayOf(billingZone, now()), 1);
  const from = dayStart(billingZone, day);
  for (const { tenantId } of customers.values()) {
    // 12288 GiB for a day: diamonds have 10 TiB of them free.
    // oxlint-disable-next-line no-await-in-loop -- three customers
    await db.execute(sql`
      insert into usage_interval (tenant_id, id, instance_id, request_id, project_id, sku, units,
        started_at, ended_at, source_seq)
      values (${tenantId}, ${newId()}, ${newId()}, ${newId()}, ${newId()}, 'storage',
        ${12288n * 1024n ** 3n}, ${new Date(from)}, ${new Date(from + dayMs)}, 1)`);
  }
  cloud.advance(4 * dayMs);
  while (await cutDue(db, now()));
  const prices = await loadPriceBook(db);
  const charged: string[] = [];
  const support: string[] = [];
  for (const tier of tiers) {
    const of = customers.get(tier);
    if (of === undefined) continue;
    const context = { db, now, timeZoneOf: () => Promise.resolve(billingZone) };
    // oxlint-disable-next-line no-await-in-loop -- three customers
    await rateTenant(context, of.tenantId, prices);
    // oxlint-disable-next-line no-await-in-loop -- three customers
    const bill = await of.api.call("getStatement", { query: { from: day, through: day } });
    charged.push(bill.total);
    const body = { kind: "support_24x7" } as const;
    // oxlint-disable-next-line no-await-in-loop -- three customers
    support.push((await of.api.call("quoteOrder", { body })).amount);
  }
  expect(charged).toEqual(["614.40", "307.20", "102.40"]);
  expect(support).toEqual(["3000.00", "3000.00", "0.00"]);
});

function submit(of: Customer, seconds: string): Promise<{ readonly id: string }> {
  const environment = { SIMULATE_SECONDS: seconds };
  const body = { name: "train", flavor: "t4.1", script: "true", environment };
  return of.api.call("createJob", { body });
}

test("C-07, C-08, C-09: of those who wait for the same GPU the diamond customer is served first, then gold", async () => {
  const blocker = await submit(await cloud.customer("1000.00"), "1.5");
  const order: { tier: Tier; id: string }[] = [];
  for (const tier of tiers) {
    // oxlint-disable-next-line no-await-in-loop -- the ordinary customer asks first
    const of = await cloud.customer("1000.00");
    // oxlint-disable-next-line no-await-in-loop -- three customers
    if (tier !== "normal") await setTier(of, tier);
    // oxlint-disable-next-line no-await-in-loop -- three customers
    order.push({ tier, id: (await submit(of, "0.1")).id });
  }
  const row = z.object({ id: z.string() });
  const served = await cloud.until(async () => {
    const rows = await db.rows(
      sql`select request_id as id from instance
        where request_id = any(${[blocker.id, ...order.map(({ id }) => id)]}::uuid[])
        order by created_at`,
      row,
    );
    expect(rows).toHaveLength(4);
    return rows.map(({ id }) => order.find((each) => each.id === id)?.tier ?? "blocker");
  });
  expect(served).toEqual(["blocker", "diamond", "gold", "normal"]);
});

test("C-10: the renewal of a year is quoted at list, at 80 % for gold and at 60 % for diamond", async () => {
  const of = await cloud.customer("200000.00");
  const order = { name: "year", flavor: "a100.1", term: "annual" } as const;
  const { subscription } = await of.api.call("orderSubscription", {
    body: { ...order, expectedAmount: "150000.00" },
  });
  const params = { subscriptionId: subscription.id };
  await cloud.until(async () => {
    expect(await of.api.call("getSubscription", { params })).toMatchObject({ state: "active" });
  });
  const quoted: string[] = [];
  for (const tier of tiers) {
    // oxlint-disable-next-line no-await-in-loop -- one tier after the other
    if (tier !== "normal") await setTier(of, tier);
    const body = { kind: "renewal", ...params } as const;
    // oxlint-disable-next-line no-await-in-loop -- one tier after the other
    quoted.push((await of.api.call("quoteOrder", { body })).amount);
  }
  expect(quoted).toEqual(["150000.00", "144000.00", "108000.00"]);
  // What the next tier saves on it is said before he is there.
  await setTier(of, "gold");
  const { next } = await of.api.call("getTier");
  expect(next.find(({ tier }) => tier === "diamond")).toMatchObject({ renewalSaving: "36000.00" });
});

test("O-13, C-07, C-08: the review of a quarter says what was used, beside the one before, with advice", async () => {
  const of = await cloud.customer("20000.00");
  await setTier(of, "gold");
  await goTo("2027-10-02");
  const use = async (day: string, hours: number): Promise<void> => {
    const from = dayStart(billingZone, localDay(day));
    await db.execute(sql`
      insert into usage_interval (tenant_id, id, instance_id, request_id, project_id, sku, units,
        started_at, ended_at, work, source_seq)
      values (${of.tenantId}, ${newId()}, ${newId()}, ${newId()}, ${newId()}, 'gpu.A100', 1,
        ${new Date(from)}, ${new Date(from + hours * 3_600_000)}, 'job', 1)`);
  };
  await use("2027-09-20", 60);
  while (await cutDue(db, now()));
  const context = { db, now, timeZoneOf: () => Promise.resolve(billingZone) };
  await rateTenant(context, of.tenantId, await loadPriceBook(db));
  const review = await of.api.call("getUsageReview", { params: { period: "2027-Q3" } });
  expect(review).toMatchObject({
    total: "3000.00",
    totalBefore: "0.00",
    busiest: { day: "2027-09-20" },
    daysWithoutUse: 89,
    skus: [{ sku: "gpu.A100", amount: "3000.00" }],
    advice: [{ code: "P10000", saves: "1500.00" }],
  });
  await look();
  const { items } = await cloud.operator(of).call("listCustomerTasks", {
    query: { state: "open", language: "zh-CN", limit: 200 },
  });
  const own = items.filter((task) => task.tenantId === of.tenantId);
  expect(own.find(({ kind }) => kind === "review_due")?.text).toMatch(/2027-Q3 的资源使用复盘/);
});
