/** What an attempt comes to is what its owner finds by hand: seconds, price, amount. */
import { expect, test } from "vitest";

import { defaultProfile } from "#catalog/profile.ts";
import { agreedPrice, skuPrice } from "#catalog/sku.ts";
import type { HeldUse } from "#flow/meter/instance-use.ts";
import { localDay } from "#kernel/calendar.ts";
import { interval } from "#kernel/interval.ts";
import { formatFen } from "#kernel/money.ts";
import { formatRational, rational } from "#kernel/rational.ts";
import { roundToFen } from "#kernel/rounding.ts";
import { billingZone } from "#kernel/zone.ts";

import type { PriceOf } from "./decide.ts";
import { costOfUses, type UseCost } from "./use-cost.ts";

const listed: PriceOf = (sku) => skuPrice(defaultProfile, sku);

const agreedFromTheFifth: PriceOf = (sku, day) =>
  day < localDay("2026-05-05") ? listed(sku, day) : agreedPrice(defaultProfile, sku, rational(10n));

function ofMay(text: string): number {
  return Date.parse(`2026-05-${text}+08:00`);
}

function use(from: string, until: string, change: Partial<HeldUse> = {}): HeldUse {
  const span = interval(ofMay(from), ofMay(until));
  return { instanceId: "a", sku: "gpu.A10", units: 1n, slice: 1n, span, billable: true, ...change };
}

function shown({ lines }: UseCost): readonly (readonly unknown[])[] {
  return lines.map(({ sku, seconds, priced }) => [
    sku,
    Number(seconds),
    priced === undefined ? null : formatRational(priced.unitPrice),
    priced === undefined ? null : formatFen(priced.amount),
  ]);
}

const prices = { zone: billingZone, priceOf: listed };

test("R-PAYG-7: what a fault of the platform ended has its seconds and costs nothing; preempted and final attempts are billed for what they ran", () => {
  const lost = use("04T09:00:00", "04T09:40:00", { billable: false });
  const preempted = use("04T09:45:00", "04T10:15:00");
  const final = use("04T10:30:00", "04T11:20:00");
  expect([lost, preempted, final].map((each) => shown(costOfUses([each], prices)))).toEqual([
    [["gpu.A10", 2400, "15", "0.00"]],
    [["gpu.A10", 1800, "15", "7.50"]],
    [["gpu.A10", 3000, "15", "12.50"]],
  ]);
});

test("R-PAYG-5: a price that changes at a midnight gives a line for each; one that stays gives one", () => {
  const overnight = use("04T23:30:00", "05T01:00:00");
  expect(shown(costOfUses([overnight], prices))).toEqual([["gpu.A10", 5400, "15", "22.50"]]);
  expect(
    shown(costOfUses([overnight], { zone: billingZone, priceOf: agreedFromTheFifth })),
  ).toEqual([
    ["gpu.A10", 1800, "15", "7.50"],
    ["gpu.A10", 3600, "10", "10.00"],
  ]);
});

test("R-PAYG-8: a slice costs its share; the sum is of exact amounts; what has no price has no sum", () => {
  const slice = use("04T09:00:00", "04T10:00:00", { slice: 5n });
  expect(shown(costOfUses([slice], prices))).toEqual([["gpu.A10", 3600, "15", "3.00"]]);
  // A second of each is less than half a fen, of both it is more.
  const second = use("04T09:00:00", "04T09:00:01");
  const { lines, exact } = costOfUses([second, { ...second, sku: "gpu.T4" }], prices);
  expect(lines.map(({ priced }) => priced?.amount)).toEqual([0n, 0n]);
  expect(exact === undefined ? undefined : formatFen(roundToFen(exact))).toBe("0.01");
  const unknown = costOfUses([slice, { ...slice, sku: "fpga.X" }], prices);
  expect(unknown.exact).toBeUndefined();
  expect(shown(unknown)[1]).toEqual(["fpga.X", 3600, null, null]);
  expect(shown(costOfUses([use("04T09:00:00", "04T09:00:00")], prices))).toEqual([]);
});
