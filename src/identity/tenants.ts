/** Tenants: the paying accounts. One of them is the operator's own; it is never suspended. */
import { v7 as newId } from "uuid";
import { z } from "zod";

import { explained } from "#db/constraint.ts";
import { oldestFirst, type PageAsk } from "#db/keyset.ts";
import type { Queryable, Tx } from "#db/pool.ts";
import { instant } from "#db/row.ts";
import { sql } from "#db/sql.ts";
import { Failure } from "#kernel/failure.ts";
import { billingZone, timeZone } from "#kernel/zone.ts";

import { insertApiKey, type CreatedApiKey } from "./api-keys.ts";
import { createProject, defaultProjectName } from "./projects.ts";
import { administratorRole, type TenantKind } from "./roles.ts";
import { insertUser } from "./users.ts";

const row = z.object({
  id: z.string(),
  kind: z.enum(["operator", "customer"]),
  name: z.string(),
  displayName: z.string(),
  timeZone: z.string(),
  state: z.enum(["active", "suspended"]),
  serviceClass: z.enum(["standard", "core"]),
  createdAt: instant,
});
export type Tenant = z.output<typeof row>;

const columns = sql`id, kind, name, display_name as "displayName", time_zone as "timeZone", state,
  service_class as "serviceClass",
  created_at as "createdAt"`;
const position = { at: sql`created_at`, id: sql`id` };

/** Needs a transaction of the operator, as row-level security shows a tenant only itself. */
export async function listTenants(tx: Tx, ask: PageAsk): Promise<Tenant[]> {
  return tx.rows(
    sql`select ${columns} from tenant where ${oldestFirst(position, ask)}
      order by created_at, id limit ${ask.limit}`,
    row,
  );
}

/** By id or name. */
export async function findTenant(db: Queryable, text: string): Promise<Tenant | undefined> {
  const isId = z.uuid().safeParse(text).success;
  const which = isId ? sql`id = ${text.toLowerCase()}` : sql`name = ${text}`;
  return db.maybe(sql`select ${columns} from tenant where ${which}`, row);
}

const nameRow = z.object({ id: z.string(), displayName: z.string() });

/** What they are called, by id; those that are not there are left out. */
export async function tenantNames(
  db: Queryable,
  ids: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  if (ids.length === 0) return new Map();
  const rows = await db.rows(
    sql`select id, display_name as "displayName" from tenant where id = any(${[...ids]}::uuid[])`,
    nameRow,
  );
  return new Map(rows.map(({ id, displayName }) => [id, displayName]));
}

export interface NewTenant {
  readonly name: string;
  readonly displayName?: string | undefined;
  /** IANA name. */
  readonly timeZone?: string | undefined;
  readonly now: number;
}

export interface OpenedTenant {
  readonly tenant: Tenant;
  readonly administrator: CreatedApiKey;
}

/** Throws `conflict` for a name that is taken, `invalid_request` for an unknown zone. */
export async function createTenant(tx: Tx, ask: NewTenant): Promise<OpenedTenant> {
  const opened = openTenant(tx, { ...ask, kind: "customer", administratorName: "admin" });
  return explained(opened, {
    tenant_name: () => new Failure("conflict", `There is a tenant "${ask.name}" already.`),
  });
}

/** A tenant with its default project, an administrator and his first key. */
export async function openTenant(
  tx: Tx,
  ask: NewTenant & { readonly kind: TenantKind; readonly administratorName: string },
): Promise<OpenedTenant> {
  const zone = ask.timeZone === undefined ? billingZone : timeZone(ask.timeZone);
  const tenant = await tx.one(
    sql`insert into tenant (id, kind, name, display_name, time_zone, created_at)
      values (${newId()}, ${ask.kind}, ${ask.name}, ${ask.displayName ?? ask.name}, ${zone},
        ${new Date(ask.now)})
      returning ${columns}`,
    row,
  );
  const { now } = ask;
  await createProject(tx, { tenantId: tenant.id, name: defaultProjectName, now });
  const user = await insertUser(tx, {
    tenantId: tenant.id,
    name: ask.administratorName,
    role: administratorRole(ask.kind),
    now,
  });
  const administrator = await insertApiKey(tx, {
    tenantId: tenant.id,
    userId: user.id,
    name: "first",
    scope: "all",
    expiresAt: null,
    now,
  });
  return { tenant, administrator };
}

export interface TenantChange {
  readonly tenantId: string;
  readonly displayName?: string | undefined;
  readonly state?: "active" | "suspended" | undefined;
  /** `core` only when `flow/admit/service-class.ts` allows it. */
  readonly serviceClass?: "standard" | "core" | undefined;
}

/**
 * A suspended tenant may read but change nothing; what runs is stopped by flow/admit/suspension.ts.
 * Needs a transaction of the operator.
 */
export async function updateTenant(tx: Tx, change: TenantChange): Promise<Tenant> {
  const update = tx.maybe(
    sql`update tenant set
        display_name = coalesce(${change.displayName ?? null}, display_name),
        state = coalesce(${change.state ?? null}, state),
        service_class = coalesce(${change.serviceClass ?? null}, service_class)
      where id = ${change.tenantId}
      returning ${columns}`,
    row,
  );
  const tenant = await explained(update, {
    operator_stays_active: () =>
      new Failure("wrong_state", "The operator's own tenant cannot be suspended."),
  });
  if (tenant === undefined) throw new Failure("not_found", "There is no such tenant.");
  return tenant;
}
