/**
 * What is bought from the wallet: packages and orders, and their refunds. What must stay true: of
 * two purchases at once only as many go through as the wallet can bear, since each looks under the
 * lock of the wallet's row; and each is paid once, by its id.
 */
import type { Tx } from "#db/pool.ts";
import { sql } from "#db/sql.ts";
import type { LocalDay } from "#kernel/calendar.ts";
import { Failure } from "#kernel/failure.ts";
import { negateFen, zeroFen, type Fen } from "#kernel/money.ts";

import { lockCredit, packageCredit, type PackageCredit } from "./accounts.ts";
import { orderCharge, orderRefund } from "./charges.ts";
import { payout } from "./decide.ts";
import { breakage, packagePurchase, packageRefund, type PackageBalance } from "./packages.ts";
import { book, findJournal, type Booking } from "./store.ts";

export type PurchaseOutcome =
  | { readonly kind: "paid"; readonly isNew: boolean }
  /** Nothing was written. */
  | { readonly kind: "insufficient"; readonly asked: Fen; readonly available: Fen };

export interface PackageAsk {
  /** The package's own id, a uuid; names its accounts. */
  readonly packageId: string;
  readonly code: string;
  readonly price: Fen;
  readonly bonus: Fen;
  /** Local days, both included, and the midnight after them (R-PKG-2). */
  readonly usableFrom: LocalDay;
  readonly usableThrough: LocalDay;
  readonly expiresAt: number;
  readonly at: number;
}

/** Buys a package from the wallet: its credit can be drawn down from this commit on. */
export async function buyPackage(
  tx: Tx,
  tenantId: string,
  ask: PackageAsk,
): Promise<PurchaseOutcome> {
  const { available } = await lockCredit(tx, tenantId);
  const known = await packageCredit(tx, tenantId, ask.packageId);
  if (known === undefined && available < ask.price) {
    return { kind: "insufficient", asked: ask.price, available };
  }
  const { isNew } = await book(tx, tenantId, { draft: packagePurchase(ask), at: ask.at });
  if (known === undefined) {
    await tx.execute(sql`
      insert into package_credit (tenant_id, id, usable_from, usable_through, expires_at)
      values (${tenantId}, ${ask.packageId}, ${ask.usableFrom}::date, ${ask.usableThrough}::date,
        ${new Date(ask.expiresAt)})`);
  }
  return { kind: "paid", isNew };
}

export type RefundOutcome =
  /** `left` is what it had: its principal went to the wallet, its bonus is void. */
  | { readonly kind: "refunded"; readonly left: PackageBalance; readonly isNew: boolean }
  | { readonly kind: "expired" }
  | { readonly kind: "not_found" };

/**
 * R-PKG-7, once. That it has not expired by the clock is for the caller to see: here it is expired
 * when its rest was forfeited.
 */
export async function refundPackage(
  tx: Tx,
  tenantId: string,
  { packageId, at }: { readonly packageId: string; readonly at: number },
): Promise<RefundOutcome> {
  const purse = await lockCredit(tx, tenantId);
  const found = await packageCredit(tx, tenantId, packageId);
  if (found === undefined) return { kind: "not_found" };
  if (found.endedAs === "expired") return { kind: "expired" };
  if (found.endedAs === "refunded") {
    const before = await findJournal(tx, tenantId, `package-refund:${packageId}`);
    const of = (account: string): Fen => {
      const taken = before?.postings.find((posting) => posting.account === account)?.amount;
      return negateFen(taken ?? zeroFen);
    };
    return {
      kind: "refunded",
      left: { principal: of("principal"), bonus: of("bonus") },
      isNew: false,
    };
  }
  const draft = packageRefund({ packageId, left: found, purse });
  if (draft !== undefined) await book(tx, tenantId, { draft, at });
  // What it would have paid of the last days is the wallet's from now on, not from the next rating on.
  await tx.execute(sql`
    update account set provisional = provisional + ${found.provisional}::int8
    where tenant_id = ${tenantId} and kind = 'wallet' and subject = ''
      and ${found.provisional}::int8 <> 0`);
  await end(tx, tenantId, { packageId, as: "refunded" });
  return { kind: "refunded", left: leftOf(found), isNew: true };
}

/**
 * R-PKG-6: forfeits the rest, dated at the package's expiry. For the rater, once the last day that
 * the package pays for is posted; gives what was forfeited.
 */
export async function expirePackage(
  tx: Tx,
  tenantId: string,
  packageId: string,
): Promise<PackageBalance> {
  await lockCredit(tx, tenantId);
  const found = await packageCredit(tx, tenantId, packageId);
  if (found === undefined || found.endedAs !== undefined) {
    return { principal: zeroFen, bonus: zeroFen };
  }
  const draft = breakage({ packageId, left: found });
  if (draft !== undefined) await book(tx, tenantId, { draft, at: found.expiresAt });
  await end(tx, tenantId, { packageId, as: "expired" });
  return leftOf(found);
}

/** A later last day (`on_expiry: extend`). `wrong_state` once it has ended or for an earlier day. */
export async function extendPackage(
  tx: Tx,
  tenantId: string,
  ask: {
    readonly packageId: string;
    readonly usableThrough: LocalDay;
    readonly expiresAt: number;
  },
): Promise<void> {
  await lockCredit(tx, tenantId);
  const extended = await tx.execute(sql`
    update package_credit set usable_through = ${ask.usableThrough}::date,
      expires_at = ${new Date(ask.expiresAt)}
    where tenant_id = ${tenantId} and id = ${ask.packageId} and ended_as is null
      and usable_through <= ${ask.usableThrough}::date`);
  if (extended === 0) {
    throw new Failure("wrong_state", "A package is extended while it is open, to a later day.");
  }
}

/** One order item, paid from the wallet. What costs nothing is paid without a journal. */
export async function chargeOrder(
  tx: Tx,
  tenantId: string,
  ask: {
    readonly orderItemId: string;
    readonly sku: string;
    readonly amount: Fen;
    readonly description: string;
    readonly at: number;
  },
): Promise<PurchaseOutcome> {
  const credit = await lockCredit(tx, tenantId);
  if (ask.amount === zeroFen) return { kind: "paid", isNew: false };
  const known = await findJournal(tx, tenantId, `order:${ask.orderItemId}`);
  if (known === undefined && credit.available < ask.amount) {
    return { kind: "insufficient", asked: ask.amount, available: credit.available };
  }
  const draft = orderCharge({ ...ask, purse: credit });
  const { isNew } = await book(tx, tenantId, { draft, at: ask.at });
  return { kind: "paid", isNew };
}

/** Gives an order back, whole or in part; `refundId` is the key. */
export async function refundOrder(
  tx: Tx,
  tenantId: string,
  ask: {
    readonly refundId: string;
    readonly sku: string;
    readonly amount: Fen;
    readonly description: string;
    readonly at: number;
  },
): Promise<Booking> {
  const purse = await lockCredit(tx, tenantId);
  return book(tx, tenantId, { draft: orderRefund({ ...ask, purse }), at: ask.at });
}

/** Pays money of the wallet back to the tenant, if it is there. `reference` is the key. */
export async function payOut(
  tx: Tx,
  tenantId: string,
  ask: {
    readonly reference: string;
    readonly amount: Fen;
    readonly reason: string;
    readonly at: number;
  },
): Promise<PurchaseOutcome> {
  const { available } = await lockCredit(tx, tenantId);
  const known = await findJournal(tx, tenantId, `payout:${ask.reference}`);
  if (known === undefined && available < ask.amount) {
    return { kind: "insufficient", asked: ask.amount, available };
  }
  const { isNew } = await book(tx, tenantId, { draft: payout(ask), at: ask.at });
  return { kind: "paid", isNew };
}

async function end(
  tx: Tx,
  tenantId: string,
  { packageId, as }: { readonly packageId: string; readonly as: "refunded" | "expired" },
): Promise<void> {
  await tx.execute(sql`
    update package_credit set ended_as = ${as}, provisional = 0
    where tenant_id = ${tenantId} and id = ${packageId}`);
}

function leftOf({ principal, bonus }: PackageCredit): PackageBalance {
  return { principal, bonus };
}
