/** A statement as a table for a terminal, in English or Chinese. */
import { formatRational, multiply, rational, rationalFromText } from "#kernel/rational.ts";

import type { Statement } from "./decide.ts";
import { displayWidth, words, type Language, type Words } from "./words.ts";

const gap = "  ";

export function statementText(statement: Statement, language: Language): string {
  const say = words[language];
  const { tenant, from, through, timeZone, profile, currency } = statement;
  const head = [
    `${say.title}: ${tenant.name}`,
    `${say.period}: ${from} – ${through} (${timeZone})`,
    `${say.prices}: ${profile}`,
    "",
  ];
  if (statement.lines.length === 0) return [...head, say.nothing, ""].join("\n");
  const isOpen = statement.lines.some(({ state }) => state === "provisional");
  return [
    ...head,
    ...table(statement, say),
    "",
    ...sums(statement, say).map(([name, amount]) => `${name}${gap}${amount} ${currency}`),
    ...(isOpen ? ["", say.remark] : []),
    "",
  ].join("\n");
}

function table(statement: Statement, say: Words): string[] {
  const header = [
    say.date,
    say.sku,
    say.quantity,
    say.unit,
    say.listPrice,
    say.multiplier,
    say.amount,
    say.state,
  ];
  const rows = statement.lines.map((line) => [
    line.date,
    line.sku,
    line.quantity,
    line.unit,
    line.listPrice,
    line.multiplier,
    line.amount,
    say[line.state],
  ]);
  const isNumber = [false, false, true, false, true, true, true, false];
  const widths = header.map((_, column) =>
    Math.max(...[header, ...rows].map((row) => displayWidth(row[column] ?? ""))),
  );
  const write = (row: readonly string[]): string =>
    row
      .map((cell, column) => padded(cell, widths[column] ?? 0, isNumber[column] === true))
      .join(gap)
      .trimEnd();
  const rule = widths.map((width) => "-".repeat(width)).join(gap);
  return [write(header), rule, ...rows.map(write)];
}

function sums(statement: Statement, say: Words): [string, string][] {
  const named: [string, string][] = [
    ...statement.totals.map(({ sku, amount }): [string, string] => [sku, amount]),
    [say.total, statement.total],
    [say.net, statement.net],
    [`${say.vat} ${percent(statement.vatRate)}`, statement.vat],
  ];
  const nameWidth = Math.max(...named.map(([name]) => displayWidth(name)));
  const amountWidth = Math.max(...named.map(([, amount]) => displayWidth(amount)));
  return named.map(([name, amount]) => [
    padded(name, nameWidth, false),
    padded(amount, amountWidth, true),
  ]);
}

function padded(text: string, width: number, toTheRight: boolean): string {
  const room = " ".repeat(Math.max(0, width - displayWidth(text)));
  return toTheRight ? room + text : text + room;
}

/** "0.06" as "6%". */
function percent(rate: string): string {
  const exact = rationalFromText(rate);
  return exact === undefined ? rate : `${formatRational(multiply(exact, rational(100n)))}%`;
}
