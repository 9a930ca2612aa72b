/**
 * What a shape costs by use, at list price, as a person reads it before he clicks: of a subscription
 * its storage.
 */
import type { z } from "zod";

import { quote } from "#catalog/quote.ts";
import type { PricesInForce } from "#catalog/price-profiles.ts";
import type { price } from "#contract/schemas/catalog.ts";
import { formatFen } from "#kernel/money.ts";
import { divide, formatRational, rational } from "#kernel/rational.ts";
import { computeResources, storageResources } from "#kernel/resources.ts";
import { roundToFen } from "#kernel/rounding.ts";
import { gibibyte, type Shape } from "#kernel/shape.ts";

import type { Plan } from "./requests.ts";
import type { Priced } from "./work.ts";

export type ShownPrice = z.output<typeof price>;

export function priceOf(
  prices: PricesInForce,
  shape: Shape,
  plan: Plan = "on_demand",
): Priced & { readonly shown: ShownPrice } {
  const compute = plan === "on_demand" ? computeResources(shape) : [];
  const resources = [...compute, ...storageResources(shape)];
  const answer = quote(prices.profile, resources);
  const lines = answer.lines.map((line) => ({
    sku: line.sku,
    units:
      line.sku === "storage"
        ? formatRational(divide(line.units, rational(BigInt(gibibyte))))
        : formatRational(line.units),
    unit: line.price.kind === "priced" ? line.price.unit : "",
    unitPrice: line.price.kind === "priced" ? formatRational(line.price.listPrice) : null,
    hourly: line.price.kind === "priced" ? formatFen(roundToFen(line.price.hourly)) : null,
  }));
  if (answer.kind === "on_request") {
    return {
      hourly: undefined,
      shown: {
        status: "on_request",
        hourly: null,
        daily: null,
        monthly: null,
        lines,
        profile: labelOf(prices),
      },
    };
  }
  return {
    hourly: answer.hourly,
    shown: {
      status: "priced",
      hourly: formatFen(answer.hourly),
      daily: formatFen(answer.daily),
      monthly: formatFen(answer.monthly),
      lines,
      profile: labelOf(prices),
    },
  };
}

export function labelOf(prices: Pick<PricesInForce, "name" | "version">): string {
  return `${prices.name} v${prices.version}`;
}
