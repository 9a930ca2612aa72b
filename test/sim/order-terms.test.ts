/**
 * Terms as they follow each other: what a renewal costs by tier and locked price, what the machine
 * does when it lapses and comes back, sizes that change between terms and in their middle.
 */
import { expect, test } from "vitest";

import { createPriceProfile } from "#catalog/price-profiles.ts";
import { defaultProfileJson } from "#catalog/profile.ts";
import type { AnswerOf } from "#client/types.ts";
import { overrideTier } from "#customers/tier-store.ts";
import { sql } from "#db/sql.ts";
import { checkLedger } from "#flow/ledger/check.ts";
import { alerts } from "#notices/store.ts";

import { orderCloud, type Customer } from "./order-cloud.ts";
import { orderLife, type Rented } from "./order-life.ts";

const hour = 3_600_000;
const day = 24 * hour;
const cloud = await orderCloud("2026-01-10T09:00:00", { gpus: "A100=4" });
const { db, provider, until } = cloud;

const { rented, show, stateOf, leaseIs, toTheEnd, told } = orderLife(cloud);

function gpusAre({ leaseId }: Rented, count: number): Promise<void> {
  return until(async () => {
    expect(await Promise.resolve(gpusOf(leaseId))).toBe(count);
  });
}

/** It rests after a failure. */
function gpusAreLater({ leaseId }: Rented, count: number): Promise<void> {
  return until(async () => {
    cloud.advance(31_000);
    expect(await Promise.resolve(gpusOf(leaseId))).toBe(count);
  });
}

function gpusOf(leaseId: string): number | undefined {
  return machineOf(leaseId)?.spec.gpus.length;
}

function machineOf(leaseId: string) {
  return provider.platform.machines().find(({ spec }) => spec.owner.resourceId === leaseId);
}

async function renewed(
  of: Rented,
  change: { readonly term?: "monthly" | "annual"; readonly flavor?: string } = {},
): Promise<AnswerOf<"quoteOrder">> {
  const { subscriptionId } = of;
  const quote = await of.api.call("quoteOrder", {
    body: { kind: "renewal", subscriptionId, ...change },
  });
  await of.api.call("renewSubscription", {
    params: { subscriptionId },
    body: { ...change, expectedAmount: quote.amount, expectedFrom: quote.from ?? "" },
  });
  return quote;
}

async function released(of: Rented): Promise<void> {
  const params = { subscriptionId: of.subscriptionId };
  // A change that is under way is waited for.
  await until(async () => {
    const { total } = await of.api.call("quoteCancel", { params });
    await of.api.call("cancelSubscription", { params, body: { expectedRefund: total } });
  });
  await leaseIs(of, "released");
}

async function withTier({ tenantId }: Customer, tier: "gold" | "diamond"): Promise<void> {
  const untilAt = cloud.now() + 100 * 365 * day;
  const why = { tier, reason: "contract", approvedBy: "Li", createdBy: "test" };
  await db.tenant(tenantId, (tx) =>
    overrideTier(tx, { tenantId, ...why, untilAt, now: cloud.now() }),
  );
}

test("C-10, P-12, R-VM-4, R-VM-7: a year after a year costs the tier's share of the locked price", async () => {
  const [normal, gold, diamond] = [
    await rented("400000.00", { term: "annual" }),
    await rented("400000.00", { term: "annual" }),
    await rented("400000.00", { term: "annual" }),
  ];
  await withTier(gold, "gold");
  await withTier(diamond, "diamond");
  const amounts = async (): Promise<unknown[]> => {
    const quotes: unknown[] = [];
    for (const { api, subscriptionId } of [normal, gold, diamond]) {
      const quote = await api.call("quoteOrder", { body: { kind: "renewal", subscriptionId } });
      quotes.push([
        quote.amount,
        ...quote.discounts.map(({ rule, amount }) => `${rule} ${amount}`),
      ]);
    }
    return quotes;
  };
  expect(await amounts()).toEqual([
    ["150000.00"],
    ["144000.00", "R-VM-4 -6000.00"],
    ["108000.00", "R-VM-4 -42000.00"],
  ]);
  // Prices rise by a third: the first purchase's month stays the base.
  const json = {
    ...defaultProfileJson,
    vm: { ...defaultProfileJson.vm, "vm.a100x1": { monthly: "20000.00", annual: "200000.00" } },
  };
  const draft = await createPriceProfile(db, { name: "Dearer", profile: json });
  await db.execute(sql`
    update price_profile set active_from = '2026-06-01' where id = ${draft.id}`);
  await toTheEnd(gold);
  const locked = [
    ["180000.00", "R-VM-7 -20000.00"],
    ["144000.00", "R-VM-4 -8000.00", "R-VM-7 -48000.00"],
    ["108000.00", "R-VM-4 -56000.00", "R-VM-7 -36000.00"],
  ];
  expect(await amounts()).toEqual(locked);
  await renewed(gold);
  const { items } = await gold.api.call("listOrderItems", { query: { language: "zh-CN" } });
  expect(items[0]).toMatchObject({ kind: "renewal", listPrice: "200000.00", amount: "144000.00" });
  // A month is sold at today's price, tier or not.
  const month = await gold.api.call("quoteOrder", {
    body: { kind: "renewal", subscriptionId: gold.subscriptionId, term: "monthly" },
  });
  expect(month).toMatchObject({ amount: "20000.00", discounts: [] });
  for (const of of [normal, gold, diamond]) await released(of);
});

test("R-VM-4: what was released may be ordered anew as a renewal for 30 days, without its lock", async () => {
  const of = await rented("900000.00", { term: "annual" });
  await withTier(of, "diamond");
  await toTheEnd(of);
  await stateOf(of, "lapsed");
  cloud.advance(8 * day);
  await stateOf(of, "ended");
  const renewsId = of.subscriptionId;
  const quote = (term: "annual" | "monthly") =>
    of.api.call("quoteOrder", { body: { kind: "subscription", flavor: "a100.1", term, renewsId } });
  // Twelve months at today's 20 000, 60 % of it.
  expect(await quote("annual")).toMatchObject({ kind: "renewal", amount: "144000.00" });
  expect(await quote("monthly")).toMatchObject({ amount: "20000.00" });
  cloud.advance(23 * day);
  expect(await quote("annual")).toMatchObject({ amount: "200000.00", discounts: [] });
  await expect(quote("annual")).resolves.toBeDefined();
  await leaseIs(of, "released");
});

test("R-VM-10: lapsed, the disk is kept and metered; renewed, it runs again if it ran before", async () => {
  const [ran, stopped] = [await rented("90000.00"), await rented("90000.00")];
  await stopped.api.call("stopLease", { params: { leaseId: stopped.leaseId } });
  await leaseIs(stopped, "stopped");
  await toTheEnd(stopped);
  for (const of of [ran, stopped]) {
    await stateOf(of, "lapsed");
    await leaseIs(of, "stopped");
  }
  const kept = machineOf(ran.leaseId);
  expect(kept?.spec.diskBytes).toBeGreaterThan(0);
  await until(async () => {
    const { items } = await ran.api.call("listUsage", { query: { limit: 100 } });
    const open = items.filter((each) => each.resourceId === ran.leaseId && each.until === null);
    expect(open.map(({ sku }) => sku)).toEqual(["storage"]);
  });
  cloud.advance(6 * day);
  await renewed(ran);
  await renewed(stopped);
  await leaseIs(ran, "running");
  expect(machineOf(ran.leaseId)?.createdAt).toBe(kept?.createdAt);
  await cloud.look();
  await leaseIs(stopped, "stopped");
  // Nothing says any more that it has to be renewed; it is the customer's to start.
  const params = { leaseId: stopped.leaseId };
  expect((await stopped.api.call("getLease", { params })).reason).toBeNull();
  await stopped.api.call("startLease", { params });
  await leaseIs(stopped, "running");
  await released(ran);
  await released(stopped);
});

test("R-VM-10: renewed without the quota to run, it starts when there is, and says why it waits", async () => {
  const of = await rented("90000.00");
  await toTheEnd(of);
  await stateOf(of, "lapsed");
  await leaseIs(of, "stopped");
  await cloud.operator(of).call("updateQuota", { body: { vcpus: 1 } });
  await renewed(of);
  await until(async () => {
    expect(await told(of)).toContain("subscription_waits");
  });
  const open = await alerts(db, { after: undefined, limit: 10, open: true });
  expect(open).toMatchObject([{ kind: "subscription_waits", tenantId: of.tenantId }]);
  await cloud.operator(of).call("updateQuota", { body: { vcpus: 64 } });
  cloud.advance(60_000);
  await leaseIs(of, "running");
  expect(await alerts(db, { after: undefined, limit: 10, open: true })).toEqual([]);
  await released(of);
});

test("R-ELA-2: an expansion that ends while its machine is stopped is gone when it starts", async () => {
  const of = await rented("90000.00");
  const params = { subscriptionId: of.subscriptionId };
  const units = { gpus: 1, vcpus: 2, memoryGiB: 8, days: 1, expectedAmount: "656.00" };
  const { expansion } = await of.api.call("orderExpansion", { params, body: units });
  await gpusAre(of, 2);
  const expansionId = expansion.id;
  const now = () => of.api.call("getExpansion", { params: { expansionId } });
  await until(async () => {
    expect((await now()).state).toBe("active");
  });
  await of.api.call("stopLease", { params: { leaseId: of.leaseId } });
  await leaseIs(of, "stopped");
  cloud.advance(25 * hour);
  await until(async () => {
    expect((await now()).revertedAt).not.toBeNull();
  });
  await of.api.call("startLease", { params: { leaseId: of.leaseId } });
  await leaseIs(of, "running");
  expect(gpusOf(of.leaseId)).toBe(1);
  expect((await of.api.call("getLease", { params: { leaseId: of.leaseId } })).flavor).toMatchObject(
    { vcpus: 8, memoryMiB: 65_536 },
  );
  await released(of);
});

test("R-ELA-2: a resize that the platform fails at the end is tried again; what is had too long is free", async () => {
  const of = await rented("90000.00");
  const params = { subscriptionId: of.subscriptionId };
  const units = { gpus: 1, days: 1, expectedAmount: "600.00" };
  const { expansion } = await of.api.call("orderExpansion", { params, body: units });
  await gpusAre(of, 2);
  await until(async () => {
    const found = await of.api.call("getExpansion", { params: { expansionId: expansion.id } });
    expect(found.state).toBe("active");
  });
  provider.platform.faults.failNext("resize", { code: "refused", effect: "accepted" });
  cloud.advance(25 * hour);
  await until(async () => {
    const found = await of.api.call("getExpansion", { params: { expansionId: expansion.id } });
    expect(found.state).toBe("ended");
  });
  await gpusAreLater(of, 1);
  const { items } = await of.api.call("listOrderItems", { query: { subjectId: expansion.id } });
  expect(items.map(({ amount }) => amount)).toEqual(["600.00"]);
  await released(of);
});

test("R-VM-5: a larger size from the next term on waits for room, told and alerted, and then comes", async () => {
  const of = await rented("120000.00");
  const others = [await rented("90000.00"), await rented("90000.00"), await rented("90000.00")];
  const { paidUntil } = await show(of);
  await renewed(of, { flavor: "a100.2" });
  for (const other of others) await renewed(other);
  cloud.advance(Date.parse(paidUntil ?? "") - cloud.now() + 1000);
  await until(async () => {
    expect(await told(of)).toContain("subscription_waits");
  });
  expect(gpusOf(of.leaseId)).toBe(1);
  for (const other of others) await released(other);
  await gpusAreLater(of, 2);
  expect(await alerts(db, { after: undefined, limit: 10, open: true })).toEqual([]);
  await released(of);
});

test("P-22, R-VM-3: a quarter that is not sold any more is not renewed as one, but by the month", async () => {
  const of = await rented("90000.00");
  const { subscriptionId } = of;
  const quarter = of.api.call("quoteOrder", {
    body: { kind: "renewal", subscriptionId, term: "quarterly" },
  });
  await expect(quarter).rejects.toMatchObject({
    code: "rule_violation",
    details: { terms: ["monthly", "annual"] },
  });
  expect(await renewed(of)).toMatchObject({ kind: "renewal", discounts: [] });
  await released(of);
});

test("R-VM-6: a year that was upgraded gives back by the size of each month", async () => {
  const of = await rented("600000.00", { term: "annual" });
  const { amount: paid } = await show(of);
  expect(paid).toBe("200000.00");
  cloud.advance(70 * day);
  const params = { subscriptionId: of.subscriptionId };
  const quote = await of.api.call("quoteOrder", {
    body: { kind: "upgrade", ...params, flavor: "a100.2" },
  });
  const body = { flavor: "a100.2", expectedAmount: quote.amount };
  await of.api.call("upgradeSubscription", { params, body });
  // Nobody renews in a size that is about to change.
  const early = of.api.call("renewSubscription", {
    params,
    body: { expectedAmount: "280000.00" },
  });
  await expect(early).rejects.toMatchObject({ code: "wrong_state" });
  await gpusAre(of, 2);
  await until(async () => {
    expect((await show(of)).sku).toBe("vm.a100x2");
  });
  const { refund } = await of.api.call("quoteCancel", { params });
  // Two months as one GPU, the third as two.
  const used = 2 * 20_000 + 28_000;
  expect(Number(refund)).toBeCloseTo(200_000 + Number(quote.amount) - used, 2);
  await released(of);
  expect(await checkLedger(db)).toEqual([]);
});
