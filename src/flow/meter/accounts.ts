/**
 * Rows of `usage_account`: the zone whose midnights a tenant's usage is cut at, frozen with his first
 * usage (R-DAY-2), and how far his days are final for whoever rates them.
 */
import { z } from "zod";

import type { Queryable, Tx } from "#db/pool.ts";
import { sql } from "#db/sql.ts";
import { isLocalDay, localDay, type LocalDay } from "#kernel/calendar.ts";
import { billingZone, isTimeZone, timeZone, type TimeZone } from "#kernel/zone.ts";

export interface UsageAccount {
  readonly timeZone: TimeZone;
  /** Every local day up to it is posted. */
  readonly closedThrough: LocalDay | undefined;
  /** Counts changes of the roll-up. */
  readonly changes: bigint;
}

const accountRow = z
  .object({
    tenant_id: z.string(),
    time_zone: z.string(),
    closed_through: z.string().refine(isLocalDay).nullable(),
    changes: z.bigint(),
  })
  .transform((row) => ({
    tenantId: row.tenant_id,
    timeZone: timeZone(row.time_zone),
    closedThrough: row.closed_through === null ? undefined : localDay(row.closed_through),
    changes: row.changes,
  }));

const columns = sql`tenant_id, time_zone, closed_through::text, changes`;

/** Opened where there is none yet; one that is no tenant is left out. */
export async function usageAccounts(
  tx: Tx,
  tenantIds: readonly string[],
): Promise<ReadonlyMap<string, UsageAccount>> {
  const known = await tx.rows(
    sql`select ${columns} from usage_account where tenant_id = any(${tenantIds}::uuid[])`,
    accountRow,
  );
  const accounts = new Map(known.map((each) => [each.tenantId, each]));
  const missing = tenantIds.filter((id) => !accounts.has(id));
  if (missing.length === 0) return accounts;
  const zones = await tx.rows(
    sql`select id, time_zone from tenant where id = any(${missing}::uuid[])`,
    z.object({ id: z.string(), time_zone: z.string() }),
  );
  for (const { id, time_zone: name } of zones) {
    const zone = isTimeZone(name) ? timeZone(name) : billingZone;
    // oxlint-disable-next-line no-await-in-loop -- once in the life of a tenant
    await tx.execute(sql`
      insert into usage_account (tenant_id, time_zone) values (${id}, ${zone})
      on conflict do nothing`);
  }
  const opened = await tx.rows(
    sql`select ${columns} from usage_account where tenant_id = any(${missing}::uuid[])`,
    accountRow,
  );
  for (const each of opened) accounts.set(each.tenantId, each);
  return accounts;
}

/**
 * The same, locked until the transaction ends, in the order of their ids: whoever takes usage in from
 * outside sees all that others have taken in for these tenants, and no day is closed meanwhile.
 */
export async function lockUsageAccounts(
  tx: Tx,
  tenantIds: readonly string[],
): Promise<ReadonlyMap<string, UsageAccount>> {
  const lock = (): Promise<(UsageAccount & { readonly tenantId: string })[]> =>
    tx.rows(
      sql`select ${columns} from usage_account where tenant_id = any(${tenantIds}::uuid[])
        order by tenant_id for no key update`,
      accountRow,
    );
  const locked = await lock();
  const opens = locked.length < tenantIds.length && (await usageAccounts(tx, tenantIds)).size > 0;
  const accounts = opens ? await lock() : locked;
  return new Map(accounts.map((each) => [each.tenantId, each]));
}

/** `undefined` for a tenant who never used anything. */
export function usageAccount(db: Queryable, tenantId: string): Promise<UsageAccount | undefined> {
  return db.maybe(
    sql`select ${columns} from usage_account where tenant_id = ${tenantId}`,
    accountRow,
  );
}

/** Usage of these days that comes later is late. Done by whoever posts days, with them. */
export async function closeDays(tx: Tx, tenantId: string, through: LocalDay): Promise<void> {
  await tx.execute(sql`
    update usage_account set closed_through = ${through}::date
    where tenant_id = ${tenantId} and closed_through is distinct from ${through}::date`);
}
