/**
 * A statement out of rated lines and order items. Pure: statements.ts reads what it needs, and the
 * offline check of a bill composes the same statement from events.
 */
import { pricesOn, type PriceBook } from "#catalog/price-book.ts";
import { splitVat } from "#catalog/tax.ts";
import type { BilledLine, LineRange } from "#flow/rate/charge-lines.ts";
import { quantityInUnits } from "#flow/rate/lines.ts";
import {
  addDays,
  addMonths,
  dayOf,
  daysBetween,
  firstDay,
  type LocalDay,
} from "#kernel/calendar.ts";
import { Failure } from "#kernel/failure.ts";
import { addFen, formatFen, sumFen, zeroFen } from "#kernel/money.ts";
import { formatRational, one } from "#kernel/rational.ts";
import type { TimeZone } from "#kernel/zone.ts";
import type { OrderItem } from "#orders/items.ts";
import { itemText } from "#orders/words.ts";

import {
  noDescription,
  statementOf,
  type Checkpoint,
  type LeafRange,
  type Statement,
  type StatementLine,
} from "./decide.ts";
import type { LeavesOf } from "./leaves.ts";

/** Longest range of days in one statement. */
const statementDaysMax = 400;

export interface StatementOf {
  readonly tenant: { readonly id: string; readonly name: string };
  readonly timeZone: TimeZone;
  /**
   * `billed`: what the month's invoice has or will have, late usage of earlier months included.
   * `days`: what was used on those days.
   */
  readonly range: LineRange;
}

/** What a bill shows of an order item. */
export type BilledItem = Pick<
  OrderItem,
  "kind" | "sku" | "at" | "data" | "listPrice" | "discounts" | "amount" | "refundOf"
>;

export interface ReadForStatement {
  readonly lines: readonly BilledLine[];
  /** Packages are no lines of a bill, so it has none. */
  readonly items: readonly BilledItem[];
  readonly leavesOf: LeavesOf;
  readonly checkpoint: Checkpoint | null;
}

export function composeStatement(
  prices: PriceBook,
  { tenant, timeZone, range }: StatementOf,
  { lines, items, leavesOf, checkpoint }: ReadForStatement,
): Statement {
  const { from, through } = daysOfRange(range);
  const inForce = pricesOn(prices, through);
  if (inForce === undefined)
    throw new Failure("invalid_request", `There were no prices yet on ${through}.`);
  return statementOf({
    tenant,
    from,
    through,
    timeZone,
    lines: [
      ...lines.map((line) => usageLine(line, leavesOf(line))),
      ...items.map((item) => orderLine(item, timeZone)),
    ],
    splitTax: (gross) => splitVat(inForce.profile, gross),
    vatRate: formatRational(inForce.profile.vat.rate),
    profile: profileNames(prices, lines) ?? `${inForce.name} v${inForce.version}`,
    checkpoint,
  });
}

export function daysOfRange(range: LineRange): {
  readonly from: LocalDay;
  readonly through: LocalDay;
} {
  if (range.kind === "billed") {
    return {
      from: firstDay(range.month),
      through: addDays(firstDay(addMonths(range.month, 1)), -1),
    };
  }
  const days = daysBetween(range.from, range.through) + 1;
  if (days >= 1 && days <= statementDaysMax) return range;
  throw new Failure(
    "invalid_request",
    `A statement covers 1 to ${statementDaysMax} days; ${range.from} to ${range.through} are ${days}.`,
  );
}

function usageLine(line: BilledLine, leaves: LeafRange | null): StatementLine {
  const { packages, promotion, wallet, receivable } = line.paid;
  return {
    kind: "usage",
    date: line.serviceDay,
    sku: line.sku,
    description: noDescription,
    revision: line.revision,
    quantity: quantityInUnits(line),
    unit: line.unit,
    listPrice: line.listPrice,
    multiplier: line.multiplier,
    amount: line.amount,
    paidBy: {
      package: sumFen(packages.map(({ principal }) => principal)),
      bonus: addFen(sumFen(packages.map(({ bonus }) => bonus)), promotion),
      balance: wallet,
      owed: receivable,
    },
    leaves,
    state: line.isPosted ? "posted" : "provisional",
  };
}

function orderLine(item: BilledItem, zone: TimeZone): StatementLine {
  const { kind, data, discounts, amount, refundOf } = item;
  const said = { kind, sku: item.sku, data, isRefund: refundOf !== null };
  return {
    kind: "order",
    date: dayOf(zone, item.at),
    sku: item.sku,
    description: { en: itemText(said, "en"), "zh-CN": itemText(said, "zh-CN") },
    revision: 0,
    quantity: one,
    unit: "order",
    listPrice: formatFen(item.listPrice),
    multiplier: discounts.map((each) => `${each.rule} ${formatFen(each.amount)}`).join(", "),
    amount,
    paidBy: { package: zeroFen, bonus: zeroFen, balance: amount, owed: zeroFen },
    leaves: null,
    state: "posted",
  };
}

/** "Default v1, Default v3"; `undefined` without lines. */
function profileNames(
  prices: PriceBook,
  lines: readonly Pick<BilledLine, "profileId">[],
): string | undefined {
  const used = new Set(lines.map(({ profileId }) => profileId));
  const names = prices
    .filter(({ id }) => used.has(id))
    .map(({ name, version }) => `${name} v${version}`);
  return names.length === 0 ? undefined : names.join(", ");
}
