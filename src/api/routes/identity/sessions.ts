/** Who is signed in, and signing out. */
import type { z } from "zod";

import { clearCookie } from "#api/credential.ts";
import type { Handlers } from "#api/handler.ts";
import { pageByAge } from "#api/page.ts";
import { time } from "#api/routes/wire.ts";
import type * as wire from "#contract/schemas/sessions.ts";
import { sessionIdleMs } from "#identity/authenticate.ts";
import { endSessions, listSessions, revokeSession, type Session } from "#identity/sessions.ts";
import { insertCode } from "#identity/sign-in-codes.ts";
import { Failure } from "#kernel/failure.ts";

import { ownerOf } from "./own.ts";

const signInCodeMs = 5 * 60_000;

export const sessionHandlers = {
  listSessions: async ({ query }, { tx, tenantId, principal: actor, now }) =>
    pageByAge(
      query,
      (ask) => listSessions(tx, { tenantId, actor, now: now(), ask }),
      (session) => shownSession(session, actor.sessionId),
    ),

  endSession: async (_input, context) => {
    const { tx, principal, now, note, visitor, sendHeader } = context;
    const { sessionId } = principal;
    if (sessionId === null) {
      throw new Failure(
        "wrong_state",
        "This request came with an API key: there is no session to end.",
      );
    }
    const { tenantId } = ownerOf(context, "Sessions");
    await endSessions(tx, { tenantId, sessionId, by: "signed_out", now: now() });
    note({ target: sessionId });
    sendHeader("set-cookie", clearCookie(visitor));
    return undefined;
  },

  revokeSession: async ({ params }, { tx, tenantId, principal, now }) => {
    const { sessionId } = params;
    await revokeSession(tx, principal, { tenantId, sessionId, now: now() });
    return undefined;
  },

  createSignInCode: async (_input, context) => {
    const { tx, principal, now, note } = context;
    const { keyId, scope } = principal;
    if (scope === "usage.write")
      throw new Failure("forbidden", "This API key may only hand in usage.");
    const owner = ownerOf(context, "Sessions");
    const ask = { ...owner, keyId, scope, purpose: "sign_in", lifeMs: signInCodeMs } as const;
    const { id, code, expiresAt } = await insertCode(tx, { ...ask, now: now() });
    note({ target: id });
    return { code, path: `/sign-in#code=${code}`, expiresAt: time(expiresAt) };
  },
} satisfies Partial<Handlers>;

export function shownSession(
  session: Session,
  currentId: string | null,
): z.output<typeof wire.session> {
  const { createdAt, lastSeenAt, expiresAt, ...same } = session;
  return {
    ...same,
    createdAt: time(createdAt),
    lastSeenAt: time(lastSeenAt),
    expiresAt: time(expiresAt),
    idleExpiresAt: time(Math.min(expiresAt, lastSeenAt + sessionIdleMs)),
    current: session.id === currentId,
  };
}
