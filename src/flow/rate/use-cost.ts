/**
 * What one machine's use comes to at the prices of its days, so that it can be checked by hand: seconds,
 * price, amount. Before bands and packages, which are of a day's use of the whole account (decide.ts): a
 * bill can be less. Pure. What must stay true: what a fault of the platform ended costs nothing
 * (R-PAYG-7), and an amount is rounded once.
 */
import type { HeldUse } from "#flow/meter/instance-use.ts";
import { inPriceUnits, type PriceUnit } from "#catalog/sku.ts";
import { splitAtMidnights } from "#kernel/calendar.ts";
import { wholeSeconds } from "#kernel/interval.ts";
import type { Fen } from "#kernel/money.ts";
import { formatRational, multiply, rational, sum, zero, type Rational } from "#kernel/rational.ts";
import { roundToFen } from "#kernel/rounding.ts";
import type { TimeZone } from "#kernel/zone.ts";

import type { PriceOf } from "./decide.ts";

export interface UseLine {
  readonly sku: string;
  /** For how long it was held. */
  readonly seconds: bigint;
  /** How much of it: GPUs, cores, GiB. */
  readonly held: Rational;
  readonly billable: boolean;
  /** `undefined`: it has no price. */
  readonly priced:
    | {
        readonly unit: PriceUnit;
        readonly quantity: Rational;
        /** Yuan per unit. */
        readonly unitPrice: Rational;
        readonly exact: Rational;
        readonly amount: Fen;
      }
    | undefined;
}

export interface UseCost {
  /** One for each SKU; more where its price changed at a midnight. */
  readonly lines: readonly UseLine[];
  /** `undefined` where something that is billed has no price. */
  readonly exact: Rational | undefined;
}

/** Of one instance. */
export function costOfUses(
  uses: readonly HeldUse[],
  { zone, priceOf }: { readonly zone: TimeZone; readonly priceOf: PriceOf },
): UseCost {
  const parts = uses.flatMap((use) => {
    const held = rational(use.units, use.slice);
    return splitAtMidnights(zone, use.span).map(({ day, part }) => {
      const price = priceOf(use.sku, day);
      const unitPrice = price.kind === "priced" ? formatRational(price.listPrice) : "";
      const key = `${use.sku} ${formatRational(held)} ${unitPrice} ${use.billable}`;
      return { key, use, held, price, seconds: wholeSeconds(part) };
    });
  });
  const lines = [...Map.groupBy(parts, ({ key }) => key).values()].flatMap((same): UseLine[] => {
    const [first] = same;
    const seconds = same.reduce((all, part) => all + part.seconds, 0n);
    if (first === undefined || seconds === 0n) return [];
    const { use, held, price } = first;
    const line = { sku: use.sku, seconds, held, billable: use.billable };
    if (price.kind !== "priced") return [{ ...line, priced: undefined }];
    const quantity = inPriceUnits(price, multiply(held, rational(seconds)));
    const exact = use.billable ? multiply(quantity, price.listPrice) : zero;
    const { unit, listPrice: unitPrice } = price;
    return [{ ...line, priced: { unit, quantity, unitPrice, exact, amount: roundToFen(exact) } }];
  });
  const isPriced = lines.every(({ billable, priced }) => !billable || priced !== undefined);
  return {
    lines,
    exact: isPriced ? sum(lines.map(({ priced }) => priced?.exact ?? zero)) : undefined,
  };
}
