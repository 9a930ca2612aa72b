/** What quotes say: prices by hour, day, month and term, discounts, and what is cheaper when. */
import fc from "fast-check";
import { expect, test } from "vitest";

import { defaultProfile } from "#catalog/profile.ts";
import { skuPrice } from "#catalog/sku.ts";
import type { AnswerOf } from "#client/types.ts";
import { fen } from "#kernel/money.ts";
import { compare, rational } from "#kernel/rational.ts";
import { againstHours, byTheHour, onDemandCost } from "#orders/compare.ts";

import { orderCloud, type Customer } from "./order-cloud.ts";

const cloud = await orderCloud("2026-04-01T09:00:00");
const { until } = cloud;

type Quote = AnswerOf<"quoteOrder">;

function shown({ cheaperIf }: Pick<Quote, "cheaperIf">): string[] {
  return cheaperIf.map((each) =>
    [each.way, each.what, each.cheaper, each.breakEven, each.unit, each.amount]
      .filter((part) => part !== null && part !== "")
      .join(" "),
  );
}

async function rented(of: Customer): Promise<string> {
  const { subscription } = await of.api.call("orderSubscription", {
    body: { name: "gpu", flavor: "a100.1", term: "monthly", expectedAmount: "15000.00" },
  });
  const params = { subscriptionId: subscription.id };
  await until(async () => {
    expect((await of.api.call("getSubscription", { params })).state).toBe("active");
  });
  return subscription.id;
}

test("P-09, P-13: a quote shows the price by hour, day, month and term, in both languages", async () => {
  const of = await cloud.customer("1000.00");
  const quote = (term: "monthly" | "annual") =>
    of.api.call("quoteOrder", { body: { kind: "subscription", flavor: "a100.1", term } });
  const month = await quote("monthly");
  expect(month).toMatchObject({
    amount: "15000.00",
    affordable: false,
    rates: { hourly: "20.83", daily: "500.00", monthly: "15000.00", term: "15000.00" },
  });
  // 250 and 57.90 an hour from the 101st on: 15 000 in the 255th hour; with P10000 17 250.
  expect(shown(month)).toEqual([
    "on_demand below 255 hours_a_month 41388.00",
    "package P10000 below 294 hours_a_month 35989.57",
    "annual vm.a100x1 above 10 months 150000.00",
  ]);
  expect(month.cheaperIf.map(({ text }) => text["zh-CN"])[0]).toBe(
    "按量付费:每月使用少于 255 小时则更便宜(全部使用为 41388.00 元)",
  );
  const year = await quote("annual");
  expect(year.rates).toEqual({
    hourly: "17.36",
    daily: "416.67",
    monthly: "12500.00",
    term: "150000.00",
  });
  expect(shown(year)).toEqual([
    "on_demand below 212 hours_a_month 496656.00",
    "package P10000 below 244 hours_a_month 431874.78",
    "monthly vm.a100x1 below 10 months 180000.00",
  ]);
});

test("P-24: what runs by the hour is told from how many hours a term is cheaper", async () => {
  const of = await cloud.customer("1000.00");
  const quote = await of.api.call("quote", { body: { flavor: "a100.1" } });
  expect(shown(quote)).toEqual([
    "monthly vm.a100x1 above 254 hours_a_month 15000.00",
    "annual vm.a100x1 above 211 hours_a_month 150000.00",
  ]);
  expect(await of.api.call("quote", { body: { flavor: "nano" } })).toMatchObject({ cheaperIf: [] });
});

test("P-07, P-24: a package against jobs without it, the next larger one, and a machine", async () => {
  const of = await cloud.customer("1000.00");
  const quote = await of.api.call("quoteOrder", { body: { kind: "package", code: "P1000" } });
  expect(quote.rates).toBeNull();
  expect(shown(quote)).toEqual([
    "on_demand below 1000.00 yuan 1050.00",
    "package P5000 above 5000.00 yuan 5000.00",
    "monthly vm.a100x1 above 267 hours_a_month 15000.00",
  ]);
});

test("P-14, P-15, P-24: an expansion against other machines by the hour and a larger size", async () => {
  const of = await cloud.customer("90000.00");
  const subscriptionId = await rented(of);
  const quote = (units: { readonly gpus?: number; readonly vcpus?: number }) =>
    of.api.call("quoteOrder", { body: { kind: "expansion", subscriptionId, days: 3, ...units } });
  const gpu = await quote({ gpus: 1 });
  expect(gpu).toMatchObject({
    amount: "1800.00",
    rates: { hourly: "25.00", daily: "600.00", monthly: "18000.00", term: "1800.00" },
    remarks: [],
  });
  expect(shown(gpu)).toEqual([
    "on_demand below 12 hours_a_day 3600.00",
    "package P10000 below 14 hours_a_day 3130.43",
    "upgrade vm.a100x2 above 21 days 13000.00",
  ]);
  // a core costs more by the day than the same by the hour, however it is used.
  const core = await quote({ vcpus: 1 });
  expect(shown(core).slice(0, 1)).toEqual(["on_demand always hours_a_day 36.00"]);
  expect(core.remarks).toHaveLength(1);
  const upgrade = await of.api.call("quoteOrder", {
    body: { kind: "upgrade", subscriptionId, flavor: "a100.2" },
  });
  // 888 a day: 13 000 in the fifteenth day.
  expect(shown(upgrade)).toEqual(["expansion below 15 days 26640.00"]);
  expect(upgrade.rates).toMatchObject({ daily: "433.33", term: "13000.00" });
});

test("R-ORD-1: the hours are counted at the tenant's own prices", async () => {
  const of = await cloud.customer("1000.00");
  const body = { sku: "gpu.A100", from: "2026-05-20", price: "25", reason: "contract" };
  await cloud.operator(of).call("setContractPrice", { body });
  cloud.advance(Date.parse("2026-05-20T09:00:00+08:00") - cloud.now());
  const quote = await of.api.call("quoteOrder", {
    body: { kind: "subscription", flavor: "a100.1", term: "monthly" },
  });
  // 125 and 34.15 an hour up to the 500th, then 32.90.
  expect(shown(quote)[0]).toBe("on_demand below 436 hours_a_month 24438.00");
});

test("the break-even is the first whole hour at which the other way costs as much, of any price", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 6_000_000 }),
      fc.integer({ min: 1, max: 8 }),
      (yuan, n) => {
        const resources = [
          { sku: "gpu.A100", units: BigInt(n), slice: 1n },
          { sku: "cpu.core", units: 7n, slice: 1n },
        ];
        const cost = onDemandCost(resources, (sku) => skuPrice(defaultProfile, sku));
        if (cost === undefined) throw new Error("no price");
        const price = fen(BigInt(yuan));
        const limit = rational(price, 100n);
        const hours = Array.from({ length: 720 }, (_, index) => BigInt(index) + 1n);
        const below = byTheHour({ kind: "on_demand" }, { cost, months: 1n, price });
        const above = againstHours({ kind: "monthly", sku: "x" }, { cost, monthly: price });
        const asMuch = hours.find((hour) => compare(cost(hour), limit) >= 0);
        const more = hours.find((hour) => compare(cost(hour), limit) > 0);
        expect(below.breakEven).toBe(asMuch);
        expect(above.breakEven).toBe(more === undefined ? undefined : more - 1n);
      },
    ),
    { numRuns: 30 },
  );
});
