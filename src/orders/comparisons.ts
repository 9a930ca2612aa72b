/**
 * The other ways to buy what is quoted: on demand at the tenant's own prices, jobs paid by a
 * package, by the month, by the year, by the day on top, or a larger size.
 */
import { offeredFlavors } from "#catalog/flavors.ts";
import { loadPriceBook } from "#catalog/price-profiles.ts";
import type { PriceProfile } from "#catalog/profile.ts";
import type { SkuPrice } from "#catalog/sku.ts";
import type { Queryable } from "#db/pool.ts";
import { shapeOf } from "#flow/admit/shape.ts";
import { contractPrices } from "#flow/rate/contracts.ts";
import { priceOn } from "#flow/rate/prices.ts";
import { dayOf } from "#kernel/calendar.ts";
import { fen, type Fen } from "#kernel/money.ts";
import { computeResources, type HeldResource } from "#kernel/resources.ts";
import type { Shape } from "#kernel/shape.ts";

import {
  againstHours,
  bestPackage,
  byTheDaysHour,
  byTheHour,
  daysAgainstSum,
  monthsAgainstYear,
  onDemandCost,
  withPackage,
  type Comparison,
  type HourCost,
} from "./compare.ts";
import { elasticPrice, type ElasticItem } from "./elastic.ts";
import type { Booked } from "./items.ts";
import { packageOffer } from "./package-rules.ts";
import { pricesAt } from "./prices.ts";
import { upgradeCharge } from "./proration.ts";
import type { Period } from "./subscription-periods.ts";
import { monthsOf, type Term } from "./term.ts";
import { termPrice } from "./vm-price.ts";

interface Sold {
  readonly sku: string;
  readonly shape: Shape;
  readonly monthly: Fen;
  readonly annual: Fen;
}

/** Everything that is for sale to one tenant now. */
export interface Market {
  readonly profile: PriceProfile;
  readonly priceOf: (sku: string) => SkuPrice;
  /** By the term, the cheapest first. */
  readonly sold: readonly Sold[];
}

export async function marketOf(db: Queryable, { tenantId, zone, at }: Booked): Promise<Market> {
  const { profile } = await pricesAt(db, at);
  const prices = {
    book: await loadPriceBook(db),
    contracts: await contractPrices(db, tenantId),
    tierOn: () => "normal" as const,
  };
  const today = dayOf(zone, at);
  const sold: Sold[] = [];
  for (const flavor of await offeredFlavors(db)) {
    const { subscriptionSku: sku } = flavor;
    const monthly = sku === null ? undefined : termPrice(profile, sku, "monthly");
    const annual = sku === null ? undefined : termPrice(profile, sku, "annual");
    if (sku === null || monthly === undefined || annual === undefined) continue;
    sold.push({ sku, monthly, annual, shape: shapeOf(flavor, { diskGiB: undefined }) });
  }
  return {
    profile,
    priceOf: (sku) => priceOn(prices, sku, today),
    sold: sold.toSorted((a, b) => (a.monthly < b.monthly ? -1 : a.monthly > b.monthly ? 1 : 0)),
  };
}

/** A term of a machine, or its renewal. */
export function compareTerm(
  market: Market,
  quoted: {
    readonly sku: string;
    readonly shape: Shape;
    readonly term: Term;
    readonly amount: Fen;
  },
): Comparison[] {
  const { sku, term, amount } = quoted;
  const cost = costOf(market, quoted.shape);
  const months = BigInt(monthsOf[term]);
  const monthly = termPrice(market.profile, sku, "monthly");
  const annual = termPrice(market.profile, sku, "annual");
  return [
    ...(cost === undefined
      ? []
      : byHour(market, cost).map(([way, each]) =>
          byTheHour(way, { cost: each, months, price: amount }),
        )),
    ...(monthly === undefined || annual === undefined
      ? []
      : [
          term === "annual"
            ? monthsAgainstYear({ sku, ordered: "annual", monthly, annual: amount })
            : monthsAgainstYear({ sku, ordered: "monthly", monthly, annual }),
        ]),
  ];
}

/** On demand, and as jobs with the best package. */
function byHour({ profile }: Market, cost: HourCost): (readonly [Comparison["way"], HourCost])[] {
  const code = bestPackage(profile);
  return [
    [{ kind: "on_demand" }, cost],
    ...(code === undefined
      ? []
      : [[{ kind: "package", code }, withPackage(profile, code, cost)] as const]),
  ];
}

function costOf({ priceOf }: Market, shape: Shape): HourCost | undefined {
  return onDemandCost(computeResources(shape), priceOf);
}

/** A machine by the hour: by the term it is cheaper from some hours a month on. */
export function compareOnDemand(market: Market, shape: Shape): Comparison[] {
  const cost = costOf(market, shape);
  const sold = market.sold.find((each) => each.shape.flavor === shape.flavor);
  if (cost === undefined || sold === undefined) return [];
  const { sku, monthly, annual } = sold;
  return [
    againstHours({ kind: "monthly", sku }, { cost, monthly }),
    againstHours({ kind: "annual", sku }, { cost, monthly: fen(annual / 12n), term: annual }),
  ];
}

/** Units on top by the day: of another machine on demand or as jobs, or of a larger size. */
export function compareExpansion(
  market: Market,
  quoted: {
    readonly items: readonly ElasticItem[];
    readonly days: number;
    readonly period: Period;
    readonly zone: Booked["zone"];
    readonly at: number;
  },
): Comparison[] {
  const { items, days, period } = quoted;
  const price = elasticPrice(market.profile, items, 1);
  if (price.kind !== "priced") return [];
  const { daily } = price;
  const cost = onDemandCost(items.map(resourceOf), market.priceOf);
  const hours =
    cost === undefined
      ? []
      : byHour(market, cost).map(([way, each]) =>
          byTheDaysHour(way, { cost: each, days: BigInt(days), daily }),
        );
  const larger = market.sold.find(({ shape }) => holds(shape, period.shape, items));
  const oldPrice = termPrice(market.profile, period.sku, period.term);
  const newPrice = larger && termPrice(market.profile, larger.sku, period.term);
  if (larger === undefined || oldPrice === undefined || newPrice === undefined) return hours;
  if (newPrice <= oldPrice) return hours;
  const { charge, remainingDays } = upgradeCharge({
    period: { from: dayOf(quoted.zone, period.fromAt), until: dayOf(quoted.zone, period.untilAt) },
    changeOn: dayOf(quoted.zone, quoted.at),
    oldPrice,
    newPrice,
  });
  return [
    ...hours,
    daysAgainstSum({
      way: { kind: "upgrade", sku: larger.sku },
      ordered: "by_day",
      daily,
      total: charge,
      daysLeft: BigInt(remainingDays),
    }),
  ];
}

function resourceOf({ sku, units }: ElasticItem): HeldResource {
  return { sku, units: BigInt(units), slice: 1n };
}

/** Whether a size has at least what the machine would have with these on top. */
function holds(size: Shape, machine: Shape, items: readonly ElasticItem[]): boolean {
  const more = (sku: string): number => items.find((each) => each.sku === sku)?.units ?? 0;
  const gpus = machine.gpu === null ? 0 : machine.gpu.count + more(`gpu.${machine.gpu.model}`);
  return (
    size.gpu?.model === machine.gpu?.model &&
    (size.gpu?.count ?? 0) >= gpus &&
    size.vcpus >= machine.vcpus + more("cpu.core") &&
    size.memoryMiB >= machine.memoryMiB + more("mem.gib") * 1024
  );
}

/** A larger size for the rest of the term, against the same on top by the day. */
export function compareUpgrade(
  market: Market,
  quoted: {
    readonly from: Shape;
    readonly to: Shape;
    readonly amount: Fen;
    readonly daysLeft: number;
  },
): Comparison[] {
  const { from, to, amount, daysLeft } = quoted;
  const items = [
    { sku: `gpu.${to.gpu?.model ?? ""}`, units: (to.gpu?.count ?? 0) - (from.gpu?.count ?? 0) },
    { sku: "cpu.core", units: to.vcpus - from.vcpus },
    { sku: "mem.gib", units: Math.ceil((to.memoryMiB - from.memoryMiB) / 1024) },
  ].filter(({ units }) => units > 0);
  const price = elasticPrice(market.profile, items, 1);
  if (price.kind !== "priced") return [];
  const total = amount;
  const way = { kind: "expansion" } as const;
  const { daily } = price;
  return [daysAgainstSum({ way, ordered: "sum", daily, total, daysLeft: BigInt(daysLeft) })];
}

/** A package: against jobs without it, the next larger one, and a machine by the month. */
export function comparePackage(market: Market, code: string): Comparison[] {
  const { profile } = market;
  const offer = packageOffer(profile, code);
  if (offer === undefined) return [];
  const listed = Object.keys(profile.packages)
    .flatMap((other) => packageOffer(profile, other) ?? [])
    .toSorted((a, b) => (a.price < b.price ? -1 : 1));
  const larger = listed.find(({ price }) => price > offer.price);
  const machine = market.sold.find(({ shape }) => shape.gpu !== null);
  const cost = machine && costOf(market, machine.shape);
  return [
    {
      way: { kind: "on_demand" },
      amount: offer.credit,
      unit: "yuan",
      cheaper: "below",
      breakEven: offer.price,
    },
    ...(larger === undefined
      ? []
      : [
          {
            way: { kind: "package", code: larger.code },
            amount: larger.price,
            unit: "yuan",
            cheaper: "above",
            breakEven: larger.price,
          } as const,
        ]),
    ...(machine === undefined || cost === undefined
      ? []
      : [
          againstHours(
            { kind: "monthly", sku: machine.sku },
            { cost: withPackage(profile, code, cost), monthly: machine.monthly },
          ),
        ]),
  ];
}
