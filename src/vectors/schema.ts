/** Shapes that the kinds of pricing vectors share, and what a kind is: a function of its input. */
import { z } from "zod";

import type { PriceProfile } from "#catalog/profile.ts";
import { skuPrice, type PricedSku, type SkuPrice } from "#catalog/sku.ts";
import { costOfStep } from "#flow/rate/bands.ts";
import { localDay, localMonth } from "#kernel/calendar.ts";
import { Failure } from "#kernel/failure.ts";
import { parseFen, type Fen } from "#kernel/money.ts";
import { parseRational, zero, type Rational } from "#kernel/rational.ts";
import { roundToFen } from "#kernel/rounding.ts";
import { timeZone } from "#kernel/zone.ts";

export type VectorAnswer =
  | { readonly kind: "got"; readonly got: unknown }
  | { readonly kind: "unsupported"; readonly name: string };

export type VectorKind = (input: unknown, profile: PriceProfile) => VectorAnswer;

/** A kind that takes this input and always has an answer. */
export function kindOf<T extends z.ZodType>(
  input: T,
  answer: (input: z.output<T>, profile: PriceProfile) => unknown,
): VectorKind {
  return (json, profile) => ({ kind: "got", got: answer(input.parse(json), profile) });
}

export const decimal = z.string().transform((text) => parseRational(text));
export const yuan = z.string().transform((text) => parseFen(text));
export const day = z.string().transform((text) => localDay(text));
export const month = z.string().transform((text) => localMonth(text));
export const zone = z.string().transform((name) => timeZone(name));
export const instant = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text));
export const tier = z.enum(["normal", "gold", "diamond"]);
export const count = z
  .int()
  .min(0)
  .transform((value) => BigInt(value));

/** A vector may only ask for the price of what has one. */
export function priced(price: SkuPrice): PricedSku {
  if (price.kind === "priced") return price;
  throw new Failure("rule_violation", `${price.sku} has no price in this profile.`);
}

/** The rounded cost of a quantity (in base units) that is all of its month. */
export function monthCost(profile: PriceProfile, sku: string, quantity: Rational): Fen {
  const price = priced(skuPrice(profile, sku));
  return roundToFen(costOfStep(price, { before: zero, after: quantity }));
}
