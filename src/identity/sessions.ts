/**
 * Sessions: what a browser signs in to. What must stay true:
 *
 * - A session does what its user may, within the scope of the key or code that it was made of, and
 *   ends with that key.
 * - It is over 12 hours after its last use, 7 days after it began, and at once when it is ended: by
 *   signing out, by its user or an administrator, with a disabled user, with a changed password.
 * - The secret is in one cookie and nowhere else; the database has its hash.
 */
import { v7 as newId } from "uuid";
import { z } from "zod";

import { mayDo } from "#contract/permissions.ts";
import { sessionMaker, sessionScope } from "#contract/schemas/sessions.ts";
import { oldestFirst, type PageAsk } from "#db/keyset.ts";
import type { Db, Queryable, Tx } from "#db/pool.ts";
import { instant } from "#db/row.ts";
import { sql } from "#db/sql.ts";
import { Failure } from "#kernel/failure.ts";

import type { Actor } from "./api-keys.ts";
import { sessionIdleMs } from "./authenticate.ts";
import { sessionsPerUserMax } from "./limits.ts";
import { newSecret } from "./secret.ts";

const sessionMs = 7 * 86_400_000;
/** What is over stays for so long, so that a page is told that its session has expired. */
const keptMs = 7 * 86_400_000;
const forgottenPerPassMax = 1_000;
const userAgentCharactersMax = 300;
const addressCharactersMax = 100;

const row = z.object({
  id: z.string(),
  userId: z.string(),
  keyId: z.string().nullable(),
  madeBy: sessionMaker,
  scope: sessionScope,
  createdAt: instant,
  lastSeenAt: instant,
  expiresAt: instant,
  userAgent: z.string(),
  address: z.string(),
});
export type Session = z.output<typeof row>;
export type OpenedSession = Session & { readonly secret: string };

const columns = sql`s.id, s.user_id as "userId", s.key_id as "keyId", s.made_by as "madeBy", s.scope,
  s.created_at as "createdAt", s.last_seen_at as "lastSeenAt",
  least(s.expires_at, (select k.expires_at from api_key k
    where k.tenant_id = s.tenant_id and k.id = s.key_id)) as "expiresAt",
  s.user_agent as "userAgent", s.address`;

export interface NewSession {
  readonly tenantId: string;
  readonly userId: string;
  readonly keyId: string | null;
  readonly madeBy: Session["madeBy"];
  readonly scope: Session["scope"];
  readonly userAgent: string;
  readonly address: string;
  readonly now: number;
}

/** Without asking who may: whoever calls has checked the key, the code or the password. */
export async function openSession(tx: Tx, ask: NewSession): Promise<OpenedSession> {
  await endEldest(tx, ask);
  const { secret, prefix, hash } = newSecret("session");
  const session = await tx.one(
    sql`insert into session as s (tenant_id, id, user_id, key_id, made_by, scope, prefix, secret_hash,
        created_at, last_seen_at, expires_at, user_agent, address)
      values (${ask.tenantId}, ${newId()}, ${ask.userId}, ${ask.keyId}, ${ask.madeBy}, ${ask.scope},
        ${prefix}, ${hash}, ${new Date(ask.now)}, ${new Date(ask.now)},
        ${new Date(ask.now + sessionMs)}, ${ask.userAgent.slice(0, userAgentCharactersMax)},
        ${ask.address.slice(0, addressCharactersMax)})
      returning ${columns}`,
    row,
  );
  return { ...session, secret };
}

async function endEldest(tx: Tx, { tenantId, userId, now }: NewSession): Promise<void> {
  await tx.execute(sql`
    update session set ended_at = ${new Date(now)}, ended_by = 'too_many'
    where (tenant_id, id) in (
      select tenant_id, id from session
      where tenant_id = ${tenantId} and user_id = ${userId} and ended_at is null
      order by last_seen_at desc, id desc offset ${sessionsPerUserMax - 1})`);
}

/** Those that still count: an administrator sees the tenant's, anyone else his own. */
export async function listSessions(
  tx: Tx,
  asked: { readonly tenantId: string; readonly actor: Actor; readonly now: number; ask: PageAsk },
): Promise<Session[]> {
  const { tenantId, actor, now, ask } = asked;
  const whose = mayDo(actor.role, "member.manage") ? sql`true` : sql`s.user_id = ${actor.userId}`;
  const position = { at: sql`s.created_at`, id: sql`s.id` };
  return tx.rows(
    sql`select ${columns} from session s
      where s.tenant_id = ${tenantId} and s.ended_at is null and s.expires_at > ${new Date(now)}
        and s.last_seen_at > ${new Date(now - sessionIdleMs)} and ${whose}
        and ${oldestFirst(position, ask)}
      order by s.created_at, s.id limit ${ask.limit}`,
    row,
  );
}

export async function findSessionById(
  db: Queryable,
  { tenantId, sessionId }: { readonly tenantId: string; readonly sessionId: string },
): Promise<Session> {
  return db.one(
    sql`select ${columns} from session s
      where s.tenant_id = ${tenantId} and s.id = ${sessionId}`,
    row,
  );
}

type EndedBy =
  | "signed_out"
  | "revoked"
  | "key_revoked"
  | "user_disabled"
  | "password_changed"
  | "too_many";

export interface Ending {
  readonly tenantId: string;
  /** Which of the tenant's: the narrowest that is given; all of the user but `except`. */
  readonly sessionId?: string;
  readonly keyId?: string;
  readonly userId?: string;
  readonly except?: string | null;
  readonly by: EndedBy;
  readonly now: number;
}

/** How many there were to end. */
export async function endSessions(tx: Tx, ending: Ending): Promise<number> {
  const { tenantId, sessionId = null, keyId = null, userId = null, except = null } = ending;
  return tx.execute(sql`
    update session set ended_at = ${new Date(ending.now)}, ended_by = ${ending.by}
    where tenant_id = ${tenantId} and ended_at is null
      and (id = ${sessionId} or key_id = ${keyId} or user_id = ${userId})
      and id is distinct from ${except}`);
}

/** By its user or an administrator; the other's session is not there for anybody else. */
export async function revokeSession(
  tx: Tx,
  actor: Actor,
  session: { readonly tenantId: string; readonly sessionId: string; readonly now: number },
): Promise<void> {
  const { tenantId, sessionId, now } = session;
  const found = await tx.maybe(
    sql`select user_id as "userId" from session
      where tenant_id = ${tenantId} and id = ${sessionId} and ended_at is null`,
    z.object({ userId: z.string() }),
  );
  const own = found?.userId === actor.userId;
  if (found === undefined || (!own && !mayDo(actor.role, "member.manage"))) {
    throw new Failure("not_found", "There is no such session.");
  }
  await endSessions(tx, { tenantId, sessionId, by: "revoked", now });
}

/** Removes what has been over for long, oldest first; says how many. For a loop. */
export async function forgetSessions(db: Db, now: number): Promise<number> {
  const before = new Date(now - keptMs);
  const sessions = await db.execute(sql`
    delete from session where ctid in (
      select ctid from session where least(expires_at, ended_at) <= ${before}
      order by least(expires_at, ended_at) limit ${forgottenPerPassMax}
      for update skip locked)`);
  const codes = await db.execute(sql`
    delete from sign_in_code where ctid in (
      select ctid from sign_in_code where expires_at <= ${before}
      order by expires_at limit ${forgottenPerPassMax}
      for update skip locked)`);
  return sessions + codes;
}
