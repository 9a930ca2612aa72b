/** The prices that an order is made by, and that they are the ones that the customer saw. */
import { loadPriceBook, type PricesInForce } from "#catalog/price-profiles.ts";
import type { Queryable } from "#db/pool.ts";
import { Failure } from "#kernel/failure.ts";
import { formatFen, type Fen } from "#kernel/money.ts";

export { pricesAt } from "#catalog/price-profiles.ts";

/** The version that an order was made by, whatever is in force now. */
export async function pricesOfVersion(db: Queryable, id: string): Promise<PricesInForce> {
  const found = (await loadPriceBook(db)).find((each) => each.id === id);
  if (found !== undefined) return found;
  throw new Failure("unavailable", `The price profile ${id} of this order cannot be read.`);
}

/** Nobody pays what he was not told: throws `conflict` with both amounts if the price is another. */
export function requireQuoted(price: Fen, expected: Fen): void {
  if (price === expected) return;
  throw new Failure(
    "conflict",
    `The price is ${formatFen(price)} CNY now, not ${formatFen(expected)} CNY; ask for a quote and order again.`,
    { details: { price: formatFen(price), expected: formatFen(expected) } },
  );
}

export function tooLittle(asked: Fen, available: Fen): Failure {
  return new Failure(
    "insufficient_credit",
    `That costs ${formatFen(asked)} CNY and ${formatFen(available)} CNY is available. Top up and try again.`,
    { details: { price: formatFen(asked), available: formatFen(available) } },
  );
}

/** What the hold of an order is known by in the ledger, until what was ordered is there. */
export const holdOf = {
  subscription: (id: string): string => `subscription:${id}`,
  upgrade: (id: string): string => `upgrade:${id}`,
  expansion: (id: string): string => `expansion:${id}`,
} as const;
