/**
 * What a use comes to at a price, exactly, rounded once to fen: for estimates of one machine or job.
 * The bill itself prices a day's use of the whole account, with bands and packages.
 */
import { amountOf } from "./money.tsx";

interface PricedLine {
  readonly sku: string;
  readonly unitPrice: string | null;
}

interface Used {
  readonly sku: string;
  readonly unit: string;
  readonly quantity: string;
}

export interface CostLine {
  readonly sku: string;
  readonly unit: string;
  readonly quantity: string;
  readonly unitPrice: string | null;
  /** `null` where it has no price. */
  readonly amount: string | null;
}

interface Scaled {
  readonly digits: bigint;
  readonly scale: number;
}

/** By SKU; `total` is of what has a price, from the exact sums. */
export function costOfUse(
  used: readonly Used[],
  prices: readonly PricedLine[],
): { readonly lines: readonly CostLine[]; readonly total: string } {
  const bySku = Map.groupBy(used, ({ sku }) => sku);
  let total: Scaled = { digits: 0n, scale: 0 };
  const lines = [...bySku]
    .toSorted(([a], [b]) => a.localeCompare(b))
    .map(([sku, items]) => {
      const unitPrice = prices.find((line) => line.sku === sku)?.unitPrice ?? null;
      const sum = items.map(({ quantity }) => scaled(quantity)).reduce(plus);
      const cost = unitPrice === null ? undefined : times(sum, scaled(unitPrice));
      if (cost !== undefined) total = plus(total, cost);
      return {
        sku,
        unit: items[0]?.unit ?? "",
        quantity: written(sum),
        unitPrice,
        amount: cost === undefined ? null : inFen(cost),
      };
    });
  return { lines, total: inFen(total) };
}

function scaled(text: string): Scaled {
  const [whole = "0", rest = ""] = text.split(".");
  return /^[0-9]+$/.test(whole) && /^[0-9]*$/.test(rest)
    ? { digits: BigInt(whole + rest), scale: rest.length }
    : { digits: 0n, scale: 0 };
}

function plus(a: Scaled, b: Scaled): Scaled {
  const scale = Math.max(a.scale, b.scale);
  const at = ({ digits, scale: own }: Scaled): bigint => digits * 10n ** BigInt(scale - own);
  return { digits: at(a) + at(b), scale };
}

function times(a: Scaled, b: Scaled): Scaled {
  return { digits: a.digits * b.digits, scale: a.scale + b.scale };
}

/** Half a fen and more is up. */
function inFen({ digits, scale }: Scaled): string {
  const unit = 10n ** BigInt(scale);
  return amountOf((digits * 200n + unit) / (2n * unit));
}

function written({ digits, scale }: Scaled): string {
  const text = String(digits).padStart(scale + 1, "0");
  return scale === 0 ? text : `${text.slice(0, -scale)}.${text.slice(-scale)}`;
}
