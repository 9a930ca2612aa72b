/**
 * What packages had before each line: their purchases, and then line after line in the order in which
 * they were paid. A line that does not follow from that (a package was extended since, say) has no
 * funds, and the check of the bundle says that it was not proved.
 */
import { z } from "zod";

import type { Queryable } from "#db/pool.ts";
import { sql, type Sql } from "#db/sql.ts";
import { chargeLines } from "#flow/rate/charge-lines.ts";
import { drawdownOrder, payLine, type PackageFunds } from "#flow/rate/drawdown.ts";
import type { ChargeLine } from "#flow/rate/lines.ts";
import { isLocalDay, localDay } from "#kernel/calendar.ts";
import { fen, negateFen, subtractFen, zeroFen } from "#kernel/money.ts";

const day = z
  .string()
  .refine(isLocalDay)
  .transform((text) => localDay(text));
const money = z.bigint().transform((value) => fen(value));
const soldRow = z
  .object({ id: z.string(), usable_from: day, usable_through: day, principal: money, bonus: money })
  .transform(({ usable_from: usableFrom, usable_through: usableThrough, ...rest }) => ({
    ...rest,
    usableFrom,
    usableThrough,
  }));

function bought(account: "principal" | "bonus"): Sql {
  return sql`coalesce((
    select sum(p.amount) from posting p
    join journal j on j.tenant_id = p.tenant_id and j.id = p.journal_id
    where p.tenant_id = c.tenant_id and p.account_subject = c.id::text
      and p.account_kind = ${account} and j.kind = 'package_purchase'), 0)::int8`;
}

/** As they were bought. */
function soldPackages(db: Queryable, tenantId: string): Promise<PackageFunds[]> {
  return db.rows(
    sql`select c.id, c.usable_from::text, c.usable_through::text,
        ${bought("principal")} as principal, ${bought("bonus")} as bonus
      from package_credit c where c.tenant_id = ${tenantId} order by c.id`,
    soldRow,
  );
}

export interface Funding {
  readonly packages: readonly PackageFunds[];
  /** In the order in which they pay; `undefined` where it could not be worked out. */
  readonly before: (line: ChargeLine) => readonly PackageFunds[] | undefined;
}

export async function fundsBefore(db: Queryable, tenantId: string): Promise<Funding> {
  const packages = await soldPackages(db, tenantId);
  if (packages.length === 0) return { packages, before: () => undefined };
  const all = await chargeLines(db, tenantId, { kind: "days", from: begin, through: end });
  const left = new Map(packages.map((each) => [each.id, each]));
  const before = new Map<string, readonly PackageFunds[]>();
  for (const line of all.toSorted(byPayment)) {
    const funds = [...left.values()]
      .filter((each) => isUsable(each, line))
      .filter(({ principal, bonus }) => principal > 0n || bonus > 0n || line.jobAmount < 0n)
      .toSorted(drawdownOrder);
    if (funds.length > 0 && isPaidSo(line, funds, all)) before.set(nameOf(line), funds);
    for (const { packageId, principal, bonus } of line.paid.packages) {
      const had = left.get(packageId);
      if (had === undefined) continue;
      left.set(packageId, {
        ...had,
        principal: subtractFen(had.principal, principal),
        bonus: subtractFen(had.bonus, bonus),
      });
    }
  }
  return { packages, before: (line) => before.get(nameOf(line)) };
}

const begin = localDay("2000-01-01");
const end = localDay("9999-12-30");

/** Days in order, then what came late in the same pass; what is not posted comes last. */
function byPayment(a: ChargeLine, b: ChargeLine): number {
  const [left, right] = [a.postedAt ?? Infinity, b.postedAt ?? Infinity];
  if (left !== right) return left < right ? -1 : 1;
  return orderOf(a) < orderOf(b) ? -1 : 1;
}

function orderOf({ serviceDay, sku, revision }: ChargeLine): string {
  return `${revision === 0 ? 0 : 1} ${serviceDay} ${sku} ${revision}`;
}

function nameOf({ serviceDay, sku, revision }: ChargeLine): string {
  return `${serviceDay} ${sku} ${revision}`;
}

function isUsable(
  { usableFrom, usableThrough }: PackageFunds,
  { serviceDay }: ChargeLine,
): boolean {
  return serviceDay >= usableFrom && serviceDay <= usableThrough;
}

function isPaidSo(
  line: ChargeLine,
  funds: readonly PackageFunds[],
  all: readonly ChargeLine[],
): boolean {
  const before = all
    .filter(({ serviceDay, sku }) => serviceDay === line.serviceDay && sku === line.sku)
    .filter(({ revision }) => revision < line.revision);
  const { wallet, receivable } = line.paid;
  const purse = {
    wallet: wallet > 0n ? wallet : zeroFen,
    owed: receivable < 0n ? negateFen(receivable) : zeroFen,
  };
  const { paid } = payLine({ packages: funds, purse }, { ...line, day: line.serviceDay, before });
  return textOf(paid.packages) === textOf(line.paid.packages);
}

function textOf(shares: ChargeLine["paid"]["packages"]): string {
  const parts = shares.map((each) => `${each.packageId} ${each.principal} ${each.bonus}`);
  return parts.toSorted().join(", ");
}
