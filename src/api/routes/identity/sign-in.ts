/**
 * Signing in: from a key, a code, a password or an invitation to a session and its cookie. Nobody is
 * known before, so the audit row is written here, with the session. What must stay true: which
 * accounts there are is told neither by an answer nor by its time; a wrong password for an account
 * that there is leaves a row that its administrators can read.
 */
import type { z } from "zod";

import { setCookie } from "#api/credential.ts";
import type { Handlers, PublicContext } from "#api/handler.ts";
import type { SignInLimits } from "#api/sign-in-limits.ts";
import { audit, type AuditEntry } from "#audit/audit.ts";
import type * as wire from "#contract/schemas/sessions.ts";
import type { Tx } from "#db/pool.ts";
import { authenticate, secretOf } from "#identity/authenticate.ts";
import {
  findAccount,
  isPasswordOf,
  setInvitedPassword,
  type Account,
} from "#identity/passwords.ts";
import { isSecretOf } from "#identity/secret.ts";
import { openSession, type NewSession } from "#identity/sessions.ts";
import { findCode, useCode } from "#identity/sign-in-codes.ts";
import { Failure } from "#kernel/failure.ts";

import { shownSession } from "./sessions.ts";

type Body = z.output<typeof wire.createSessionBody>;
type Shown = z.output<typeof wire.session>;

export function signInHandlers(
  limits: SignInLimits,
): Pick<Handlers, "createSession" | "acceptInvitation"> {
  return {
    createSession: async ({ body }, context) => {
      const account = "email" in body ? body.email : undefined;
      const who = { address: context.visitor.address, account };
      return limits.within(who, async () => {
        const entry = await entryOf(context, body);
        return open(context, { ...entry, action: "session.create" });
      });
    },

    acceptInvitation: async ({ body }, context) => {
      const who = { address: context.visitor.address, account: undefined };
      return limits.within(who, async () => {
        const now = context.now();
        const code = await findCode(context.db, { code: body.code, purpose: "invitation", now });
        const { tenantId, userId } = code;
        return open(context, {
          ...code,
          keyId: null,
          madeBy: "invitation",
          action: "invitation.accept",
          first: async (tx) => {
            await useCode(tx, code, now);
            await setInvitedPassword(tx, { tenantId, userId, password: body.password, now });
          },
        });
      });
    },
  };
}

/** Who comes in, by what. */
interface Entry extends Pick<NewSession, "tenantId" | "userId" | "keyId" | "scope" | "madeBy"> {
  readonly userName: string;
  /** In the same transaction, before. */
  readonly first?: (tx: Tx) => Promise<void>;
}

async function entryOf(context: PublicContext, body: Body): Promise<Entry> {
  if ("credential" in body) return byKey(context, body.credential);
  const now = context.now();
  if ("code" in body) {
    const code = await findCode(context.db, { code: body.code, purpose: "sign_in", now });
    return { ...code, madeBy: "code", first: (tx) => useCode(tx, code, now) };
  }
  return byPassword(context, body);
}

async function byKey({ db, now }: PublicContext, credential: string): Promise<Entry> {
  const secret = secretOf(credential.trim());
  if (!isSecretOf("key", secret)) {
    throw new Failure("unauthenticated", "That is not a Millrace API key.");
  }
  const { principal } = await authenticate(db, secret, now());
  const { scope } = principal;
  if (scope === "usage.write") {
    throw new Failure("forbidden", "This API key may only hand in usage; nobody signs in with it.");
  }
  return { ...principal, scope, madeBy: "key" };
}

async function byPassword(
  context: PublicContext,
  { email, password }: { readonly email: string; readonly password: string },
): Promise<Entry> {
  const account = await findAccount(context.db, email);
  if (account === undefined || !(await isPasswordOf(account, password))) {
    if (account === undefined) await isPasswordOf(undefined, password);
    else await noteRefusal(context, account);
    throw new Failure("unauthenticated", "Address and password do not belong together.", {
      details: { reason: "wrong_password" },
    });
  }
  return { ...account, keyId: null, scope: "all", madeBy: "password" };
}

/** How often is bounded by the limit of the account. */
async function noteRefusal(context: PublicContext, account: Account): Promise<void> {
  const { tenantId, userId, userName } = account;
  const actor = {
    kind: "user",
    name: userName,
    tenantId,
    userId,
    keyId: null,
    sessionId: null,
  } as const;
  const details = { code: "unauthenticated", by: "password", address: context.visitor.address };
  await context.db.tenant(tenantId, (tx) =>
    audit(tx, {
      ...common(context),
      tenantId,
      actor,
      action: "session.create",
      outcome: "refused",
      details,
    }),
  );
}

function common({ requestId, now }: PublicContext): Pick<AuditEntry, "requestId" | "at"> {
  return { requestId, at: now() };
}

async function open(
  context: PublicContext,
  { first, userName, action, ...entry }: Entry & { readonly action: string },
): Promise<Shown> {
  const { db, visitor } = context;
  const { address, userAgent, isSecure } = visitor;
  const { tenantId, userId, keyId, scope, madeBy } = entry;
  const now = context.now();
  const session = await db.tenant(tenantId, async (tx) => {
    await first?.(tx);
    const ask = { tenantId, userId, keyId, scope, madeBy, address, userAgent, now };
    const opened = await openSession(tx, ask);
    const sessionId = opened.id;
    await audit(tx, {
      ...common(context),
      tenantId,
      actor: { kind: "user", name: userName, tenantId, userId, keyId, sessionId },
      action,
      target: sessionId,
      outcome: "done",
      details: { by: madeBy, address },
    });
    return opened;
  });
  const { secret, ...shown } = session;
  const seconds = Math.floor((session.expiresAt - now) / 1000);
  context.sendHeader("set-cookie", setCookie(secret, { isSecure, seconds }));
  return shownSession(shown, session.id);
}
