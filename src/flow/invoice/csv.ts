/**
 * A statement as CSV (RFC 4180) for a spreadsheet: one row per line, then the subtotals by SKU, the
 * total, net and VAT, told apart by the first column. A cell that a spreadsheet would take for a
 * formula is prefixed with an apostrophe; a plain number, negative ones too, stays a number.
 */
import { columnsOf, sumsOf } from "./columns.ts";
import type { Statement } from "./decide.ts";
import { words, type Language } from "./words.ts";

/** Without it, spreadsheets take Chinese text for another encoding. */
const byteOrderMark = "\uFEFF";

export function statementCsv(statement: Statement, language: Language): string {
  const say = words[language];
  const columns = columnsOf(language);
  const sumRow = (kind: string, name: string, amount: string): string[] => [
    kind,
    ...columns.map(({ title }) => {
      if (title === say.amount) return amount;
      return title === say.sku ? name : "";
    }),
  ];
  const rows = [
    [say.kind, ...columns.map(({ title }) => title)],
    ...statement.lines.map((line) => [say[line.kind], ...columns.map(({ cell }) => cell(line))]),
    ...sumsOf(statement, language).map(({ kind, name, amount }) =>
      kind === "subtotal" ? sumRow(say.subtotal, name, amount) : sumRow(say[kind], "", amount),
    ),
  ];
  const text = rows.map((row) => `${row.map(csvCell).join(",")}\r\n`).join("");
  return language === "en" ? text : byteOrderMark + text;
}

const plainNumber = /^-?[0-9]+(?:\.[0-9]+)?$/;
const formulaStart = /^[=+\-@\t\r]/;
const needsQuotes = /[",\r\n]/;

export function csvCell(text: string): string {
  const safe = formulaStart.test(text) && !plainNumber.test(text) ? `'${text}` : text;
  return needsQuotes.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
