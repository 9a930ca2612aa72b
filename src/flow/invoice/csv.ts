/**
 * A statement as CSV (RFC 4180) for a spreadsheet: one row per line, then the subtotals by SKU, the
 * total, net and VAT, told apart by the first column. A cell that a spreadsheet would take for a
 * formula is prefixed with an apostrophe; a plain number, negative ones too, stays a number.
 */
import type { Statement } from "./decide.ts";
import { words, type Language } from "./words.ts";

/** Without it, spreadsheets take Chinese text for another encoding. */
const byteOrderMark = "\uFEFF";

export function statementCsv(statement: Statement, language: Language): string {
  const say = words[language];
  const rows = [
    [
      say.kind,
      say.date,
      say.sku,
      say.quantity,
      say.unit,
      say.listPrice,
      say.multiplier,
      say.amount,
      say.state,
    ],
    ...statement.lines.map((line) => [
      say.line,
      line.date,
      line.sku,
      line.quantity,
      line.unit,
      line.listPrice,
      line.multiplier,
      line.amount,
      say[line.state],
    ]),
    ...statement.totals.map(({ sku, amount }) => sumRow(say.subtotal, amount, sku)),
    sumRow(say.total, statement.total),
    sumRow(say.net, statement.net),
    sumRow(say.vat, statement.vat),
  ];
  const text = rows.map((row) => `${row.map(csvCell).join(",")}\r\n`).join("");
  return language === "en" ? text : byteOrderMark + text;
}

function sumRow(kind: string, amount: string, sku = ""): string[] {
  return [kind, "", sku, "", "", "", "", amount, ""];
}

const plainNumber = /^-?[0-9]+(?:\.[0-9]+)?$/;
const formulaStart = /^[=+\-@\t\r]/;
const needsQuotes = /[",\r\n]/;

export function csvCell(text: string): string {
  const safe = formulaStart.test(text) && !plainNumber.test(text) ? `'${text}` : text;
  return needsQuotes.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
