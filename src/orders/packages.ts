/**
 * Packages: bought from the wallet, refunded before they expire (R-PKG-1, 2, 7). The credit and its
 * days are the ledger's; here stands what was sold. What must stay true: the price that was quoted
 * is what is paid, and buying, credit and order item are one transaction.
 */
import { v7 as newId } from "uuid";
import { z } from "zod";

import { classChannel } from "#customers/tier-store.ts";
import { newestFirst, type PageAsk } from "#db/keyset.ts";
import type { Queryable, Tx } from "#db/pool.ts";
import { instant } from "#db/row.ts";
import { sql } from "#db/sql.ts";
import { packageCredit, type PackageCredit } from "#flow/ledger/accounts.ts";
import { buyPackage as payPackage, refundPackage as payBack } from "#flow/ledger/purchases.ts";
import { present } from "#kernel/assert.ts";
import { dayOf } from "#kernel/calendar.ts";
import { Failure } from "#kernel/failure.ts";
import { fen, formatFen, negateFen, type Fen } from "#kernel/money.ts";

import { insertItem, itemsOfSubject, type Booked, type ItemDraft } from "./items.ts";
import { packageOffer, validityFrom, type PackageOffer, type Validity } from "./package-rules.ts";
import { pricesAt, requireQuoted, tooLittle } from "./prices.ts";

const money = z.bigint().transform((value) => fen(value));

const packageRow = z
  .object({ id: z.string(), code: z.string(), price: money, bonus: money, bought_at: instant })
  .transform(({ bought_at: boughtAt, ...row }) => ({ ...row, boughtAt }));
type PackageRow = z.output<typeof packageRow>;

const columns = sql`id, code, price, bonus, bought_at`;

export interface Package extends PackageRow {
  readonly credit: PackageCredit;
}

/** `usable`: pays for jobs. `expired`: its last day is over; what is left is forfeited, or about to be. */
export type PackageState = "usable" | "refunded" | "expired";

export function packageState({ credit }: Package, now: number): PackageState {
  return credit.endedAs ?? (now < credit.expiresAt ? "usable" : "expired");
}

/** What a code gives now. Throws `rule_violation` with the codes that there are. */
export async function quotePackage(
  db: Queryable,
  { zone, at }: Booked,
  code: string,
): Promise<{
  readonly draft: ItemDraft;
  readonly offer: PackageOffer;
  readonly validity: Validity;
}> {
  const { id, profile } = await pricesAt(db, at);
  const offer = packageOffer(profile, code);
  if (offer !== undefined) {
    const validity = validityFrom(zone, dayOf(zone, at), offer.validMonths);
    const draft: ItemDraft = {
      kind: "package",
      sku: code,
      data: { code, credit: formatFen(offer.credit), through: validity.usableThrough },
      listPrice: offer.price,
      discounts: [],
      service: { from: at, until: validity.expiresAt },
      priceProfileId: id,
    };
    return { draft, offer, validity };
  }
  const codes = Object.keys(profile.packages);
  throw new Failure(
    "rule_violation",
    `There is no package ${JSON.stringify(code)}; packages are ${codes.join(", ")}.`,
    { details: { packages: codes } },
  );
}

export async function buyPackage(
  tx: Tx,
  booked: Booked,
  ask: { readonly code: string; readonly expected: Fen; readonly userId: string },
): Promise<Package> {
  const { tenantId, at } = booked;
  const { draft, offer, validity } = await quotePackage(tx, booked, ask.code);
  requireQuoted(offer.price, ask.expected);
  const id = newId();
  const paid = await payPackage(tx, tenantId, { packageId: id, ...offer, ...validity, at });
  if (paid.kind === "insufficient") throw tooLittle(paid.asked, paid.available);
  await tx.execute(sql`
    insert into package (tenant_id, id, code, price, bonus, bought_at, bought_by, look_at)
    values (${tenantId}, ${id}, ${offer.code}, ${offer.price}, ${offer.bonus}, ${new Date(at)},
      ${ask.userId}, ${new Date(at)})`);
  await insertItem(tx, booked, {
    ...draft,
    id: newId(),
    subjectId: id,
    amount: offer.price,
    isPrepayment: true,
    journalKey: `package-purchase:${id}`,
  });
  tx.nudge("balance");
  tx.nudge(classChannel);
  return getPackage(tx, { tenantId, id });
}

export interface PackageRefund {
  readonly package: Package;
  readonly refunded: Fen;
  readonly bonusVoided: Fen;
}

/** R-PKG-7. The second time gives the same answer. Throws `wrong_state` once it has expired. */
export async function refundPackage(tx: Tx, booked: Booked, id: string): Promise<PackageRefund> {
  const { tenantId, at } = booked;
  const before = await getPackage(tx, { tenantId, id });
  if (packageState(before, at) === "expired") throw expired(before);
  const outcome = await payBack(tx, tenantId, { packageId: id, at });
  if (outcome.kind === "expired") throw expired(before);
  if (outcome.kind === "not_found") throw noPackage(id);
  const { principal, bonus } = outcome.left;
  if (outcome.isNew) {
    await tx.execute(sql`
      update package set look_at = null where tenant_id = ${tenantId} and id = ${id}`);
    const [bought] = await itemsOfSubject(tx, { tenantId, subjectId: id });
    if (principal > 0n) {
      const item = present(bought, `order item of package ${id}`);
      await insertItem(tx, booked, {
        ...item,
        id: newId(),
        listPrice: negateFen(principal),
        discounts: [],
        amount: negateFen(principal),
        service: undefined,
        journalKey: `package-refund:${id}`,
        refundOf: item.id,
        period: undefined,
        priceProfileId: item.priceProfileId ?? undefined,
      });
    }
    tx.nudge("balance");
    tx.nudge(classChannel);
  }
  const after = await getPackage(tx, { tenantId, id });
  return { package: after, refunded: principal, bonusVoided: bonus };
}

function expired({ code, credit }: Package): Failure {
  return new Failure(
    "wrong_state",
    `The package ${code} expired: it could be used, and given back, until ${credit.usableThrough}.`,
    { details: { usableThrough: credit.usableThrough } },
  );
}

function noPackage(id: string): Failure {
  return new Failure("not_found", `There is no package ${id}.`);
}

/** Throws `not_found`. */
export async function getPackage(
  db: Queryable,
  { tenantId, id }: { readonly tenantId: string; readonly id: string },
): Promise<Package> {
  const row = await db.maybe(
    sql`select ${columns} from package where tenant_id = ${tenantId} and id = ${id}::uuid`,
    packageRow,
  );
  if (row === undefined) throw noPackage(id);
  return withCredit(db, tenantId, row);
}

/** Newest first. */
export async function packages(db: Queryable, tenantId: string, ask: PageAsk): Promise<Package[]> {
  const rows = await db.rows(
    sql`select ${columns} from package
      where tenant_id = ${tenantId}
        and ${newestFirst({ at: sql`bought_at`, id: sql`id` }, ask)}
      order by bought_at desc, id desc limit ${ask.limit}`,
    packageRow,
  );
  const found: Package[] = [];
  for (const row of rows) found.push(await withCredit(db, tenantId, row));
  return found;
}

async function withCredit(db: Queryable, tenantId: string, row: PackageRow): Promise<Package> {
  const credit = await packageCredit(db, tenantId, row.id);
  return { ...row, credit: present(credit, `credit of package ${row.id}`) };
}
