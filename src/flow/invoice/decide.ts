/**
 * A statement: the lines of a period, their sums, and the tax inside. Pure; the same lines give the
 * same bytes. The JSON form is what the API answers and what an invoice keeps; csv.ts, text.ts,
 * xlsx.ts and pdf.ts write the same figures for a spreadsheet and for a person.
 *
 * What must stay true: the total is the sum of the lines to the fen, what paid a line is its amount,
 * net + VAT is the total, and tax is computed once from the total, never per line (R-TAX-1).
 */
import type { LocalDay } from "#kernel/calendar.ts";
import { addFen, formatFen, sumFen, zeroFen, type Fen } from "#kernel/money.ts";
import type { Rational } from "#kernel/rational.ts";
import { formatRounded } from "#kernel/rounding.ts";
import type { TimeZone } from "#kernel/zone.ts";

import type { Language } from "./words.ts";

/** Hours and GiB·days are shown so far; the line is rated on exact seconds. */
const quantityDigits = 6;

/** What paid a line; together they are its amount. Of a line that is not posted, what would. */
export interface PaidBy {
  readonly package: Fen;
  readonly bonus: Fen;
  readonly balance: Fen;
  /** Not paid yet when it was posted. */
  readonly owed: Fen;
}

/** The range of the metering log that a line rests on. */
export interface LeafRange {
  readonly first: number;
  readonly last: number;
  /** How many of them are of this line. */
  readonly count: number;
}

export type Description = Readonly<Record<Language, string>>;
export const noDescription: Description = { en: "", "zh-CN": "" };

export interface StatementLine {
  /** `order`: bought ahead of use, one line at its time. */
  readonly kind: "usage" | "order";
  readonly date: LocalDay;
  readonly sku: string;
  /** Of orders; empty for usage. */
  readonly description: Description;
  /** 0 is the day's own line; above it, late usage of that day. */
  readonly revision: number;
  /** In `unit`. */
  readonly quantity: Rational;
  readonly unit: string;
  readonly listPrice: string;
  readonly multiplier: string;
  readonly amount: Fen;
  readonly paidBy: PaidBy;
  readonly leaves: LeafRange | null;
  readonly state: "provisional" | "posted";
}

export interface Checkpoint {
  /** So many entries it covers. */
  readonly size: number;
  /** Root hash of the tree, in base64. */
  readonly root: string;
}

export interface StatementAsk {
  readonly tenant: { readonly id: string; readonly name: string };
  /** First and last local day. */
  readonly from: LocalDay;
  readonly through: LocalDay;
  readonly timeZone: TimeZone;
  /** In the order in which they are to be shown. */
  readonly lines: readonly StatementLine[];
  /** Net and VAT of a gross amount, under the profile of the period's last day. */
  readonly splitTax: (gross: Fen) => { readonly net: Fen; readonly vat: Fen };
  readonly vatRate: string;
  /** The price profile versions that the lines were rated by. */
  readonly profile: string;
  /** The checkpoint of the metering log that the lines rest on. */
  readonly checkpoint: Checkpoint | null;
}

type Shown<T> = { readonly [K in keyof T]: string };

/** Amounts are decimal strings, as on the wire. */
export interface Statement {
  readonly checkpoint: Checkpoint | null;
  readonly tenant: { readonly id: string; readonly name: string };
  readonly from: string;
  readonly through: string;
  readonly timeZone: string;
  readonly currency: "CNY";
  readonly lines: readonly ShownLine[];
  readonly totals: readonly { readonly sku: string; readonly amount: string }[];
  readonly total: string;
  readonly net: string;
  readonly vat: string;
  readonly vatRate: string;
  /** What paid the total. */
  readonly paidBy: Shown<PaidBy>;
  readonly profile: string;
}

export interface ShownLine {
  readonly kind: "usage" | "order";
  readonly date: string;
  readonly sku: string;
  readonly description: Description;
  readonly revision: number;
  readonly quantity: string;
  readonly unit: string;
  readonly listPrice: string;
  readonly multiplier: string;
  readonly amount: string;
  readonly paidBy: Shown<PaidBy>;
  readonly leaves: LeafRange | null;
  readonly state: "provisional" | "posted";
}

/** The signed checkpoint has every entry of the log that its lines rest on; without one they rest on none. */
export function isCovered({ lines, checkpoint }: Pick<Statement, "lines" | "checkpoint">): boolean {
  const size = checkpoint?.size ?? 0;
  return lines.every(({ leaves }) => (leaves?.last ?? -1) < size);
}

/**
 * Fields are written in the order of their names, here and below, so that `JSON.stringify` of a
 * statement is its canonical form (RFC 8785); a property test compares them.
 */
export function statementOf(ask: StatementAsk): Statement {
  const { tenant, from, through, timeZone, lines, vatRate, profile, checkpoint } = ask;
  const total = sumFen(lines.map(({ amount }) => amount));
  const { net, vat } = ask.splitTax(total);
  return {
    checkpoint: checkpoint === null ? null : { root: checkpoint.root, size: checkpoint.size },
    currency: "CNY",
    from,
    lines: lines.map(shownLine),
    net: formatFen(net),
    paidBy: shownPaid({
      package: sumFen(lines.map(({ paidBy }) => paidBy.package)),
      bonus: sumFen(lines.map(({ paidBy }) => paidBy.bonus)),
      balance: sumFen(lines.map(({ paidBy }) => paidBy.balance)),
      owed: sumFen(lines.map(({ paidBy }) => paidBy.owed)),
    }),
    profile,
    tenant: { id: tenant.id, name: tenant.name },
    through,
    timeZone,
    total: formatFen(total),
    totals: totalsBySku(lines),
    vat: formatFen(vat),
    vatRate,
  };
}

function shownLine(line: StatementLine): ShownLine {
  const { description, leaves } = line;
  return {
    amount: formatFen(line.amount),
    date: line.date,
    description: { en: description.en, "zh-CN": description["zh-CN"] },
    kind: line.kind,
    leaves:
      leaves === null ? null : { count: leaves.count, first: leaves.first, last: leaves.last },
    listPrice: line.listPrice,
    multiplier: line.multiplier,
    paidBy: shownPaid(line.paidBy),
    quantity: formatRounded(line.quantity, quantityDigits),
    revision: line.revision,
    sku: line.sku,
    state: line.state,
    unit: line.unit,
  };
}

function shownPaid(paid: PaidBy): Shown<PaidBy> {
  return {
    balance: formatFen(paid.balance),
    bonus: formatFen(paid.bonus),
    owed: formatFen(paid.owed),
    package: formatFen(paid.package),
  };
}

function totalsBySku(lines: readonly StatementLine[]): { sku: string; amount: string }[] {
  const totals = new Map<string, Fen>();
  for (const { sku, amount } of lines) {
    totals.set(sku, addFen(totals.get(sku) ?? zeroFen, amount));
  }
  return [...totals]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([sku, amount]) => ({ amount: formatFen(amount), sku }));
}
