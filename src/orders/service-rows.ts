/** Rows of `service`. */
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

import { serviceKinds, type ServiceKind } from "./services.ts";

const serviceStates = ["asked", "offered", "active", "ended"] as const;

const fields = z.object({
  tenant_id: z.string(),
  id: z.string(),
  kind: z.enum(serviceKinds),
  code: z.string().nullable(),
  description: z.string(),
  state: z.enum(serviceStates),
  amount: z
    .bigint()
    .transform((value) => fen(value))
    .nullable(),
  price_profile_id: z.string().nullable(),
  offer_until: instant.nullable(),
  optimizations_left: z.int(),
  zone: z.string().transform((name) => timeZone(name)),
  anchor_at: instant.nullable(),
  paid_months: z.int(),
  paid_until: instant.nullable(),
  auto_renew: z.boolean(),
  asked_at: instant,
  ended_at: instant.nullable(),
  end_reason: reasonRow.nullable(),
});

function serviceOf(found: z.output<typeof fields>) {
  return {
    tenantId: found.tenant_id,
    id: found.id,
    kind: found.kind,
    code: found.code ?? undefined,
    description: found.description,
    state: found.state,
    amount: found.amount ?? undefined,
    priceProfileId: found.price_profile_id ?? undefined,
    offerUntil: found.offer_until ?? undefined,
    optimizationsLeft: found.optimizations_left,
    zone: found.zone,
    anchorAt: found.anchor_at ?? undefined,
    paidMonths: found.paid_months,
    paidUntil: found.paid_until ?? undefined,
    autoRenew: found.auto_renew,
    askedAt: found.asked_at,
    endedAt: found.ended_at ?? undefined,
    endReason: found.end_reason ?? undefined,
  };
}

const row = fields.transform(serviceOf);
const rowWithTenant = fields
  .extend({ tenant: z.string() })
  .transform((found) => ({ ...serviceOf(found), tenant: found.tenant }));
export type Service = z.output<typeof row>;

const columns = sql`tenant_id, id, kind, code, description, state, amount, price_profile_id,
  offer_until, optimizations_left, zone, anchor_at, paid_months, paid_until, auto_renew, asked_at,
  ended_at, end_reason`;

export interface ServiceKey {
  readonly tenantId: string;
  readonly id: string;
}

/** Throws `not_found`. */
export async function getService(db: Queryable, key: ServiceKey): Promise<Service> {
  const found = await db.maybe(
    sql`select ${columns} from service
      where tenant_id = ${key.tenantId} and id = ${key.id}::uuid`,
    row,
  );
  if (found === undefined) throw noService(key.id);
  return found;
}

/** Locked until the transaction ends; the wallet comes after it. Throws `not_found`. */
export async function lockService(tx: Tx, key: ServiceKey): Promise<Service> {
  const found = await tx.maybe(
    sql`select ${columns} from service
      where tenant_id = ${key.tenantId} and id = ${key.id}::uuid for update`,
    row,
  );
  if (found === undefined) throw noService(key.id);
  return found;
}

function noService(id: string): Failure {
  return new Failure("not_found", `There is no service ${id}.`);
}

/** Newest first. */
export function services(db: Queryable, tenantId: string, ask: PageAsk): Promise<Service[]> {
  return db.rows(
    sql`select ${columns} from service
      where tenant_id = ${tenantId} and ${newestFirst({ at: sql`asked_at`, id: sql`id` }, ask)}
      order by asked_at desc, id desc limit ${ask.limit}`,
    row,
  );
}

/** Newest first, of all tenants; for the operator. */
export function allServices(
  db: Queryable,
  ask: PageAsk & { readonly isToDo: boolean },
): Promise<(Service & { readonly tenant: string })[]> {
  return db.rows(
    sql`select ${columns}, (select display_name from tenant t where t.id = service.tenant_id) as tenant
      from service
      where (not ${ask.isToDo} or state = 'asked' or state = 'active' and optimizations_left > 0)
        and ${newestFirst({ at: sql`asked_at`, id: sql`id` }, ask)}
      order by asked_at desc, id desc limit ${ask.limit}`,
    rowWithTenant,
  );
}

/** Until when support is paid, alone or in a bundle. */
export async function supportUntil(db: Queryable, tenantId: string): Promise<number | undefined> {
  const { until } = await db.one(
    sql`select max(paid_until) as until from service
      where tenant_id = ${tenantId} and state = 'active'`,
    z.object({ until: instant.nullable() }),
  );
  return until ?? undefined;
}

export interface NewService extends ServiceKey {
  readonly kind: ServiceKind;
  readonly code?: string;
  readonly description: string;
  readonly zone: TimeZone;
  readonly userId: string;
  readonly at: number;
  /** What is paid with the order; `undefined` where the operator has to name a price first. */
  readonly paid?: {
    readonly amount: Fen;
    readonly priceProfileId: string;
    readonly support?: {
      readonly months: number;
      readonly until: number;
      readonly autoRenew: boolean;
    };
    readonly optimizations: number;
  };
}

export async function insertService(tx: Tx, order: NewService): Promise<void> {
  const { paid } = order;
  const support = paid?.support;
  const until = support === undefined ? null : new Date(support.until);
  await tx.execute(sql`
    insert into service (tenant_id, id, kind, code, description, state, amount, price_profile_id,
      optimizations_left, zone, anchor_at, paid_months, paid_until, auto_renew, asked_at, asked_by,
      look_at)
    values (${order.tenantId}, ${order.id}, ${order.kind}, ${order.code ?? null},
      ${order.description}, ${paid === undefined ? "asked" : "active"}, ${paid?.amount ?? null},
      ${paid?.priceProfileId ?? null}, ${paid?.optimizations ?? 0}, ${order.zone},
      ${support === undefined ? null : new Date(order.at)}, ${support?.months ?? 0}, ${until},
      ${support?.autoRenew ?? false}, ${new Date(order.at)}, ${order.userId}, ${until})`);
}

export async function setOffer(
  tx: Tx,
  key: ServiceKey,
  offer: { readonly amount: Fen; readonly priceProfileId: string; readonly until: number },
): Promise<void> {
  await tx.execute(sql`
    update service set state = 'offered', amount = ${offer.amount},
      price_profile_id = ${offer.priceProfileId}, offer_until = ${new Date(offer.until)},
      look_at = ${new Date(offer.until)}
    where tenant_id = ${key.tenantId} and id = ${key.id}`);
}

/** Accepted and paid: to be done. */
export async function setAccepted(tx: Tx, key: ServiceKey): Promise<void> {
  await tx.execute(sql`
    update service set state = 'active', optimizations_left = 1, look_at = null
    where tenant_id = ${key.tenantId} and id = ${key.id}`);
}

/** One more month of support. */
export async function setPaidMonths(
  tx: Tx,
  key: ServiceKey,
  paid: {
    readonly amount: Fen;
    readonly priceProfileId: string;
    readonly months: number;
    readonly until: number;
  },
): Promise<void> {
  await tx.execute(sql`
    update service set amount = ${paid.amount}, price_profile_id = ${paid.priceProfileId},
      paid_months = ${paid.months}, paid_until = ${new Date(paid.until)},
      look_at = ${new Date(paid.until)}
    where tenant_id = ${key.tenantId} and id = ${key.id}`);
}

export async function setNotRenewed(tx: Tx, key: ServiceKey): Promise<void> {
  await tx.execute(sql`
    update service set auto_renew = false where tenant_id = ${key.tenantId} and id = ${key.id}`);
}

/** One engagement is done; nothing is due about those that are left. */
export async function setOptimizationsLeft(
  tx: Tx,
  key: ServiceKey,
  { left }: { readonly left: number },
): Promise<void> {
  await tx.execute(sql`
    update service set optimizations_left = ${left}
    where tenant_id = ${key.tenantId} and id = ${key.id}`);
}

export async function setServiceLook(
  tx: Tx,
  key: ServiceKey,
  at: number | undefined,
): Promise<void> {
  await tx.execute(sql`
    update service set look_at = ${at === undefined ? null : new Date(at)}
    where tenant_id = ${key.tenantId} and id = ${key.id}`);
}

export async function endService(
  tx: Tx,
  key: ServiceKey,
  { at, reason }: { readonly at: number; readonly reason: Reason },
): Promise<void> {
  await tx.execute(sql`
    update service set state = 'ended', ended_at = ${new Date(at)}, end_reason = ${json(reason)},
      auto_renew = false, look_at = null
    where tenant_id = ${key.tenantId} and id = ${key.id}`);
}
