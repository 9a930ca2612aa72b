/**
 * The lines of a statement by day, ISO week or month (R-EXP-1). Pure. Grouping adds up what the lines
 * say and rounds nothing, so that the sums stay those of the lines.
 */
import { isoWeekOf, localDay, monthOf } from "#kernel/calendar.ts";
import { addFen, formatFen, parseFen } from "#kernel/money.ts";
import { add, formatRational, parseRational } from "#kernel/rational.ts";

import type { ShownLine, Statement } from "./decide.ts";

export const granularities = ["line", "day", "week", "month"] as const;
export type Granularity = (typeof granularities)[number];

/** `line` is the statement as it is; otherwise one line per period, kind and SKU. */
export function grouped(statement: Statement, by: Granularity): Statement {
  if (by === "line") return statement;
  const groups = new Map<string, ShownLine>();
  for (const line of statement.lines) {
    const date = nameOf(line.date, by);
    const key = JSON.stringify([date, line.kind, line.sku, line.unit]);
    const before = groups.get(key);
    groups.set(key, before === undefined ? { ...line, date, revision: 0 } : both(before, line));
  }
  return { ...statement, lines: [...groups.values()] };
}

/** "2026-05-04", "2026-W19", "2026-05". */
function nameOf(date: string, by: Exclude<Granularity, "line">): string {
  const day = localDay(date);
  const names = { day, week: isoWeekOf(day).name, month: monthOf(day) };
  return names[by];
}

function both(a: ShownLine, b: ShownLine): ShownLine {
  return {
    ...a,
    description: {
      en: same(a.description.en, b.description.en),
      "zh-CN": same(a.description["zh-CN"], b.description["zh-CN"]),
    },
    quantity: formatRational(add(parseRational(a.quantity), parseRational(b.quantity))),
    listPrice: same(a.listPrice, b.listPrice),
    multiplier: same(a.multiplier, b.multiplier),
    amount: sumOf(a.amount, b.amount),
    paidBy: {
      package: sumOf(a.paidBy.package, b.paidBy.package),
      bonus: sumOf(a.paidBy.bonus, b.paidBy.bonus),
      balance: sumOf(a.paidBy.balance, b.paidBy.balance),
      owed: sumOf(a.paidBy.owed, b.paidBy.owed),
    },
    leaves:
      a.leaves === null || b.leaves === null
        ? (a.leaves ?? b.leaves)
        : {
            first: Math.min(a.leaves.first, b.leaves.first),
            last: Math.max(a.leaves.last, b.leaves.last),
            count: a.leaves.count + b.leaves.count,
          },
    state: a.state === "provisional" || b.state === "provisional" ? "provisional" : "posted",
  };
}

function sumOf(a: string, b: string): string {
  return formatFen(addFen(parseFen(a), parseFen(b)));
}

/** Empty where they differ. */
function same(a: string, b: string): string {
  return a === b ? a : "";
}
