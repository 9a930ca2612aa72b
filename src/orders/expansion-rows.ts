/** Rows of `expansion` and `subscription_upgrade`: changes of a machine that wait for it, or last. */
import { z } from "zod";

import { json } from "#db/json.ts";
import { newestFirst, type PageAsk } from "#db/keyset.ts";
import type { Queryable, Tx } from "#db/pool.ts";
import { instant } from "#db/row.ts";
import { sql, type Sql } from "#db/sql.ts";
import { reasonRow, shapeRow } from "#flow/admit/rows.ts";
import { Failure } from "#kernel/failure.ts";
import { fen, type Fen } from "#kernel/money.ts";
import type { Reason } from "#kernel/reason.ts";
import type { Shape } from "#kernel/shape.ts";

import { draftJson, draftRow } from "./draft-row.ts";
import type { ElasticItem } from "./elastic.ts";
import type { ItemDraft } from "./items.ts";
import type { SubscriptionKey } from "./subscription-periods.ts";

const money = z.bigint().transform((value) => fen(value));

export const expansionStates = ["resizing", "scheduled", "active", "ended"] as const;

const expansionRow = z
  .object({
    tenant_id: z.string(),
    id: z.string(),
    subscription_id: z.string(),
    state: z.enum(expansionStates),
    items: z.array(z.object({ sku: z.string(), units: z.int() })),
    days: z.int(),
    draft: draftRow,
    amount: money,
    price_profile_id: z.string(),
    operation_id: z.string().nullable(),
    extends_id: z.string().nullable(),
    ordered_at: instant,
    starts_at: instant.nullable(),
    activated_at: instant.nullable(),
    ends_at: instant.nullable(),
    reverted_at: instant.nullable(),
    reason: reasonRow.nullable(),
  })
  .transform((row) => ({
    tenantId: row.tenant_id,
    id: row.id,
    subscriptionId: row.subscription_id,
    state: row.state,
    items: row.items,
    days: row.days,
    draft: row.draft,
    amount: row.amount,
    priceProfileId: row.price_profile_id,
    operationId: row.operation_id ?? undefined,
    extendsId: row.extends_id ?? undefined,
    orderedAt: row.ordered_at,
    startsAt: row.starts_at ?? undefined,
    activatedAt: row.activated_at ?? undefined,
    endsAt: row.ends_at ?? undefined,
    revertedAt: row.reverted_at ?? undefined,
    reason: row.reason ?? undefined,
  }));
export type Expansion = z.output<typeof expansionRow>;

const columns = sql`tenant_id, id, subscription_id, state, items, days, draft, amount,
  price_profile_id, operation_id, extends_id, ordered_at, starts_at, activated_at, ends_at,
  reverted_at, reason`;

/** Throws `not_found`. */
export async function getExpansion(
  db: Queryable,
  key: { readonly tenantId: string; readonly id: string },
): Promise<Expansion> {
  const found = await db.maybe(
    sql`select ${columns} from expansion
      where tenant_id = ${key.tenantId} and id = ${key.id}::uuid`,
    expansionRow,
  );
  if (found === undefined) throw new Failure("not_found", `There is no expansion ${key.id}.`);
  return found;
}

/** Newest first. */
export function expansions(
  db: Queryable,
  of: { readonly tenantId: string; readonly subscriptionId?: string | undefined },
  ask: PageAsk,
): Promise<Expansion[]> {
  const which: Sql =
    of.subscriptionId === undefined ? sql`` : sql`and subscription_id = ${of.subscriptionId}::uuid`;
  return db.rows(
    sql`select ${columns} from expansion
      where tenant_id = ${of.tenantId} ${which}
        and ${newestFirst({ at: sql`ordered_at`, id: sql`id` }, ask)}
      order by ordered_at desc, id desc limit ${ask.limit}`,
    expansionRow,
  );
}

/** Those that are not over, or of which the machine still has something; oldest first. */
export function openExpansions(db: Queryable, of: SubscriptionKey): Promise<Expansion[]> {
  return db.rows(
    sql`select ${columns} from expansion
      where tenant_id = ${of.tenantId} and subscription_id = ${of.id}::uuid
        and (state <> 'ended' or (activated_at is not null and reverted_at is null))
      order by ordered_at, id`,
    expansionRow,
  );
}

export async function insertExpansion(
  tx: Tx,
  order: {
    readonly tenantId: string;
    readonly id: string;
    readonly subscriptionId: string;
    readonly items: readonly ElasticItem[];
    readonly days: number;
    readonly draft: ItemDraft;
    readonly amount: Fen;
    readonly by:
      | { readonly operationId: string }
      | { readonly extendsId: string; readonly startsAt: number };
    readonly userId: string;
    readonly at: number;
  },
): Promise<void> {
  const operationId = "operationId" in order.by ? order.by.operationId : null;
  const extended = "extendsId" in order.by ? order.by : undefined;
  await tx.execute(sql`
    insert into expansion (tenant_id, id, subscription_id, state, items, days, draft, amount,
      price_profile_id, operation_id, extends_id, starts_at, ordered_at, ordered_by)
    values (${order.tenantId}, ${order.id}, ${order.subscriptionId},
      ${extended === undefined ? "resizing" : "scheduled"}, ${json(order.items)}, ${order.days},
      ${draftJson(order.draft)}, ${order.amount}, ${order.draft.priceProfileId}, ${operationId},
      ${extended?.extendsId ?? null},
      ${extended === undefined ? null : new Date(extended.startsAt)}, ${new Date(order.at)},
      ${order.userId})`);
}

export async function activateExpansion(
  tx: Tx,
  of: Expansion,
  { from, until }: { readonly from: number; readonly until: number },
): Promise<void> {
  await tx.execute(sql`
    update expansion set state = 'active', activated_at = ${new Date(from)},
      ends_at = ${new Date(until)}
    where tenant_id = ${of.tenantId} and id = ${of.id}`);
}

/** Over: at its time, or earlier, or it never began. */
export async function endExpansion(
  tx: Tx,
  of: Expansion,
  { at, reason }: { readonly at: number; readonly reason: Reason },
): Promise<void> {
  await tx.execute(sql`
    update expansion set state = 'ended', reason = ${json(reason)},
      ends_at = case when activated_at is null then null else ${new Date(at)}::timestamptz end
    where tenant_id = ${of.tenantId} and id = ${of.id}`);
}

/** The machine was seen without them. */
export async function setReverted(
  tx: Tx,
  of: SubscriptionKey & { readonly ids: readonly string[]; readonly at: number },
): Promise<void> {
  await tx.execute(sql`
    update expansion set reverted_at = ${new Date(of.at)}
    where tenant_id = ${of.tenantId} and subscription_id = ${of.id} and id = any(${[...of.ids]}::uuid[])
      and reverted_at is null`);
}

const upgradeRow = z
  .object({
    tenant_id: z.string(),
    id: z.string(),
    subscription_id: z.string(),
    sku: z.string(),
    shape: shapeRow,
    monthly_list: money,
    draft: draftRow,
    operation_id: z.string(),
  })
  .transform((row) => ({
    tenantId: row.tenant_id,
    id: row.id,
    subscriptionId: row.subscription_id,
    sku: row.sku,
    shape: row.shape,
    monthlyList: row.monthly_list,
    draft: row.draft,
    operationId: row.operation_id,
  }));
export type Upgrade = z.output<typeof upgradeRow>;

/** The one that waits for its machine, if there is one. */
export function openUpgrade(db: Queryable, of: SubscriptionKey): Promise<Upgrade | undefined> {
  return db.maybe(
    sql`select tenant_id, id, subscription_id, sku, shape, monthly_list, draft, operation_id
      from subscription_upgrade
      where tenant_id = ${of.tenantId} and subscription_id = ${of.id}::uuid
        and state = 'resizing'`,
    upgradeRow,
  );
}

export async function insertUpgrade(
  tx: Tx,
  order: {
    readonly tenantId: string;
    readonly id: string;
    readonly subscriptionId: string;
    readonly sku: string;
    readonly shape: Shape;
    readonly monthlyList: Fen;
    readonly draft: ItemDraft;
    readonly amount: Fen;
    readonly operationId: string;
    readonly userId: string;
    readonly at: number;
  },
): Promise<void> {
  await tx.execute(sql`
    insert into subscription_upgrade (tenant_id, id, subscription_id, state, sku, shape,
      monthly_list, draft, amount, operation_id, ordered_at, ordered_by)
    values (${order.tenantId}, ${order.id}, ${order.subscriptionId}, 'resizing', ${order.sku},
      ${json(order.shape)}, ${order.monthlyList}, ${draftJson(order.draft)}, ${order.amount},
      ${order.operationId}, ${new Date(order.at)}, ${order.userId})`);
}

export async function endUpgrade(
  tx: Tx,
  of: Upgrade,
  outcome: { readonly state: "done" } | { readonly state: "failed"; readonly reason: Reason },
): Promise<void> {
  await tx.execute(sql`
    update subscription_upgrade set state = ${outcome.state},
      reason = ${outcome.state === "failed" ? json(outcome.reason) : null}
    where tenant_id = ${of.tenantId} and id = ${of.id}`);
}
