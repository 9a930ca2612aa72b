/**
 * Builds journals: for every movement of money, the postings that say where it came from and where
 * it went. Pure. An amount in an account's favor is positive; every journal sums to zero, has at
 * least two postings and none of zero, and its `key` names the fact that it books.
 */
import { assert } from "#kernel/assert.ts";
import type { LocalDay } from "#kernel/calendar.ts";
import { addFen, negateFen, subtractFen, sumFen, zeroFen, type Fen } from "#kernel/money.ts";

export const accountKinds = ["wallet", "held", "revenue", "cash"] as const;
export type AccountKind = (typeof accountKinds)[number];

export const journalKinds = [
  "top_up",
  "hold",
  "release",
  "charge",
  "adjustment",
  "credit",
  "void",
] as const;
export type JournalKind = (typeof journalKinds)[number];

export interface Posting {
  readonly account: AccountKind;
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

/** Money that the operator received. `reference` is the bank's or the operator's own. */
export function topUp(ask: { readonly reference: string; readonly amount: Fen }): JournalDraft {
  assert(ask.amount > 0n, "a top-up is more than zero");
  return journal({
    kind: "top_up",
    key: `top-up:${ask.reference}`,
    description: `Payment received: ${ask.reference}`,
    postings: [move("cash", negateFen(ask.amount)), move("wallet", ask.amount)],
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
}): JournalDraft {
  return journal({
    kind: "release",
    key: releaseKey(ask.reference),
    description: "Hold released",
    postings: [move("held", negateFen(ask.amount)), move("wallet", ask.amount)],
  });
}

export function holdKey(reference: string): string {
  return `hold:${reference}`;
}

export function releaseKey(reference: string): string {
  return `release:${reference}`;
}

export interface ChargedLine {
  readonly sku: string;
  /** May be negative in an adjustment, and zero anywhere. */
  readonly amount: Fen;
}

/**
 * The lines of one local day, which become final (R-DAY-3); `undefined` if they cost nothing
 * together and apart, since then nothing moves.
 */
export function charge(ask: {
  readonly day: LocalDay;
  readonly lines: readonly ChargedLine[];
}): JournalDraft | undefined {
  return charged({
    kind: "charge",
    key: `charge:${ask.day}`,
    description: `Usage of ${ask.day}`,
    lines: ask.lines,
  });
}

/** Usage of a posted day that arrived late, or was taken back (R-LATE-1, R-LATE-2). */
export function adjustment(ask: {
  readonly serviceDay: LocalDay;
  readonly revision: number;
  readonly line: ChargedLine;
}): JournalDraft | undefined {
  const { serviceDay, revision, line } = ask;
  return charged({
    kind: "adjustment",
    key: `adjustment:${serviceDay}:${line.sku}:${revision}`,
    description: `Late usage of ${serviceDay}: ${line.sku}`,
    lines: [line],
  });
}

/** A credit note: the operator gives back part of what he charged. */
export function creditNote(ask: {
  readonly reference: string;
  readonly amount: Fen;
  readonly reason: string;
}): JournalDraft {
  assert(ask.amount > 0n, "a credit is more than zero");
  return journal({
    kind: "credit",
    key: `credit:${ask.reference}`,
    description: ask.reason,
    postings: [move("revenue", negateFen(ask.amount)), move("wallet", ask.amount)],
  });
}

/** Takes a journal back by its mirror; the journal itself stays. */
export function voided(ask: {
  readonly id: string;
  readonly postings: readonly Posting[];
  readonly reason: string;
}): JournalDraft {
  return journal({
    kind: "void",
    key: `void:${ask.id}`,
    description: ask.reason,
    voidsId: ask.id,
    postings: ask.postings.map((each) => ({ ...each, amount: negateFen(each.amount) })),
  });
}

export interface Balances {
  /** Not held: what the wallet holds by the postings. */
  readonly wallet: Fen;
  readonly held: Fen;
  /** Rated and not yet posted. */
  readonly provisional: Fen;
}

export interface Credit extends Balances {
  /** All of the tenant's money with us, held or not. */
  readonly balance: Fen;
  /** What he may still spend: balance - provisional - held (R-DAY-3). */
  readonly available: Fen;
}

export function creditOf(balances: Balances): Credit {
  const { wallet, held, provisional } = balances;
  return {
    ...balances,
    balance: addFen(wallet, held),
    available: subtractFen(wallet, provisional),
  };
}

interface Charged {
  readonly kind: "charge" | "adjustment";
  readonly key: string;
  readonly description: string;
  readonly lines: readonly ChargedLine[];
}

function charged({ lines, ...rest }: Charged): JournalDraft | undefined {
  const total = sumFen(lines.map(({ amount }) => amount));
  const postings = [
    { account: "wallet", amount: negateFen(total), note: "" } as const,
    ...lines.map(({ sku, amount }) => ({ account: "revenue", amount, note: sku }) as const),
  ].filter(({ amount }) => amount !== 0n);
  return postings.length === 0 ? undefined : journal({ ...rest, postings });
}

function move(account: AccountKind, amount: Fen): Posting {
  return { account, amount, note: "" };
}

function journal(draft: JournalDraft): JournalDraft {
  const { postings } = draft;
  assert(sumFen(postings.map(({ amount }) => amount)) === zeroFen, "a journal sums to zero");
  assert(postings.length >= 2, "a journal has two postings or more");
  assert(
    postings.every(({ amount }) => amount !== 0n),
    "no posting is zero",
  );
  return draft;
}
