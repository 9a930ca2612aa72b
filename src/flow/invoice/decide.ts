/**
 * A statement: the charge lines of a period, their sums, and the tax inside. Pure; the same lines
 * give the same bytes. The JSON form is what the API answers and what a closed month keeps; csv.ts
 * and text.ts write the same figures for a spreadsheet and for a person.
 *
 * What must stay true: the total is the sum of the lines to the fen, net + VAT is the total, and
 * tax is computed once from the total, never per line (R-TAX-1).
 */
import type { LocalDay } from "#kernel/calendar.ts";
import { addFen, formatFen, sumFen, zeroFen, type Fen } from "#kernel/money.ts";
import type { Rational } from "#kernel/rational.ts";
import { formatRounded } from "#kernel/rounding.ts";
import type { TimeZone } from "#kernel/zone.ts";

/** Hours and GiB·days are shown so far; the line is rated on exact seconds. */
const quantityDigits = 6;

export interface ChargedLine {
  readonly date: LocalDay;
  readonly sku: string;
  /** In `unit`. */
  readonly quantity: Rational;
  readonly unit: string;
  readonly listPrice: string;
  readonly multiplier: string;
  readonly amount: Fen;
  readonly state: "provisional" | "posted";
}

export interface StatementAsk {
  readonly tenant: { readonly id: string; readonly name: string };
  /** First and last local day. */
  readonly from: LocalDay;
  readonly through: LocalDay;
  readonly timeZone: TimeZone;
  /** In the order in which they are to be shown. */
  readonly lines: readonly ChargedLine[];
  /** Net and VAT of a gross amount, under the profile of the period's last day. */
  readonly splitTax: (gross: Fen) => { readonly net: Fen; readonly vat: Fen };
  readonly vatRate: string;
  /** The price profile versions that the lines were rated by. */
  readonly profile: string;
}

/** Amounts are decimal strings, as on the wire. */
export interface Statement {
  readonly tenant: { readonly id: string; readonly name: string };
  readonly from: string;
  readonly through: string;
  readonly timeZone: string;
  readonly currency: "CNY";
  readonly lines: readonly {
    readonly date: string;
    readonly sku: string;
    readonly quantity: string;
    readonly unit: string;
    readonly listPrice: string;
    readonly multiplier: string;
    readonly amount: string;
    readonly state: "provisional" | "posted";
  }[];
  readonly totals: readonly { readonly sku: string; readonly amount: string }[];
  readonly total: string;
  readonly net: string;
  readonly vat: string;
  readonly vatRate: string;
  readonly profile: string;
}

export function statementOf(ask: StatementAsk): Statement {
  const { tenant, from, through, timeZone, lines, vatRate, profile } = ask;
  const total = sumFen(lines.map(({ amount }) => amount));
  const { net, vat } = ask.splitTax(total);
  return {
    tenant,
    from,
    through,
    timeZone,
    currency: "CNY",
    lines: lines.map((line) => ({
      ...line,
      quantity: formatRounded(line.quantity, quantityDigits),
      amount: formatFen(line.amount),
    })),
    totals: totalsBySku(lines),
    total: formatFen(total),
    net: formatFen(net),
    vat: formatFen(vat),
    vatRate,
    profile,
  };
}

function totalsBySku(lines: readonly ChargedLine[]): { sku: string; amount: string }[] {
  const totals = new Map<string, Fen>();
  for (const { sku, amount } of lines) {
    totals.set(sku, addFen(totals.get(sku) ?? zeroFen, amount));
  }
  return [...totals]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([sku, amount]) => ({ sku, amount: formatFen(amount) }));
}
