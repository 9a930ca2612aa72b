/**
 * Rows of `tier_account`, `tier_change` and `tier_override`. What must stay true: a midnight decides
 * once, a change is never edited, and the tier of an instant in the past never changes, because
 * payments settle now and overrides begin now.
 */
import { v7 as newId } from "uuid";
import { z } from "zod";

import type { Tier } from "#catalog/sku.ts";
import { json } from "#db/json.ts";
import { newestFirst, type PageAsk } from "#db/keyset.ts";
import type { Queryable, Tx } from "#db/pool.ts";
import { instant } from "#db/row.ts";
import { sql, type Sql } from "#db/sql.ts";
import { dayStart, localDay, type LocalDay } from "#kernel/calendar.ts";
import { Failure } from "#kernel/failure.ts";
import { formatFen } from "#kernel/money.ts";
import type { TimeZone } from "#kernel/zone.ts";

import type { TierChange, TierState } from "./tiers.ts";

const tier = z.enum(["normal", "gold", "diamond"]);
const day = z.string().transform((text) => localDay(text));

export interface TierAccount extends TierState {
  readonly evaluatedThrough: LocalDay;
}

const accountRow = z
  .object({
    tier,
    hold_until: day.nullable(),
    cumulative_from: day,
    evaluated_through: day,
  })
  .transform((row): TierAccount => ({
    tier: row.tier,
    holdUntil: row.hold_until ?? undefined,
    cumulativeFrom: row.cumulative_from,
    evaluatedThrough: row.evaluated_through,
  }));

const accountColumns = sql`tier, hold_until::text, cumulative_from::text, evaluated_through::text`;

export function tierAccount(db: Queryable, tenantId: string): Promise<TierAccount | undefined> {
  return db.maybe(
    sql`select ${accountColumns} from tier_account where tenant_id = ${tenantId}`,
    accountRow,
  );
}

/** Opened if it is not there, and locked until the transaction ends. */
export async function lockTierAccount(
  tx: Tx,
  tenantId: string,
  fresh: TierAccount,
): Promise<TierAccount> {
  await tx.execute(sql`
    insert into tier_account (tenant_id, tier, hold_until, cumulative_from, evaluated_through)
    values (${tenantId}, ${fresh.tier}, null, ${fresh.cumulativeFrom}::date,
      ${fresh.evaluatedThrough}::date)
    on conflict do nothing`);
  return tx.one(
    sql`select ${accountColumns} from tier_account where tenant_id = ${tenantId} for update`,
    accountRow,
  );
}

export async function saveTierAccount(
  tx: Tx,
  tenantId: string,
  account: TierAccount,
): Promise<void> {
  await tx.execute(sql`
    update tier_account set tier = ${account.tier}, hold_until = ${account.holdUntil ?? null}::date,
      cumulative_from = ${account.cumulativeFrom}::date,
      evaluated_through = ${account.evaluatedThrough}::date
    where tenant_id = ${tenantId}`);
}

export async function recordTierChange(
  tx: Tx,
  of: { readonly tenantId: string; readonly zone: TimeZone; readonly before: Tier },
  change: TierChange,
): Promise<void> {
  const { netPaid12m, netPaidLast3Months, cumulative } = change.inputs;
  const inputs = {
    netPaid12m: formatFen(netPaid12m),
    netPaidLast3Months: netPaidLast3Months.map((each) => formatFen(each)),
    cumulative: formatFen(cumulative),
  };
  await tx.execute(sql`
    insert into tier_change (tenant_id, id, effective, effective_at, tier, tier_before, reason,
      hold_until, inputs)
    values (${of.tenantId}, ${newId()}, ${change.effective}::date,
      ${new Date(dayStart(of.zone, change.effective))}, ${change.tier}, ${of.before},
      ${change.reason}, ${change.holdUntil ?? null}::date, ${json(inputs)}::jsonb)`);
  tx.nudge(classChannel);
}

const changeRow = z
  .object({
    id: z.string(),
    effective: day,
    effective_at: instant,
    tier,
    tier_before: tier,
    reason: z.enum(["12m", "3m", "cumulative", "review"]),
    hold_until: day.nullable(),
    inputs: z.object({
      netPaid12m: z.string(),
      netPaidLast3Months: z.array(z.string()),
      cumulative: z.string(),
    }),
  })
  .transform((row) => ({
    id: row.id,
    effective: row.effective,
    effectiveAt: row.effective_at,
    tier: row.tier,
    tierBefore: row.tier_before,
    reason: row.reason,
    holdUntil: row.hold_until,
    inputs: row.inputs,
  }));
export type RecordedTierChange = z.output<typeof changeRow>;

/** Newest first. */
export function tierChanges(
  db: Queryable,
  tenantId: string,
  ask: PageAsk,
): Promise<RecordedTierChange[]> {
  return db.rows(
    sql`select id, effective::text, effective_at, tier, tier_before, reason, hold_until::text,
        inputs
      from tier_change
      where tenant_id = ${tenantId}
        and ${newestFirst({ at: sql`effective_at`, id: sql`id` }, ask)}
      order by effective_at desc, id desc limit ${ask.limit}`,
    changeRow,
  );
}

const overrideRow = z
  .object({
    id: z.string(),
    tier,
    reason: z.string(),
    approved_by: z.string(),
    from_at: instant,
    until_at: instant,
    ended_at: instant.nullable(),
    created_by: z.string(),
  })
  .transform((row) => ({
    id: row.id,
    tier: row.tier,
    reason: row.reason,
    approvedBy: row.approved_by,
    fromAt: row.from_at,
    untilAt: row.ended_at ?? row.until_at,
    createdBy: row.created_by,
  }));
export type TierOverride = z.output<typeof overrideRow>;

const overrideColumns = sql`id, tier, reason, approved_by, from_at, until_at, ended_at, created_by`;

const overridesMax = 200;

/** Newest first, ended ones too. */
export function tierOverrides(db: Queryable, tenantId: string): Promise<TierOverride[]> {
  return db.rows(
    sql`select ${overrideColumns} from tier_override where tenant_id = ${tenantId}
      order by from_at desc, id desc limit ${overridesMax}`,
    overrideRow,
  );
}

/** Nudged when the class may have changed in which new work of a customer queues. */
export const classChannel = "class";

export interface NewOverride {
  readonly tenantId: string;
  readonly tier: Tier;
  readonly reason: string;
  readonly approvedBy: string;
  readonly untilAt: number;
  readonly createdBy: string;
  readonly now: number;
}

/** From now on; an override that lasts ends with it. */
export async function overrideTier(tx: Tx, ask: NewOverride): Promise<TierOverride> {
  if (ask.untilAt <= ask.now) {
    throw new Failure("invalid_request", "The override would end before it begins.");
  }
  await endOverrides(tx, ask);
  tx.nudge(classChannel);
  return tx.one(
    sql`insert into tier_override
        (tenant_id, id, tier, reason, approved_by, from_at, until_at, created_by)
      values (${ask.tenantId}, ${newId()}, ${ask.tier}, ${ask.reason}, ${ask.approvedBy},
        ${new Date(ask.now)}, ${new Date(ask.untilAt)}, ${ask.createdBy})
      returning ${overrideColumns}`,
    overrideRow,
  );
}

/** How many there were. */
export function endOverrides(
  tx: Tx,
  { tenantId, now }: { readonly tenantId: string; readonly now: number },
): Promise<number> {
  tx.nudge(classChannel);
  return tx.execute(sql`
    update tier_override set ended_at = greatest(from_at, ${new Date(now)})
    where tenant_id = ${tenantId} and ended_at is null and until_at > ${new Date(now)}`);
}

/** As an expression of a query: null where nothing is set by hand at that instant. */
export function tierByHand(tenantId: Sql, at: Sql): Sql {
  return sql`(select o.tier from tier_override o
    where o.tenant_id = ${tenantId} and o.from_at <= ${at}
      and ${at} < coalesce(o.ended_at, o.until_at)
    order by o.from_at desc, o.id desc limit 1)`;
}

/** As an expression of a query. */
export function tierByPayments(tenantId: Sql, at: Sql): Sql {
  return sql`coalesce((select c.tier from tier_change c
    where c.tenant_id = ${tenantId} and c.effective_at <= ${at}
    order by c.effective_at desc, c.id desc limit 1), 'normal')`;
}

/**
 * The tier at each of these instants (epoch milliseconds): what is set by hand, or else what the last
 * change before it made. An instant whose midnight was not decided yet has the tier before it.
 */
export async function tiersAt(
  db: Queryable,
  tenantId: string,
  instants: readonly number[],
): Promise<ReadonlyMap<number, Tier>> {
  if (instants.length === 0) return new Map();
  const rows = await db.rows(
    sql`select asked.at,
        coalesce(${tierByHand(sql`${tenantId}`, sql`asked.at`)},
          ${tierByPayments(sql`${tenantId}`, sql`asked.at`)}) as tier
      from unnest(${instants.map((at) => new Date(at))}::timestamptz[]) as asked(at)`,
    z.object({ at: instant, tier }),
  );
  return new Map(rows.map((row) => [row.at, row.tier]));
}

export async function tierAt(db: Queryable, tenantId: string, at: number): Promise<Tier> {
  return (await tiersAt(db, tenantId, [at])).get(at) ?? "normal";
}

const dueRow = z.object({ id: z.string(), time_zone: z.string(), created_at: instant });
export type DueTenant = z.output<typeof dueRow>;

/** Customers for whom a midnight has passed that was not decided. */
export function tenantsWithNewDay(
  db: Queryable,
  { now, limit }: { readonly now: number; readonly limit: number },
): Promise<DueTenant[]> {
  return db.rows(
    sql`select t.id, t.time_zone, t.created_at
      from tenant t left join tier_account a on a.tenant_id = t.id
      where t.kind = 'customer'
        and (a.tenant_id is null
          or a.evaluated_through < (${new Date(now)}::timestamptz at time zone t.time_zone)::date)
      order by t.id limit ${limit}`,
    dueRow,
  );
}
