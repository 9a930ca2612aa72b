/**
 * Rows of `account` and `package_credit`: what a tenant has, owes and may spend. Balances are
 * written by the database from postings and by nobody else. What must stay true: who takes money on
 * a condition has locked the wallet's row first (`lockCredit`), and it before anything else of the
 * ledger, so that two at once cannot both take the last yuan and never wait in a circle.
 */
import { z } from "zod";

import type { Queryable, Tx } from "#db/pool.ts";
import { instant } from "#db/row.ts";
import { sql, type Sql } from "#db/sql.ts";
import { isLocalDay, localDay, type LocalDay } from "#kernel/calendar.ts";
import { fen, negateFen, zeroFen, type Fen } from "#kernel/money.ts";

import { creditOf, type Credit } from "./decide.ts";
import { accountKinds } from "./journal.ts";
import type { PackageBalance } from "./packages.ts";

export const amount = z.bigint().transform((value) => fen(value));

const accountRow = z.object({
  kind: z.enum(accountKinds),
  balance: amount,
  provisional: amount,
  uncovered: amount,
});
type AccountRow = z.output<typeof accountRow>;

/** What a tenant has and may spend; all zero before his first journal. */
export async function credit(db: Queryable, tenantId: string): Promise<Credit> {
  const accounts = await db.rows(
    sql`select kind, balance, provisional,
        case when kind = 'wallet' then ${uncoveredHolds(sql`${tenantId}`)} else 0 end::int8 as uncovered
      from account
      where tenant_id = ${tenantId} and kind in ('wallet', 'held', 'receivable') and subject = ''`,
    accountRow,
  );
  return creditOfRows(accounts);
}

/** The same of many; for the operator, who may look past row-level security. */
export async function credits(
  db: Queryable,
  tenantIds: readonly string[],
): Promise<ReadonlyMap<string, Credit>> {
  const accounts = await db.rows(
    sql`select of.tenant_id, of.kind, of.balance, of.provisional,
        case when of.kind = 'wallet' then ${uncoveredHolds(sql`of.tenant_id`)} else 0 end::int8
          as uncovered
      from account of
      where of.tenant_id = any(${tenantIds}::uuid[])
        and of.kind in ('wallet', 'held', 'receivable') and of.subject = ''`,
    accountRow.extend({ tenant_id: z.string() }),
  );
  const byTenant = Map.groupBy(accounts, (each) => each.tenant_id);
  return new Map(tenantIds.map((id) => [id, creditOfRows(byTenant.get(id) ?? [])]));
}

function creditOfRows(accounts: readonly AccountRow[]): Credit {
  const of = (kind: "wallet" | "held" | "receivable"): AccountRow | undefined =>
    accounts.find((each) => each.kind === kind);
  return creditOf({
    wallet: of("wallet")?.balance ?? zeroFen,
    owed: negateFen(of("receivable")?.balance ?? zeroFen),
    held: of("held")?.balance ?? zeroFen,
    provisional: of("wallet")?.provisional ?? zeroFen,
    uncovered: of("wallet")?.uncovered ?? zeroFen,
  });
}

/**
 * What is held on packages and is not there any more, since they were given back, forfeited or used
 * up: the wallet answers for it.
 */
function uncoveredHolds(tenantId: Sql): Sql {
  return sql`(
    select greatest(0, held.amount - greatest(0, coalesce((
      select sum(a.balance) from package_credit p join account a
        on a.tenant_id = p.tenant_id and a.kind in ('principal', 'bonus')
          and a.subject = p.id::text
      where p.tenant_id = ${tenantId} and p.ended_as is null), 0) - coalesce((
      select sum(p.provisional) from package_credit p
      where p.tenant_id = ${tenantId} and p.ended_as is null), 0)))
    from (select coalesce(sum(amount), 0) as amount from package_hold
      where tenant_id = ${tenantId} and released_at is null) held)`;
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

/** What days that are not posted will still take, by the rater's word. */
export interface Provisional {
  readonly wallet: Fen;
  /** Of the packages that are open, by id; of one that is not named nothing. */
  readonly packages: ReadonlyMap<string, Fen>;
}

export async function setProvisional(
  tx: Tx,
  tenantId: string,
  { wallet, packages }: Provisional,
): Promise<void> {
  await lockCredit(tx, tenantId);
  const shares = [...packages];
  await tx.execute(sql`
    with of_wallet as (
      update account set provisional = ${wallet}::int8
      where tenant_id = ${tenantId} and kind = 'wallet' and subject = ''
        and provisional <> ${wallet}::int8
    )
    update package_credit p set provisional = next.amount
    from (
      select o.id, coalesce(given.amount, 0) as amount
      from package_credit o left join unnest(${shares.map(([id]) => id)}::uuid[],
        ${shares.map(([, share]) => `${share}`)}::int8[]) as given(id, amount) on given.id = o.id
      where o.tenant_id = ${tenantId} and o.ended_as is null
    ) next
    where p.tenant_id = ${tenantId} and p.id = next.id and p.provisional <> next.amount`);
}

/** A package's credit as drawing it down needs it. */
export interface PackageCredit extends PackageBalance {
  readonly id: string;
  /** Local days of the tenant, both included: that of the purchase and the last one it pays for. */
  readonly usableFrom: LocalDay;
  readonly usableThrough: LocalDay;
  /** The midnight after the last day. */
  readonly expiresAt: number;
  /** What it will pay of days that are not posted yet. */
  readonly provisional: Fen;
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
    provisional: amount,
  })
  .transform((row): PackageCredit => ({
    id: row.id,
    usableFrom: row.usable_from,
    usableThrough: row.usable_through,
    expiresAt: row.expires_at,
    endedAs: row.ended_as ?? undefined,
    principal: row.principal,
    bonus: row.bonus,
    provisional: row.provisional,
  }));

const packageColumns = sql`p.id, p.usable_from::text, p.usable_through::text, p.expires_at, p.ended_as,
  p.provisional,
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
