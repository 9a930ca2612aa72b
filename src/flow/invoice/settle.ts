/**
 * What of each invoice is still owed, and what state that makes. Pure. Money settles the oldest debt
 * first, so the newest debts that sum to what is owed are the ones not settled.
 */
import type { LocalDay, LocalMonth } from "#kernel/calendar.ts";
import { subtractFen, zeroFen, type Fen } from "#kernel/money.ts";

export type InvoiceState = "final" | "paid" | "overdue" | "void";

export interface Debt {
  readonly id: string;
  /** What was not paid when it was posted. */
  readonly owed: Fen;
}

/**
 * What of each is not settled yet. `newer` is what became owed after the newest of them: of lines
 * that no invoice has yet.
 */
export function outstandingOf(
  owedInAll: Fen,
  newer: Fen,
  newestFirst: readonly Debt[],
): ReadonlyMap<string, Fen> {
  let rest = subtractFen(owedInAll, least(owedInAll, newer));
  const outstanding = new Map<string, Fen>();
  for (const { id, owed } of newestFirst) {
    const part = owed > 0n ? least(owed, rest) : zeroFen;
    outstanding.set(id, part);
    rest = subtractFen(rest, part);
  }
  return outstanding;
}

export function stateOf(ask: {
  readonly outstanding: Fen;
  /** Last day on which it may be paid. */
  readonly dueOn: LocalDay;
  readonly today: LocalDay;
}): Exclude<InvoiceState, "void"> {
  if (ask.outstanding === 0n) return "paid";
  return ask.today > ask.dueOn ? "overdue" : "final";
}

/**
 * The state of a month that has no invoice yet: `open` while its days go on, then `draft` until the
 * last of them is posted (R-INV-1).
 */
export function unclosedState(month: LocalMonth, today: LocalDay): "open" | "draft" {
  return today.slice(0, month.length) > month ? "draft" : "open";
}

function least(a: Fen, b: Fen): Fen {
  return a < b ? a : b;
}
