/**
 * What a journal is: the postings of one fact, on accounts, which sum to zero. Pure. An amount in
 * an account's favor is positive; a journal has two postings or more and none of zero, and its
 * `key` names the fact that it books. The builders stand in decide.ts, charges.ts, packages.ts.
 *
 * What must stay true: money that comes to a tenant settles what he owes before it reaches his
 * wallet, and what his wallet cannot pay is owed. So a wallet is never below zero, and whoever owes
 * has nothing in it.
 */
import { assert } from "#kernel/assert.ts";
import { fen, negateFen, subtractFen, sumFen, zeroFen, type Fen } from "#kernel/money.ts";

export const accountKinds = [
  "wallet",
  "held",
  "revenue",
  "cash",
  "principal",
  "bonus",
  "promotion",
  "breakage",
  "receivable",
] as const;
export type AccountKind = (typeof accountKinds)[number];

export const journalKinds = [
  "top_up",
  "hold",
  "release",
  "charge",
  "adjustment",
  "credit",
  "void",
  "payout",
  "package_purchase",
  "package_refund",
  "breakage",
  "order",
  "order_refund",
  "settlement",
] as const;
export type JournalKind = (typeof journalKinds)[number];

export interface Posting {
  readonly account: AccountKind;
  /** The package's id for `principal` and `bonus`; empty for the others. */
  readonly subject: string;
  /** Never zero. */
  readonly amount: Fen;
  /** What it is for, e.g. the SKU; may be empty. */
  readonly note: string;
}

export interface JournalDraft {
  readonly kind: JournalKind;
  readonly key: string;
  readonly description: string;
  readonly postings: readonly Posting[];
  /** The journal that this one takes back; of a void only. */
  readonly voidsId?: string;
}

/** What a tenant's wallet holds and what he owes, at the moment of the booking (`lockCredit`). */
export interface Purse {
  /** Zero or more. */
  readonly wallet: Fen;
  /** What he owes: zero or more, and zero while there is something in the wallet. */
  readonly owed: Fen;
}

/** Checks a draft; postings of zero are left out, since nothing moves by them. */
export function journal(draft: JournalDraft): JournalDraft {
  const postings = draft.postings.filter(({ amount }) => amount !== 0n);
  assert(sumFen(postings.map(({ amount }) => amount)) === zeroFen, "a journal sums to zero");
  assert(postings.length >= 2, "a journal has two postings or more");
  return { ...draft, postings };
}

export function move(account: AccountKind, amount: Fen, note = ""): Posting {
  return { account, subject: "", amount, note };
}

export function moveOf(
  account: "principal" | "bonus",
  packageId: string,
  { amount, note = "" }: { readonly amount: Fen; readonly note?: string },
): Posting {
  return { account, subject: packageId, amount, note };
}

/** Money for the tenant: first against what he owes, the rest into the wallet. */
export function intoPurse({ owed }: Purse, amount: Fen): Posting[] {
  assert(amount >= 0n, "what comes in is not negative");
  const settled = fen(amount < owed ? amount : owed);
  return [move("receivable", settled), move("wallet", subtractFen(amount, settled))];
}

/** Money from the tenant: from the wallet while it has some; he owes the rest. */
export function outOfPurse({ wallet }: Purse, amount: Fen): Posting[] {
  assert(amount >= 0n, "what is paid is not negative");
  const paid = fen(amount < wallet ? amount : wallet);
  return [
    move("wallet", negateFen(paid)),
    move("receivable", negateFen(subtractFen(amount, paid))),
  ];
}

/** The purse once so much of it was paid; negative where it was given back. */
export function purseLess(
  purse: Purse,
  paid: { readonly wallet: Fen; readonly receivable: Fen },
): Purse {
  return {
    wallet: subtractFen(purse.wallet, paid.wallet),
    owed: fen(purse.owed + paid.receivable),
  };
}
