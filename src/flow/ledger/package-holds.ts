/**
 * Rows of `package_hold`: the part of a hold that packages back. No posting, since their credit stays
 * where it is until lines are posted; only what may be asked of it once more becomes less. The wallet
 * is locked by whoever calls.
 */
import { z } from "zod";

import type { Queryable, Tx } from "#db/pool.ts";
import { sql } from "#db/sql.ts";
import { fen, zeroFen, type Fen } from "#kernel/money.ts";

import { amount, openPackages, type PackageCredit } from "./accounts.ts";

/** What packages can still back at this instant: their credit, less what is used and what is held. */
export async function packageRoom(db: Queryable, tenantId: string, at: number): Promise<Fen> {
  const held = await heldOnPackages(db, tenantId);
  const room = usableNow(await openPackages(db, tenantId), at) - held;
  return room > 0n ? fen(room) : zeroFen;
}

export async function heldOnPackages(db: Queryable, tenantId: string): Promise<Fen> {
  const { held } = await db.one(
    sql`select coalesce(sum(amount), 0)::int8 as held from package_hold
      where tenant_id = ${tenantId} and released_at is null`,
    z.object({ held: amount }),
  );
  return held;
}

/** Credit of packages that may pay what is used at this instant, less what they will pay already. */
export function usableNow(open: readonly PackageCredit[], at: number): Fen {
  const usable = open.filter(({ expiresAt }) => at < expiresAt);
  return fen(
    usable.reduce((sum, each) => sum + each.principal + each.bonus - each.provisional, 0n),
  );
}

export function packageHold(
  db: Queryable,
  tenantId: string,
  reference: string,
): Promise<{ readonly amount: Fen; readonly isReleased: boolean } | undefined> {
  return db.maybe(
    sql`select amount, released_at is not null as "isReleased" from package_hold
      where tenant_id = ${tenantId} and reference = ${reference}`,
    z.object({ amount, isReleased: z.boolean() }),
  );
}

export async function insertPackageHolds(
  tx: Tx,
  tenantId: string,
  holds: readonly { readonly reference: string; readonly amount: Fen }[],
): Promise<void> {
  await tx.execute(sql`
    insert into package_hold (tenant_id, reference, amount)
    select ${tenantId}::uuid, * from unnest(${holds.map(({ reference }) => reference)}::text[],
      ${holds.map((hold) => `${hold.amount}`)}::int8[])`);
}

export async function releasePackageHold(
  tx: Tx,
  tenantId: string,
  { reference, at }: { readonly reference: string; readonly at: number },
): Promise<"released" | "released_before" | "not_held"> {
  const found = await packageHold(tx, tenantId, reference);
  if (found === undefined) return "not_held";
  if (found.isReleased) return "released_before";
  await tx.execute(sql`
    update package_hold set released_at = ${new Date(at)}
    where tenant_id = ${tenantId} and reference = ${reference}`);
  return "released";
}
