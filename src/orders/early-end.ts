/**
 * What is given back when a customer ends a term early (R-VM-6): of a month or a quarter nothing; of
 * a year what is left when the months that have begun are priced at the monthly list price. Within
 * the days of a cooling-off switch, all of it.
 */
import type { LocalDay } from "#kernel/calendar.ts";
import { daysBetween } from "#kernel/calendar.ts";
import { fen, sumFen, zeroFen, type Fen } from "#kernel/money.ts";

import { monthMark, monthsStarted, type Term } from "./term.ts";

export interface EarlyEnd {
  readonly monthsStarted: number;
  readonly refund: Fen;
  readonly rule: "R-VM-6" | "A-25";
}

export function earlyEnd(ask: {
  readonly term: Term;
  /** For this term, upgrades included. */
  readonly paid: Fen;
  /** The monthly list price of the size that it had at the end of each month, the first is 0. */
  readonly monthlyListOf: (month: number) => Fen;
  /** The original start, and how many months after it the term began. */
  readonly anchor: LocalDay;
  readonly fromMonth: number;
  readonly endsOn: LocalDay;
  readonly coolingOffDays: number;
}): EarlyEnd {
  const { term, paid, anchor, fromMonth, endsOn } = ask;
  const started = monthsStarted({ anchor, fromMonth }, endsOn);
  const termStart = monthMark(anchor, fromMonth);
  if (daysBetween(termStart, endsOn) < ask.coolingOffDays) {
    return { monthsStarted: started, refund: paid, rule: "A-25" };
  }
  const months = Array.from({ length: started }, (_, month) => ask.monthlyListOf(month));
  const used = sumFen(months);
  const refund = term === "annual" && paid > used ? fen(paid - used) : zeroFen;
  return { monthsStarted: started, refund, rule: "R-VM-6" };
}
