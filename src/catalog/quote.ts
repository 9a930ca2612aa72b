/**
 * What a set of resources costs while it is held: shown before a customer clicks, and the figure
 * that admission holds credit by. At list price: bands only ever make it less. A day is 24 hours
 * and a month 30 days (720 hours), whatever the calendar says; the bill itself counts seconds.
 */
import type { Fen } from "#kernel/money.ts";
import { multiply, rational, sum, type Rational } from "#kernel/rational.ts";
import { roundToFen } from "#kernel/rounding.ts";

import type { PriceProfile } from "./profile.ts";
import { hourlyListPrice, skuPrice, type PriceUnit } from "./sku.ts";

export const hoursPerQuotedDay = 24n;
export const hoursPerQuotedMonth = 720n;

/** `units / slice` of a SKU: one T4 quarter is 1 and 4; storage is in bytes. */
export interface Resource {
  readonly sku: string;
  readonly units: bigint;
  /** At least 1. */
  readonly slice: bigint;
}

export interface QuoteLine {
  readonly sku: string;
  /** In SKU units: GPUs, cores, GiB of memory; bytes of storage. */
  readonly units: Rational;
  readonly price:
    | {
        readonly kind: "priced";
        readonly unit: PriceUnit;
        readonly listPrice: Rational;
        /** Exact yuan per hour for all units of the line. */
        readonly hourly: Rational;
      }
    | { readonly kind: "on_request" };
}

export type Quote =
  | {
      readonly kind: "priced";
      readonly lines: readonly QuoteLine[];
      /** Exact yuan per hour; the other three are it, multiplied and rounded once each. */
      readonly hourlyExact: Rational;
      readonly hourly: Fen;
      readonly daily: Fen;
      readonly monthly: Fen;
    }
  /** At least one SKU has no price, so the set cannot be ordered. */
  | {
      readonly kind: "on_request";
      readonly lines: readonly QuoteLine[];
      readonly skus: readonly string[];
    };

export function quote(profile: PriceProfile, resources: readonly Resource[]): Quote {
  const lines = resources.map((resource) => quoteLine(profile, resource));
  const unpriced = lines.filter(({ price }) => price.kind === "on_request").map(({ sku }) => sku);
  if (unpriced.length > 0) return { kind: "on_request", lines, skus: [...new Set(unpriced)] };
  const hourlyExact = sum(
    lines.flatMap(({ price }) => (price.kind === "priced" ? [price.hourly] : [])),
  );
  return {
    kind: "priced",
    lines,
    hourlyExact,
    hourly: roundToFen(hourlyExact),
    daily: costOf(hourlyExact, hoursPerQuotedDay),
    monthly: costOf(hourlyExact, hoursPerQuotedMonth),
  };
}

/** What holding the quoted set for so many hours costs, rounded once; for the size of a hold. */
export function costOf(hourlyExact: Rational, hours: bigint): Fen {
  return roundToFen(multiply(hourlyExact, rational(hours)));
}

function quoteLine(profile: PriceProfile, { sku, units, slice }: Resource): QuoteLine {
  const share = rational(units, slice);
  const price = skuPrice(profile, sku);
  if (price.kind === "on_request") return { sku, units: share, price: { kind: "on_request" } };
  return {
    sku,
    units: share,
    price: {
      kind: "priced",
      unit: price.unit,
      listPrice: price.listPrice,
      hourly: multiply(hourlyListPrice(price), share),
    },
  };
}
