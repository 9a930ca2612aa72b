/**
 * Holds: money set aside before something starts, and given back when it ends. What must stay
 * true: of two holds at once, only as many are placed as the wallet can bear, since each looks
 * under the lock of the wallet's row.
 */
import type { Tx } from "#db/pool.ts";
import { Failure } from "#kernel/failure.ts";
import type { Fen } from "#kernel/money.ts";

import { credit, lockCredit } from "./accounts.ts";
import { hold, holdKey, releaseHold, releaseKey, type Credit } from "./decide.ts";
import { book, findJournal } from "./store.ts";

export type HoldOutcome =
  | { readonly kind: "held"; readonly isNew: boolean; readonly credit: Credit }
  /** Nothing was written. */
  | { readonly kind: "insufficient"; readonly asked: Fen; readonly available: Fen };

/**
 * Sets money aside if it is there. The same reference again is harmless, until it was released:
 * then it names a hold that is over, and `wrong_state` is thrown. What costs nothing needs no hold.
 */
export async function placeHold(
  tx: Tx,
  tenantId: string,
  ask: {
    readonly reference: string;
    readonly amount: Fen;
    readonly description: string;
    readonly at: number;
  },
): Promise<HoldOutcome> {
  const before = await lockCredit(tx, tenantId);
  if (ask.amount <= 0n) return { kind: "held", isNew: false, credit: before };
  const isHeld = (await findJournal(tx, tenantId, holdKey(ask.reference))) !== undefined;
  if (isHeld && (await findJournal(tx, tenantId, releaseKey(ask.reference))) !== undefined) {
    throw new Failure(
      "wrong_state",
      `The hold ${ask.reference} is over; a new one needs a new name.`,
    );
  }
  if (!isHeld && before.available < ask.amount) {
    return { kind: "insufficient", asked: ask.amount, available: before.available };
  }
  const { isNew } = await book(tx, tenantId, { draft: hold(ask), at: ask.at });
  return { kind: "held", isNew, credit: await credit(tx, tenantId) };
}

/** Gives a hold back, once. `not_held` if there is none by that reference. */
export async function releaseHeld(
  tx: Tx,
  tenantId: string,
  { reference, at }: { readonly reference: string; readonly at: number },
): Promise<"released" | "released_before" | "not_held"> {
  const purse = await lockCredit(tx, tenantId);
  const held = await findJournal(tx, tenantId, holdKey(reference));
  const amountHeld = held?.postings.find(({ account }) => account === "held")?.amount;
  if (amountHeld === undefined) return "not_held";
  if ((await findJournal(tx, tenantId, releaseKey(reference))) !== undefined) {
    return "released_before";
  }
  await book(tx, tenantId, { draft: releaseHold({ reference, amount: amountHeld, purse }), at });
  return "released";
}
