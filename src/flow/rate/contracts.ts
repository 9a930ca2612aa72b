/**
 * Rows of `contract_price`: what one tenant pays for a SKU in the place of the list price. What must
 * stay true: a price that a day was or may have been rated by never changes. So it begins at a
 * midnight of the tenant that is still to come; only where there was no price at all, and so nothing
 * was rated, may it begin earlier, on a day that is not posted: that is how a tenant whose rating
 * stands still gets on.
 */
import { z } from "zod";

import { loadPriceBook } from "#catalog/price-profiles.ts";
import { dimensionOf } from "#catalog/sku.ts";
import { brokenConstraint, type Queryable, type Tx } from "#db/pool.ts";
import { sql } from "#db/sql.ts";
import { dayOf, daysOf, isLocalDay, localDay, type LocalDay } from "#kernel/calendar.ts";
import { Failure } from "#kernel/failure.ts";
import { parseRational } from "#kernel/rational.ts";
import type { TimeZone } from "#kernel/zone.ts";

import { priceOn, type ContractPrice } from "./prices.ts";
import { lockRatingAccount } from "./store.ts";

/** Days back that a price may be filled in; longer than any tenant's rating should stand still. */
const backDaysMax = 400;

const row = z
  .object({
    sku: z.string(),
    from_day: z.string().refine(isLocalDay),
    price: z.string().nullable(),
    reason: z.string(),
  })
  .transform((each) => ({
    sku: each.sku,
    from: localDay(each.from_day),
    text: each.price,
    price: each.price === null ? undefined : parseRational(each.price),
    reason: each.reason,
  }));
export type RecordedContractPrice = z.output<typeof row>;

/** By SKU and day. */
export function contractPrices(db: Queryable, tenantId: string): Promise<RecordedContractPrice[]> {
  return db.rows(
    sql`select sku, from_day::text, price, reason from contract_price
      where tenant_id = ${tenantId} order by sku, from_day`,
    row,
  );
}

export interface NewContractPrice {
  readonly sku: string;
  readonly from: LocalDay;
  /** A decimal in yuan per unit; `null` goes back to the price list. */
  readonly price: string | null;
  readonly reason: string;
  /** The tenant's, where his rating has not frozen it. */
  readonly timeZone: TimeZone;
  readonly now: number;
}

/**
 * Throws `rule_violation` for a SKU whose unit nobody knows, for a day that has begun and had a price
 * or is posted, and where another price begins on that day.
 */
export async function setContractPrice(
  tx: Tx,
  tenantId: string,
  ask: NewContractPrice,
): Promise<RecordedContractPrice> {
  const { sku, from, price, reason, now } = ask;
  if (dimensionOf(sku) === undefined) {
    throw new Failure("rule_violation", `${sku} is nothing that is metered.`);
  }
  const account = await lockRatingAccount(tx, tenantId);
  const today = dayOf(account?.timeZone ?? ask.timeZone, now);
  const known = await contractPrices(tx, tenantId);
  if (from <= today) await refuseDaysWithPrice(tx, { ...ask, today, known });
  if (account !== undefined && from <= account.postedThrough) {
    throw new Failure("rule_violation", `${from} is posted; posted days do not change.`);
  }
  try {
    return await tx.one(
      sql`insert into contract_price (tenant_id, sku, from_day, price, reason, created_at)
        values (${tenantId}, ${sku}, ${from}::date, ${price}, ${reason}, ${new Date(now)})
        returning sku, from_day::text, price, reason`,
      row,
    );
  } catch (error) {
    if (brokenConstraint(error) !== "contract_price_pkey") throw error;
    throw new Failure("rule_violation", `Another price of ${sku} begins on ${from}.`, {
      cause: error,
    });
  }
}

async function refuseDaysWithPrice(
  tx: Tx,
  ask: NewContractPrice & {
    readonly today: LocalDay;
    readonly known: readonly ContractPrice[];
  },
): Promise<void> {
  const { sku, from, today, known } = ask;
  const days = daysOf(from, today);
  if (ask.price === null || days.length > backDaysMax) {
    throw new Failure("rule_violation", `Prices change at a midnight to come, after ${today}.`);
  }
  const prices = {
    book: await loadPriceBook(tx),
    contracts: known,
    tierOn: () => "normal" as const,
  };
  const priced = [...days, today].find((day) => priceOn(prices, sku, day).kind === "priced");
  if (priced === undefined) return;
  throw new Failure(
    "rule_violation",
    `${sku} had a price on ${priced}; a price changes at a midnight to come, after ${today}.`,
  );
}
