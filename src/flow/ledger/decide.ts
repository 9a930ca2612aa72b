/**
 * Journals of money that comes in, is set aside, goes out, or is taken back; and what a tenant may
 * spend. Pure; what every journal obeys is in journal.ts.
 */
import { assert } from "#kernel/assert.ts";
import { addFen, fen, negateFen, subtractFen, sumFen, type Fen } from "#kernel/money.ts";

import {
  intoPurse,
  journal,
  move,
  outOfPurse,
  type JournalDraft,
  type Posting,
  type Purse,
} from "./journal.ts";

/**
 * Money that the operator received: settles what is owed, the rest is the tenant's. `reference` is
 * the bank's or the operator's own, unique for the tenant.
 */
export function topUp(ask: {
  readonly reference: string;
  readonly amount: Fen;
  readonly purse: Purse;
}): JournalDraft {
  assert(ask.amount > 0n, "a top-up is more than zero");
  return journal({
    kind: "top_up",
    key: `top-up:${ask.reference}`,
    description: `Payment received: ${ask.reference}`,
    postings: [move("cash", negateFen(ask.amount)), ...intoPurse(ask.purse, ask.amount)],
  });
}

/** Money of the wallet paid back to the tenant; the caller has seen that it is there. */
export function payout(ask: {
  readonly reference: string;
  readonly amount: Fen;
  readonly reason: string;
}): JournalDraft {
  assert(ask.amount > 0n, "a payout is more than zero");
  return journal({
    kind: "payout",
    key: `payout:${ask.reference}`,
    description: ask.reason,
    postings: [move("wallet", negateFen(ask.amount)), move("cash", ask.amount)],
  });
}

/** Sets money aside before something starts. `reference` is what it is for, e.g. a request's id. */
export function hold(ask: {
  readonly reference: string;
  readonly amount: Fen;
  readonly description: string;
}): JournalDraft {
  assert(ask.amount > 0n, "a hold is more than zero");
  return journal({
    kind: "hold",
    key: holdKey(ask.reference),
    description: ask.description,
    postings: [move("wallet", negateFen(ask.amount)), move("held", ask.amount)],
  });
}

/** Gives back the whole of a hold, once; what was used meanwhile is charged apart from it. */
export function releaseHold(ask: {
  readonly reference: string;
  readonly amount: Fen;
  readonly purse: Purse;
}): JournalDraft {
  return journal({
    kind: "release",
    key: releaseKey(ask.reference),
    description: "Hold released",
    postings: [move("held", negateFen(ask.amount)), ...intoPurse(ask.purse, ask.amount)],
  });
}

export function holdKey(reference: string): string {
  return `hold:${reference}`;
}

export function releaseKey(reference: string): string {
  return `release:${reference}`;
}

/** A credit note: the operator gives back part of what he charged. */
export function creditNote(ask: {
  readonly reference: string;
  readonly amount: Fen;
  readonly reason: string;
  readonly purse: Purse;
}): JournalDraft {
  assert(ask.amount > 0n, "a credit is more than zero");
  return journal({
    kind: "credit",
    key: `credit:${ask.reference}`,
    description: ask.reason,
    postings: [move("revenue", negateFen(ask.amount)), ...intoPurse(ask.purse, ask.amount)],
  });
}

/**
 * Takes a top-up, a credit or a payout back. The other side gets its exact mirror; the tenant's side
 * is paid or received as things are now, since the money may have been spent meanwhile.
 */
export function voided(ask: {
  readonly id: string;
  readonly postings: readonly Posting[];
  readonly reason: string;
  readonly purse: Purse;
}): JournalDraft {
  const given = fen(sumFen(ask.postings.filter(isPurse).map(({ amount }) => amount)));
  const others = ask.postings.filter((each) => !isPurse(each));
  return journal({
    kind: "void",
    key: `void:${ask.id}`,
    description: ask.reason,
    voidsId: ask.id,
    postings: [
      ...others.map((each) => ({ ...each, amount: negateFen(each.amount) })),
      ...(given >= 0n ? outOfPurse(ask.purse, given) : intoPurse(ask.purse, negateFen(given))),
    ],
  });
}

function isPurse({ account }: Posting): boolean {
  return account === "wallet" || account === "receivable";
}

/**
 * Whether two drafts book the same fact. How an amount was split between the wallet and what is owed
 * depends on the moment of the booking and is no part of the fact.
 */
export function isSameFact(
  a: Pick<JournalDraft, "kind" | "postings">,
  b: Pick<JournalDraft, "kind" | "postings">,
): boolean {
  return a.kind === b.kind && factOf(a.postings) === factOf(b.postings);
}

function factOf(postings: readonly Posting[]): string {
  const sums = new Map<string, bigint>();
  for (const posting of postings) {
    const account = isPurse(posting) ? "purse" : posting.account;
    const name = JSON.stringify([account, posting.subject, posting.note]);
    sums.set(name, (sums.get(name) ?? 0n) + posting.amount);
  }
  return JSON.stringify([...sums].map(([name, sum]) => [name, `${sum}`]).toSorted(byName));
}

function byName([a = ""]: readonly string[], [b = ""]: readonly string[]): number {
  return a < b ? -1 : Number(a > b);
}

export interface Balances extends Purse {
  readonly held: Fen;
  /** Rated, not yet posted, and not going to be paid by packages. */
  readonly provisional: Fen;
  /** Held on packages whose credit is gone. */
  readonly uncovered: Fen;
}

export interface Credit extends Balances {
  /** All of the tenant's money with us, held or not, less what he owes; may be negative. */
  readonly balance: Fen;
  /**
   * What he may still spend: balance - provisional - held (R-DAY-3), less what packages cannot cover
   * of what is held on them. Packages come on top.
   */
  readonly available: Fen;
}

export function creditOf(balances: Balances): Credit {
  const { wallet, owed, held, provisional, uncovered } = balances;
  const free = subtractFen(wallet, owed);
  return {
    ...balances,
    balance: addFen(free, held),
    available: subtractFen(free, addFen(provisional, uncovered)),
  };
}
