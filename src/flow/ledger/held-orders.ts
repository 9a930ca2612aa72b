/**
 * Orders that are charged when what was ordered is there: the money is held from the order on. What
 * must stay true: the hold ends and the order is charged in one transaction, and such a charge is
 * never refused; where other debts took what was held, the rest is owed.
 */
import type { Tx } from "#db/pool.ts";
import type { Fen } from "#kernel/money.ts";

import { lockCredit } from "./accounts.ts";
import { orderCharge } from "./charges.ts";
import { releaseHeld } from "./holds.ts";
import { book } from "./store.ts";

export async function chargeHeldOrder(
  tx: Tx,
  tenantId: string,
  ask: {
    /** Of the hold. */
    readonly reference: string;
    readonly orderItemId: string;
    readonly sku: string;
    readonly amount: Fen;
    readonly description: string;
    readonly at: number;
  },
): Promise<void> {
  await lockCredit(tx, tenantId);
  await releaseHeld(tx, tenantId, ask);
  if (ask.amount === 0n) return;
  const purse = await lockCredit(tx, tenantId);
  await book(tx, tenantId, { draft: orderCharge({ ...ask, purse }), at: ask.at });
}
