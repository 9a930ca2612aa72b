/**
 * Passwords: whose, set by whom. What must stay true: a new one ends what was open under the old
 * one, and what was on its way (codes, invitations); nobody sets another's, an administrator only
 * invites.
 */
import { z } from "zod";

import type { Queryable, Tx } from "#db/pool.ts";
import { sql } from "#db/sql.ts";
import { Failure } from "#kernel/failure.ts";

import type { Actor } from "./api-keys.ts";
import { hashPassword, matchesPassword } from "./password-hash.ts";
import { mayGrant } from "./roles.ts";
import { endSessions } from "./sessions.ts";
import { insertCode, voidCodes, type SignInCode } from "./sign-in-codes.ts";
import { findUser, setEmail, type User } from "./users.ts";

const invitationMs = 3 * 86_400_000;

interface Whose {
  readonly tenantId: string;
  readonly userId: string;
}

const account = z.object({
  tenantId: z.string(),
  tenantName: z.string(),
  userId: z.string(),
  userName: z.string(),
  state: z.enum(["active", "disabled"]),
  hash: z.string().nullable(),
});
export type Account = z.output<typeof account>;

/** By the address that somebody signs in with; `undefined` where there is none. */
export async function findAccount(db: Queryable, email: string): Promise<Account | undefined> {
  return db.maybe(
    sql`select u.tenant_id as "tenantId", t.name as "tenantName", u.id as "userId",
        u.name as "userName", u.state, p.hash
      from tenant_user u
      join tenant t on t.id = u.tenant_id
      left join user_password p on p.tenant_id = u.tenant_id and p.user_id = u.id
      where u.email = ${email}`,
    account,
  );
}

/** As long for an account that there is not as for a wrong password. */
export async function isPasswordOf(found: Account | undefined, password: string): Promise<boolean> {
  const isRight = await matchesPassword(password, found?.hash ?? undefined);
  return isRight && found?.state === "active";
}

export interface OwnPassword extends Whose {
  readonly email: string | undefined;
  readonly currentPassword: string | undefined;
  readonly password: string;
  /** From which he asks: it stays, the others end. */
  readonly sessionId: string | null;
  readonly now: number;
}

export async function setOwnPassword(tx: Tx, ask: OwnPassword): Promise<User> {
  const stored = await passwordOf(tx, ask);
  if (stored !== undefined && !(await isCurrent(ask, stored))) {
    throw new Failure("forbidden", "That is not your current password.", {
      details: { reason: "current_password", fields: [wrongCurrent] },
    });
  }
  const user =
    ask.email === undefined ? await findUser(tx, ask) : await setEmail(tx, ask, ask.email);
  if (user.email === null) {
    throw new Failure("invalid_request", "Say with which e-mail address you will sign in.", {
      details: { fields: [{ in: "body", path: "email", message: "is required" }] },
    });
  }
  await keepPassword(tx, ask);
  await endSessions(tx, {
    ...whoseOf(ask),
    except: ask.sessionId,
    by: "password_changed",
    now: ask.now,
  });
  return user;
}

const wrongCurrent = { in: "body", path: "currentPassword", message: "is not your password" };

async function isCurrent({ currentPassword }: OwnPassword, stored: string): Promise<boolean> {
  return currentPassword !== undefined && matchesPassword(currentPassword, stored);
}

async function passwordOf(tx: Tx, { tenantId, userId }: Whose): Promise<string | undefined> {
  const found = await tx.maybe(
    sql`select hash from user_password where tenant_id = ${tenantId} and user_id = ${userId}`,
    z.object({ hash: z.string() }),
  );
  return found?.hash;
}

/** Of one who was invited: everything that was open before ends. */
export async function setInvitedPassword(
  tx: Tx,
  ask: Whose & { readonly password: string; readonly now: number },
): Promise<void> {
  await keepPassword(tx, ask);
  await endSessions(tx, { ...whoseOf(ask), by: "password_changed", now: ask.now });
}

async function keepPassword(
  tx: Tx,
  ask: Whose & { readonly password: string; readonly now: number },
): Promise<void> {
  const hash = await hashPassword(ask.password);
  await tx.execute(sql`
    insert into user_password (tenant_id, user_id, hash, set_at)
    values (${ask.tenantId}, ${ask.userId}, ${hash}, ${new Date(ask.now)})
    on conflict (tenant_id, user_id) do update set hash = excluded.hash, set_at = excluded.set_at`);
  await voidCodes(tx, ask);
}

function whoseOf({ tenantId, userId }: Whose): Whose {
  return { tenantId, userId };
}

export interface Invitation extends Whose {
  readonly email: string | undefined;
  readonly now: number;
}

/** By an administrator who may do what the user may. It replaces an earlier one. */
export async function inviteUser(
  tx: Tx,
  actor: Actor,
  ask: Invitation,
): Promise<SignInCode & { readonly email: string }> {
  const before = await findUser(tx, ask);
  if (!mayGrant(actor.role, before.role)) {
    throw new Failure(
      "forbidden",
      `A ${actor.role} does not invite a ${before.role}, who may do more.`,
    );
  }
  if (before.state === "disabled") {
    throw new Failure("wrong_state", `"${before.name}" is disabled. Enable the user first.`);
  }
  const user = ask.email === undefined ? before : await setEmail(tx, ask, ask.email);
  if (user.email === null) {
    throw new Failure("invalid_request", "Say with which e-mail address the user will sign in.", {
      details: { fields: [{ in: "body", path: "email", message: "is required" }] },
    });
  }
  await voidCodes(tx, ask);
  const code = await insertCode(tx, {
    ...whoseOf(ask),
    keyId: null,
    scope: "all",
    purpose: "invitation",
    lifeMs: invitationMs,
    now: ask.now,
  });
  return { ...code, email: user.email };
}
