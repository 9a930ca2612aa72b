/** A statement as a table for a terminal, in English or Chinese. */
import { columnsOf, headOf, isOpen, sumsOf } from "./columns.ts";
import type { Statement } from "./decide.ts";
import { displayWidth, words, type Language } from "./words.ts";

const gap = "  ";

export function statementText(statement: Statement, language: Language): string {
  const say = words[language];
  const head = headOf(statement, language).map(([name, value]) => `${name}: ${value}`);
  if (statement.lines.length === 0) return [...head, "", say.nothing, ""].join("\n");
  return [
    ...head,
    "",
    ...table(statement, language),
    "",
    ...sums(statement, language),
    ...(isOpen(statement) ? ["", say.remark] : []),
    "",
  ].join("\n");
}

/** Columns in which no line says anything are left out. */
function table(statement: Statement, language: Language): string[] {
  const columns = columnsOf(language).filter(({ cell }) =>
    statement.lines.some((line) => !["", "0.00"].includes(cell(line))),
  );
  const header = columns.map(({ title }) => title);
  const rows = statement.lines.map((line) => columns.map(({ cell }) => cell(line)));
  const widths = header.map((_, column) =>
    Math.max(...[header, ...rows].map((row) => displayWidth(row[column] ?? ""))),
  );
  const write = (row: readonly string[]): string =>
    row
      .map((cell, at) => padded(cell, widths[at] ?? 0, columns[at]?.isNumber === true))
      .join(gap)
      .trimEnd();
  const rule = widths.map((width) => "-".repeat(width)).join(gap);
  return [write(header), rule, ...rows.map(write)];
}

function sums(statement: Statement, language: Language): string[] {
  const named = sumsOf(statement, language);
  const nameWidth = Math.max(...named.map(({ name }) => displayWidth(name)));
  const amountWidth = Math.max(...named.map(({ amount }) => displayWidth(amount)));
  return named.map(
    ({ name, amount }) =>
      `${padded(name, nameWidth, false)}${gap}${padded(amount, amountWidth, true)}${gap}${statement.currency}`,
  );
}

function padded(text: string, width: number, toTheRight: boolean): string {
  const room = " ".repeat(Math.max(0, width - displayWidth(text)));
  return toTheRight ? room + text : text + room;
}
