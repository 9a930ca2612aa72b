/** Setting one's own password, and inviting somebody to set his. */
import type { Handlers } from "#api/handler.ts";
import { time } from "#api/routes/wire.ts";
import type { SignInLimits } from "#api/sign-in-limits.ts";
import { inviteUser, setOwnPassword } from "#identity/passwords.ts";
import { Failure } from "#kernel/failure.ts";

import { ownerOf } from "./own.ts";

export function passwordHandlers(
  limits: SignInLimits,
): Pick<Handlers, "setPassword" | "inviteUser"> {
  return {
    setPassword: async ({ body }, context) => {
      const { tx, principal, now, note, visitor } = context;
      if (principal.scope !== "all") {
        throw new Failure("forbidden", "What may only read sets no password.", {
          details: { scope: principal.scope },
        });
      }
      const owner = ownerOf(context, "Passwords");
      const { sessionId } = principal;
      const { email, password, currentPassword } = body;
      const who = { address: visitor.address, account: owner.userId };
      const ask = { ...owner, email, password, currentPassword, sessionId, now: now() };
      const user = await limits.within(who, () => setOwnPassword(tx, ask));
      note({ target: user.id, details: { email: user.email } });
      return undefined;
    },

    inviteUser: async ({ params, body }, { tx, tenantId, principal, now, note }) => {
      const ask = { tenantId, userId: params.userId, email: body.email, now: now() };
      const { code, expiresAt, email } = await inviteUser(tx, principal, ask);
      note({ target: params.userId, details: { email } });
      return { code, path: `/sign-in#invitation=${code}`, expiresAt: time(expiresAt), email };
    },
  };
}
