/** Statements from what earlier stages committed: charge lines, and items of orders. */
import { pricesOn, type PriceBook } from "#catalog/price-profiles.ts";
import { splitVat } from "#catalog/tax.ts";
import type { Queryable } from "#db/pool.ts";
import { quantityInUnits, type ChargeLine } from "#flow/rate/lines.ts";
import { chargeLines, type LineRange } from "#flow/rate/charge-lines.ts";
import { addDays, addMonths, daysBetween, firstDay, type LocalDay } from "#kernel/calendar.ts";
import { Failure } from "#kernel/failure.ts";
import { addFen, sumFen } from "#kernel/money.ts";
import { formatRational } from "#kernel/rational.ts";
import type { TimeZone } from "#kernel/zone.ts";

import { statementOf, type Statement, type StatementLine } from "./decide.ts";

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

/** Throws `invalid_request` for a range that is empty or too long. */
export async function readStatement(
  db: Queryable,
  prices: PriceBook,
  { tenant, timeZone, range }: StatementOf,
): Promise<Statement> {
  const { from, through } = daysOfRange(range);
  const lines = await chargeLines(db, tenant.id, range);
  const inForce = pricesOn(prices, through);
  if (inForce === undefined)
    throw new Failure("invalid_request", `There were no prices yet on ${through}.`);
  return statementOf({
    tenant,
    from,
    through,
    timeZone,
    lines: lines.map(usageLine),
    splitTax: (gross) => splitVat(inForce.profile, gross),
    vatRate: formatRational(inForce.profile.vat.rate),
    profile: profileNames(prices, lines) ?? `${inForce.name} v${inForce.version}`,
  });
}

function daysOfRange(range: LineRange): { readonly from: LocalDay; readonly through: LocalDay } {
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

function usageLine(line: ChargeLine): StatementLine {
  const { packages, promotion, wallet, receivable } = line.paid;
  return {
    kind: "usage",
    date: line.serviceDay,
    sku: line.sku,
    description: "",
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
    leaves: null,
    state: line.postedAt === undefined ? "provisional" : "posted",
  };
}

/** "Default v1, Default v3"; `undefined` without lines. */
function profileNames(prices: PriceBook, lines: readonly ChargeLine[]): string | undefined {
  const used = new Set(lines.map(({ profileId }) => profileId));
  const names = prices
    .filter(({ id }) => used.has(id))
    .map(({ name, version }) => `${name} v${version}`);
  return names.length === 0 ? undefined : names.join(", ");
}
