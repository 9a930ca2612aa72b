/**
 * Users and their roles. What must stay true: nobody hands out more than he has; root exists in
 * the operator's tenant only; a tenant always keeps one active administrator.
 */
import { v7 as newId } from "uuid";
import { z } from "zod";

import type { Role } from "#contract/operation.ts";
import { role } from "#contract/schemas/identity.ts";
import { explained } from "#db/constraint.ts";
import { oldestFirst, type PageAsk } from "#db/keyset.ts";
import type { Tx } from "#db/pool.ts";
import { instant } from "#db/row.ts";
import { sql } from "#db/sql.ts";
import { Failure } from "#kernel/failure.ts";

import { requireRoom, usersPerTenantMax } from "./limits.ts";
import { administratorRole, mayGrant, type TenantKind } from "./roles.ts";
import { endSessions } from "./sessions.ts";

const state = z.enum(["active", "disabled"]);
const row = z.object({
  id: z.string(),
  name: z.string(),
  email: z.string().nullable(),
  role,
  state,
  createdAt: instant,
});
export type User = z.output<typeof row>;

const columns = sql`id, name, email, role, state, created_at as "createdAt"`;
const position = { at: sql`created_at`, id: sql`id` };

export async function listUsers(tx: Tx, tenantId: string, ask: PageAsk): Promise<User[]> {
  return tx.rows(
    sql`select ${columns} from tenant_user
      where tenant_id = ${tenantId} and ${oldestFirst(position, ask)}
      order by created_at, id limit ${ask.limit}`,
    row,
  );
}

export interface NewUser {
  readonly tenantId: string;
  readonly name: string;
  /** With which he signs in, in small letters. */
  readonly email?: string | undefined;
  readonly role: Role;
  readonly now: number;
}

export async function createUser(tx: Tx, actorRole: Role, ask: NewUser): Promise<User> {
  await requireMayGrant(tx, actorRole, ask);
  await requireRoom(tx, {
    what: "users",
    rows: sql`from tenant_user where tenant_id = ${ask.tenantId}`,
    limit: usersPerTenantMax,
  });
  return insertUser(tx, ask);
}

/** Without asking who may: for users that the installation makes itself. */
export async function insertUser(tx: Tx, ask: NewUser): Promise<User> {
  const insert = tx.one(
    sql`insert into tenant_user (tenant_id, id, name, email, role, created_at)
      values (${ask.tenantId}, ${newId()}, ${ask.name}, ${ask.email ?? null}, ${ask.role},
        ${new Date(ask.now)})
      returning ${columns}`,
    row,
  );
  return explained(insert, {
    tenant_user_name: () => new Failure("conflict", `There is a user "${ask.name}" already.`),
    tenant_user_email: emailTaken,
  });
}

function emailTaken(): Failure {
  return new Failure("conflict", "Somebody signs in with this e-mail address already.");
}

interface Which {
  readonly tenantId: string;
  readonly userId: string;
}

/** Throws `not_found`. */
export async function findUser(tx: Tx, { tenantId, userId }: Which): Promise<User> {
  const found = await tx.maybe(
    sql`select ${columns} from tenant_user where tenant_id = ${tenantId} and id = ${userId}`,
    row,
  );
  if (found === undefined) throw new Failure("not_found", "There is no such user.");
  return found;
}

/** Without asking who may. */
export async function setEmail(tx: Tx, which: Which, email: string): Promise<User> {
  const update = tx.one(
    sql`update tenant_user set email = ${email}
      where tenant_id = ${which.tenantId} and id = ${which.userId} returning ${columns}`,
    row,
  );
  return explained(update, { tenant_user_email: emailTaken });
}

export interface UserChange {
  readonly tenantId: string;
  readonly userId: string;
  readonly role?: Role | undefined;
  readonly state?: "active" | "disabled" | undefined;
  readonly now: number;
}

export async function updateUser(tx: Tx, actorRole: Role, change: UserChange): Promise<User> {
  const kind = await tenantKind(tx, change.tenantId);
  const administrators = await lockAdministrators(tx, change.tenantId, kind);
  const before = await tx.maybe(
    sql`select ${columns} from tenant_user
      where tenant_id = ${change.tenantId} and id = ${change.userId} for no key update`,
    row,
  );
  if (before === undefined) throw new Failure("not_found", "There is no such user.");
  const after = { role: change.role ?? before.role, state: change.state ?? before.state };
  if (!mayGrant(actorRole, before.role)) {
    throw new Failure("forbidden", `A ${actorRole} does not change a ${before.role}.`);
  }
  await requireMayGrant(tx, actorRole, { tenantId: change.tenantId, role: after.role });
  const stays = after.role === administratorRole(kind) && after.state === "active";
  if (!stays && administrators.length === 1 && administrators[0]?.id === before.id) {
    throw new Failure(
      "wrong_state",
      `"${before.name}" is the last active ${before.role} and stays one. Give the role to somebody else first.`,
    );
  }
  if (after.state === "disabled") {
    const { tenantId, userId, now } = change;
    await endSessions(tx, { tenantId, userId, by: "user_disabled", now });
  }
  return tx.one(
    sql`update tenant_user set role = ${after.role}, state = ${after.state}
      where tenant_id = ${change.tenantId} and id = ${change.userId}
      returning ${columns}`,
    row,
  );
}

/** Locked in one order, so that two administrators who remove each other take turns. */
async function lockAdministrators(tx: Tx, tenantId: string, kind: TenantKind): Promise<User[]> {
  return tx.rows(
    sql`select ${columns} from tenant_user
      where tenant_id = ${tenantId} and role = ${administratorRole(kind)} and state = 'active'
      order by id for no key update`,
    row,
  );
}

async function requireMayGrant(
  tx: Tx,
  actorRole: Role,
  grant: { readonly tenantId: string; readonly role: Role },
): Promise<void> {
  if (!mayGrant(actorRole, grant.role)) {
    throw new Failure("forbidden", `A ${actorRole} cannot make somebody a ${grant.role}.`);
  }
  if (grant.role === "root" && (await tenantKind(tx, grant.tenantId)) !== "operator") {
    throw new Failure("forbidden", "Only the operator's own tenant has root users.");
  }
}

async function tenantKind(tx: Tx, tenantId: string): Promise<TenantKind> {
  const tenant = await tx.one(
    sql`select kind from tenant where id = ${tenantId}`,
    z.object({ kind: z.enum(["operator", "customer"]) }),
  );
  return tenant.kind;
}
