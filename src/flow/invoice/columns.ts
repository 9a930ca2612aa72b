/** The columns of a statement and its sums, the same for every form that it is written in. */
import { rerated } from "#flow/rate/make-lines.ts";
import { formatRational, multiply, rational, rationalFromText } from "#kernel/rational.ts";

import type { ShownLine, Statement } from "./decide.ts";
import { words, type Language } from "./words.ts";

export interface Column {
  readonly title: string;
  readonly cell: (line: ShownLine) => string;
  readonly isNumber: boolean;
}

export function columnsOf(language: Language): readonly Column[] {
  const say = words[language];
  const text = (title: string, cell: Column["cell"]): Column => ({ title, cell, isNumber: false });
  const number = (title: string, cell: Column["cell"]): Column => ({ title, cell, isNumber: true });
  return [
    text(say.date, ({ date }) => date),
    text(say.sku, ({ sku }) => sku),
    text(say.description, (line) => describe(line, language)),
    number(say.quantity, ({ quantity }) => quantity),
    text(say.unit, ({ unit }) => say.units[unit] ?? unit),
    number(say.listPrice, ({ listPrice }) => listPrice),
    number(say.multiplier, ({ multiplier }) => (multiplier === rerated ? say.reRated : multiplier)),
    number(say.amount, ({ amount }) => amount),
    number(say.fromPackage, ({ paidBy }) => paidBy.package),
    number(say.fromBonus, ({ paidBy }) => paidBy.bonus),
    number(say.fromBalance, ({ paidBy }) => paidBy.balance),
    number(say.owed, ({ paidBy }) => paidBy.owed),
    text(say.leaves, ({ leaves }) =>
      leaves === null ? "" : `${leaves.first}–${leaves.last} (${leaves.count})`,
    ),
    text(say.state, ({ state }) => say[state]),
  ];
}

function describe(line: ShownLine, language: Language): string {
  if (line.kind === "order") return line.description[language];
  return line.revision === 0 ? "" : words[language].lateUsage;
}

export interface Sum {
  readonly kind: "subtotal" | "total" | "net" | "vat";
  readonly name: string;
  readonly amount: string;
}

/** The subtotals by SKU, the total, and the tax inside it. */
export function sumsOf(statement: Statement, language: Language): readonly Sum[] {
  const say = words[language];
  return [
    ...statement.totals.map(({ sku, amount }): Sum => ({ kind: "subtotal", name: sku, amount })),
    { kind: "total", name: say.total, amount: statement.total },
    { kind: "net", name: say.net, amount: statement.net },
    { kind: "vat", name: `${say.vat} ${percent(statement.vatRate)}`, amount: statement.vat },
  ];
}

/** What stands above the lines: names and values. */
export function headOf(
  statement: Statement,
  language: Language,
): readonly (readonly [string, string])[] {
  const say = words[language];
  const { tenant, from, through, timeZone, profile, checkpoint } = statement;
  return [
    [say.title, tenant.name],
    [say.period, `${from} – ${through} (${timeZone})`],
    [say.prices, profile],
    ...(checkpoint === null
      ? []
      : [[say.checkpoint, `${checkpoint.size}, ${checkpoint.root}`] as const]),
  ];
}

export function isOpen({ lines }: Statement): boolean {
  return lines.some(({ state }) => state === "provisional");
}

/** "0.06" as "6%". */
function percent(rate: string): string {
  const exact = rationalFromText(rate);
  return exact === undefined ? rate : `${formatRational(multiply(exact, rational(100n)))}%`;
}
