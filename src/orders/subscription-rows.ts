/** Rows of `subscription`. */
import { z } from "zod";

import { json } from "#db/json.ts";
import { newestFirst, type PageAsk } from "#db/keyset.ts";
import type { Queryable, Tx } from "#db/pool.ts";
import { instant } from "#db/row.ts";
import { sql } from "#db/sql.ts";
import { reasonRow } from "#flow/admit/rows.ts";
import { Failure } from "#kernel/failure.ts";
import { fen, type Fen } from "#kernel/money.ts";
import type { Reason } from "#kernel/reason.ts";
import { timeZone, type TimeZone } from "#kernel/zone.ts";

import type { Discount } from "./items.ts";
import { periodsOf, type Period, type SubscriptionKey } from "./subscription-periods.ts";
import { terms, type Term } from "./term.ts";

const money = z.bigint().transform((value) => fen(value));
const discounts = z.array(
  z.object({ rule: z.string(), amount: z.string().transform((text) => fen(BigInt(text))) }),
);

const subscriptionStates = ["ordered", "active", "lapsed", "ended"] as const;

const subscriptionRow = z
  .object({
    tenant_id: z.string(),
    id: z.string(),
    request_id: z.string(),
    name: z.string(),
    state: z.enum(subscriptionStates),
    auto_renew: z.boolean(),
    term: z.enum(terms),
    sku: z.string(),
    list_price: money,
    discounts,
    amount: money,
    price_profile_id: z.string(),
    locked_monthly: money,
    ordered_at: instant,
    anchor_at: instant.nullable(),
    zone: z.string(),
    kept_until: instant.nullable(),
    start_owed: z.boolean(),
    ended_at: instant.nullable(),
    end_reason: reasonRow.nullable(),
  })
  .transform((row) => ({
    tenantId: row.tenant_id,
    id: row.id,
    leaseId: row.request_id,
    name: row.name,
    state: row.state,
    autoRenew: row.auto_renew,
    term: row.term,
    sku: row.sku,
    listPrice: row.list_price,
    discounts: row.discounts,
    amount: row.amount,
    priceProfileId: row.price_profile_id,
    lockedMonthly: row.locked_monthly,
    orderedAt: row.ordered_at,
    anchorAt: row.anchor_at ?? undefined,
    zone: timeZone(row.zone),
    keptUntil: row.kept_until ?? undefined,
    startOwed: row.start_owed,
    endedAt: row.ended_at ?? undefined,
    endReason: row.end_reason ?? undefined,
  }));

export type SubscriptionRow = z.output<typeof subscriptionRow>;

export interface Subscription extends SubscriptionRow {
  /** Oldest first; none before the machine is there. */
  readonly periods: readonly Period[];
}

const columns = sql`tenant_id, id, request_id, name, state, auto_renew, term, sku, list_price,
  discounts, amount, price_profile_id, locked_monthly, ordered_at, anchor_at, zone, kept_until,
  start_owed, ended_at, end_reason`;

/** Throws `not_found`. */
export async function getSubscription(db: Queryable, key: SubscriptionKey): Promise<Subscription> {
  const found = await db.maybe(
    sql`select ${columns} from subscription
      where tenant_id = ${key.tenantId} and id = ${key.id}::uuid`,
    subscriptionRow,
  );
  if (found === undefined) throw new Failure("not_found", `There is no subscription ${key.id}.`);
  return withPeriods(db, found);
}

/** Locked until the transaction ends; its request was locked before, as everywhere. */
export async function lockSubscription(tx: Tx, key: SubscriptionKey): Promise<Subscription> {
  const found = await tx.one(
    sql`select ${columns} from subscription
      where tenant_id = ${key.tenantId} and id = ${key.id}::uuid for update`,
    subscriptionRow,
  );
  return withPeriods(tx, found);
}

/** Newest first. */
export async function subscriptions(
  db: Queryable,
  tenantId: string,
  ask: PageAsk,
): Promise<Subscription[]> {
  const rows = await db.rows(
    sql`select ${columns} from subscription
      where tenant_id = ${tenantId}
        and ${newestFirst({ at: sql`ordered_at`, id: sql`id` }, ask)}
      order by ordered_at desc, id desc limit ${ask.limit}`,
    subscriptionRow,
  );
  const found: Subscription[] = [];
  for (const row of rows) found.push(await withPeriods(db, row));
  return found;
}

async function withPeriods(db: Queryable, row: SubscriptionRow): Promise<Subscription> {
  return { ...row, periods: await periodsOf(db, row) };
}

export interface NewSubscription extends SubscriptionKey {
  readonly leaseId: string;
  readonly name: string;
  readonly autoRenew: boolean;
  readonly term: Term;
  readonly sku: string;
  readonly listPrice: Fen;
  readonly discounts: readonly Discount[];
  readonly amount: Fen;
  readonly priceProfileId: string;
  readonly lockedMonthly: Fen;
  readonly zone: TimeZone;
  readonly userId: string;
  readonly at: number;
}

export async function insertSubscription(tx: Tx, order: NewSubscription): Promise<void> {
  const discountsText = order.discounts.map(({ rule, amount }) => ({ rule, amount: `${amount}` }));
  await tx.execute(sql`
    insert into subscription (tenant_id, id, request_id, name, state, auto_renew, term, sku,
      list_price, discounts, amount, price_profile_id, locked_monthly, ordered_at, ordered_by, zone,
      look_at)
    values (${order.tenantId}, ${order.id}, ${order.leaseId}, ${order.name}, 'ordered',
      ${order.autoRenew}, ${order.term}, ${order.sku}, ${order.listPrice}, ${json(discountsText)},
      ${order.amount}, ${order.priceProfileId}, ${order.lockedMonthly}, ${new Date(order.at)},
      ${order.userId}, ${order.zone}, ${new Date(order.at)})`);
}

export async function setAnchor(tx: Tx, key: SubscriptionKey, at: number): Promise<void> {
  await tx.execute(sql`
    update subscription set state = 'active', anchor_at = ${new Date(at)}
    where tenant_id = ${key.tenantId} and id = ${key.id}`);
}

export async function setState(
  tx: Tx,
  key: SubscriptionKey,
  to:
    | { readonly state: "active" }
    | {
        readonly state: "lapsed";
        readonly at: number;
        readonly keptUntil: number;
        /** Whether this stopped the machine. */
        readonly startOwed: boolean;
      }
    | { readonly state: "ended"; readonly at: number; readonly reason: Reason },
): Promise<void> {
  const lapsed = to.state === "lapsed" ? to : undefined;
  const ended = to.state === "ended" ? to : undefined;
  await tx.execute(sql`
    update subscription set state = ${to.state},
      lapsed_at = ${lapsed === undefined ? null : new Date(lapsed.at)},
      kept_until = ${lapsed === undefined ? null : new Date(lapsed.keptUntil)},
      start_owed = ${lapsed === undefined ? sql`start_owed` : sql`${lapsed.startOwed}`},
      ended_at = ${ended === undefined ? null : new Date(ended.at)},
      end_reason = ${ended === undefined ? null : json(ended.reason)}
    where tenant_id = ${key.tenantId} and id = ${key.id}`);
}

export async function setAutoRenew(
  tx: Tx,
  key: SubscriptionKey,
  { autoRenew }: { readonly autoRenew: boolean },
): Promise<void> {
  await tx.execute(sql`
    update subscription set auto_renew = ${autoRenew}
    where tenant_id = ${key.tenantId} and id = ${key.id}`);
}

/** It runs again, or its customer sees to it. */
export async function setStarted(tx: Tx, key: SubscriptionKey): Promise<void> {
  await tx.execute(sql`
    update subscription set start_owed = false
    where tenant_id = ${key.tenantId} and id = ${key.id}`);
}

/** For whoever changed something that the loop has to see to. */
export async function lookNow(tx: Tx, key: SubscriptionKey, at: number): Promise<void> {
  await setLookAt(tx, key, at);
  tx.nudge("subscription");
}

/** When the loop has to look again; `undefined` once there is nothing more to come. */
export async function setLookAt(
  tx: Tx,
  key: SubscriptionKey,
  at: number | undefined,
): Promise<void> {
  await tx.execute(sql`
    update subscription set look_at = ${at === undefined ? null : new Date(at)}
    where tenant_id = ${key.tenantId} and id = ${key.id}`);
}
