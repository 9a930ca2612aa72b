/**
 * Rows of `account` and `package_credit`: what a tenant has, owes and may spend. Balances are
 * written by the database from postings and by nobody else. What must stay true: who takes money on
 * a condition has locked the wallet's row first (`lockCredit`), and it before anything else of the
 * ledger, so that two at once cannot both take the last yuan and never wait in a circle.
 */
import { z } from "zod";

import type { Queryable, Tx } from "#db/pool.ts";
import { instant } from "#db/row.ts";
import { sql } from "#db/sql.ts";
import { isLocalDay, localDay, type LocalDay } from "#kernel/calendar.ts";
import { fen, negateFen, zeroFen, type Fen } from "#kernel/money.ts";

import { creditOf, type Credit } from "./decide.ts";
import { accountKinds } from "./journal.ts";
import type { PackageBalance } from "./packages.ts";

export const amount = z.bigint().transform((value) => fen(value));

const accountRow = z.object({ kind: z.enum(accountKinds), balance: amount, provisional: amount });

/** What a tenant has and may spend; all zero before his first journal. */
export async function credit(db: Queryable, tenantId: string): Promise<Credit> {
  const accounts = await db.rows(
    sql`select kind, balance, provisional from account
      where tenant_id = ${tenantId} and kind in ('wallet', 'held', 'receivable') and subject = ''`,
    accountRow,
  );
  const of = (kind: "wallet" | "held" | "receivable"): z.output<typeof accountRow> | undefined =>
    accounts.find((each) => each.kind === kind);
  return creditOf({
    wallet: of("wallet")?.balance ?? zeroFen,
    owed: negateFen(of("receivable")?.balance ?? zeroFen),
    held: of("held")?.balance ?? zeroFen,
    provisional: of("wallet")?.provisional ?? zeroFen,
  });
}

/**
 * The same, with the wallet's row locked until the transaction ends: nobody else can take from it
 * or rate against it meanwhile. Opens the wallet of a tenant who has none.
 */
export async function lockCredit(tx: Tx, tenantId: string): Promise<Credit> {
  const locked = await tx.maybe(
    sql`select kind from account
      where tenant_id = ${tenantId} and kind = 'wallet' and subject = '' for update`,
    z.object({ kind: z.literal("wallet") }),
  );
  if (locked === undefined) {
    await tx.execute(sql`
      insert into account (tenant_id, kind) values (${tenantId}, 'wallet') on conflict do nothing`);
    return lockCredit(tx, tenantId);
  }
  // A statement of its own: the one that waited for the lock saw the other rows as they were before.
  return credit(tx, tenantId);
}

/** The rater's word for what the wallet will still be charged for days that are not posted. */
export async function setProvisional(tx: Tx, tenantId: string, provisional: Fen): Promise<void> {
  await lockCredit(tx, tenantId);
  await tx.execute(sql`
    update account set provisional = ${provisional}::int8
    where tenant_id = ${tenantId} and kind = 'wallet' and subject = ''
      and provisional <> ${provisional}::int8`);
}

/** A package's credit as drawing it down needs it. */
export interface PackageCredit extends PackageBalance {
  readonly id: string;
  /** Local days of the tenant, both included: that of the purchase and the last one it pays for. */
  readonly usableFrom: LocalDay;
  readonly usableThrough: LocalDay;
  /** The midnight after the last day. */
  readonly expiresAt: number;
  /** `undefined` while it is open: it has credit or may get some back. */
  readonly endedAs: "refunded" | "expired" | undefined;
}

const day = z
  .string()
  .refine(isLocalDay)
  .transform((text) => localDay(text));

const packageRow = z
  .object({
    id: z.string(),
    usable_from: day,
    usable_through: day,
    expires_at: instant,
    ended_as: z.enum(["refunded", "expired"]).nullable(),
    principal: amount,
    bonus: amount,
  })
  .transform((row): PackageCredit => ({
    id: row.id,
    usableFrom: row.usable_from,
    usableThrough: row.usable_through,
    expiresAt: row.expires_at,
    endedAs: row.ended_as ?? undefined,
    principal: row.principal,
    bonus: row.bonus,
  }));

const packageColumns = sql`p.id, p.usable_from::text, p.usable_through::text, p.expires_at, p.ended_as,
  coalesce((select balance from account a where a.tenant_id = p.tenant_id
    and a.kind = 'principal' and a.subject = p.id::text), 0)::int8 as principal,
  coalesce((select balance from account a where a.tenant_id = p.tenant_id
    and a.kind = 'bonus' and a.subject = p.id::text), 0)::int8 as bonus`;

/** Packages that are open, in the order in which they are drawn down (R-PKG-3). */
export function openPackages(db: Queryable, tenantId: string): Promise<PackageCredit[]> {
  return db.rows(
    sql`select ${packageColumns} from package_credit p
      where p.tenant_id = ${tenantId} and p.ended_as is null
      order by p.usable_through, p.usable_from, p.id`,
    packageRow,
  );
}

/** One package, open or not. */
export function packageCredit(
  db: Queryable,
  tenantId: string,
  packageId: string,
): Promise<PackageCredit | undefined> {
  return db.maybe(
    sql`select ${packageColumns} from package_credit p
      where p.tenant_id = ${tenantId} and p.id = ${packageId}::uuid`,
    packageRow,
  );
}
