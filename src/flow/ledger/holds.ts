/**
 * Holds: money set aside before something starts, and given back when it ends. What packages may pay
 * is held on their credit first, as it will be drawn (R-ORD-1), and the rest in the wallet. What must
 * stay true: of two holds at once, only as many are placed as wallet and packages can bear, since
 * each looks under the lock of the wallet's row; a hold is released whole, once, wherever it is.
 */
import type { Tx } from "#db/pool.ts";
import { Failure } from "#kernel/failure.ts";
import { addFen, zeroFen, type Fen } from "#kernel/money.ts";

import { credit, lockCredit } from "./accounts.ts";
import { hold, holdKey, releaseHold, releaseKey, type Credit } from "./decide.ts";
import { packageHold, releasePackageHold } from "./package-holds.ts";
import { openPurse, writeHolds } from "./purse.ts";
import { book, findJournal, type Journal } from "./store.ts";

export interface HoldAsk {
  /** What it is for, e.g. a request's id. */
  readonly reference: string;
  readonly amount: Fen;
  readonly description: string;
  readonly at: number;
}

export type HoldOutcome =
  | { readonly kind: "held"; readonly isNew: boolean; readonly credit: Credit }
  /** Nothing was written. */
  | { readonly kind: "insufficient"; readonly asked: Fen; readonly available: Fen };

/**
 * Sets money aside if it is there. The same reference again is harmless, until it was released:
 * then it names a hold that is over, and `wrong_state` is thrown. What costs nothing needs no hold.
 */
export async function placeHold(tx: Tx, tenantId: string, ask: HoldAsk): Promise<HoldOutcome> {
  const before = await lockCredit(tx, tenantId);
  if (ask.amount <= 0n) return { kind: "held", isNew: false, credit: before };
  const isHeld = (await findJournal(tx, tenantId, holdKey(ask.reference))) !== undefined;
  if (isHeld && (await findJournal(tx, tenantId, releaseKey(ask.reference))) !== undefined) {
    throw isOver(ask.reference);
  }
  if (!isHeld && before.available < ask.amount) {
    return { kind: "insufficient", asked: ask.amount, available: before.available };
  }
  const { isNew } = await book(tx, tenantId, { draft: hold(ask), at: ask.at });
  return { kind: "held", isNew, credit: await credit(tx, tenantId) };
}

/** The same for work that packages may pay: theirs as far as they reach, the rest as `placeHold`. */
export async function placeHoldOnPackages(
  tx: Tx,
  tenantId: string,
  ask: HoldAsk,
): Promise<HoldOutcome> {
  const { reference, amount, at } = ask;
  const before = await lockCredit(tx, tenantId);
  if (amount <= 0n) return { kind: "held", isNew: false, credit: before };
  const backed = await packageHold(tx, tenantId, reference);
  const inWallet = heldBy(await findJournal(tx, tenantId, holdKey(reference)));
  if (backed === undefined && inWallet !== undefined) return placeHold(tx, tenantId, ask);
  if (backed !== undefined) {
    if (backed.isReleased) throw isOver(reference);
    if (addFen(backed.amount, inWallet ?? zeroFen) === amount) {
      return { kind: "held", isNew: false, credit: before };
    }
    throw new Failure("conflict", `The hold ${reference} was placed already, with another amount.`);
  }
  const purse = await openPurse(tx, tenantId, { at, from: "packages" });
  if (!purse.take(ask)) {
    const wallet = purse.wallet();
    const available = addFen(wallet > 0n ? wallet : zeroFen, purse.room());
    return { kind: "insufficient", asked: amount, available };
  }
  await writeHolds(tx, tenantId, purse);
  return { kind: "held", isNew: true, credit: await credit(tx, tenantId) };
}

/** Gives a hold back, once. `not_held` if there is none by that reference. */
export async function releaseHeld(
  tx: Tx,
  tenantId: string,
  { reference, at }: { readonly reference: string; readonly at: number },
): Promise<"released" | "released_before" | "not_held"> {
  const purse = await lockCredit(tx, tenantId);
  const onPackages = await releasePackageHold(tx, tenantId, { reference, at });
  const amountHeld = heldBy(await findJournal(tx, tenantId, holdKey(reference)));
  if (amountHeld === undefined) return onPackages;
  if ((await findJournal(tx, tenantId, releaseKey(reference))) !== undefined) {
    return "released_before";
  }
  await book(tx, tenantId, { draft: releaseHold({ reference, amount: amountHeld, purse }), at });
  return "released";
}

function heldBy(journal: Journal | undefined): Fen | undefined {
  return journal?.postings.find(({ account }) => account === "held")?.amount;
}

function isOver(reference: string): Failure {
  return new Failure("wrong_state", `The hold ${reference} is over; a new one needs a new name.`);
}
