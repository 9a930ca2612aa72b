import { z } from "zod";

import type { Handlers } from "#api/handler.ts";
import { timeOrNull } from "#api/routes/wire.ts";
import { permissionsOfRole } from "#contract/permissions.ts";
import type { Db } from "#db/pool.ts";
import { instant } from "#db/row.ts";
import { sql } from "#db/sql.ts";
import type { Principal } from "#identity/authenticate.ts";
import { findSessionById } from "#identity/sessions.ts";

import { shownSession } from "./sessions.ts";

/** Of the whole installation. */
const currency = "CNY";

export const whoamiHandlers = {
  whoami: async (_input, { principal, db }) => {
    const { tenantId, tenantName, userId, userName, role, sessionId, scope } = principal;
    // Not through `tx`, which may be another tenant's.
    const { key, tenant, user } = await about(db, principal);
    const session = sessionId === null ? null : await findSessionById(db, { tenantId, sessionId });
    return {
      tenant: { id: tenantId, name: tenantName, ...tenant },
      user: { id: userId, name: userName, role, ...user },
      scope,
      key: key === null ? null : { ...key, expiresAt: timeOrNull(key.expiresAt) },
      session: session === null ? null : shownSession(session, sessionId),
      permissions: [...permissionsOfRole[role]],
      currency,
    };
  },
} satisfies Partial<Handlers>;

const aboutRow = z.object({
  displayName: z.string(),
  kind: z.enum(["operator", "customer"]),
  timeZone: z.string(),
  state: z.enum(["active", "suspended"]),
  email: z.string().nullable(),
  hasPassword: z.boolean(),
  keyId: z.string().nullable(),
  keyScope: z.enum(["all", "read", "usage.write"]).nullable(),
  keyExpiresAt: instant.nullable(),
});

async function about(db: Db, { tenantId, userId, keyId }: Principal) {
  const found = await db.one(
    sql`select t.display_name as "displayName", t.kind, t.time_zone as "timeZone", t.state, u.email,
        exists (select from user_password p
          where p.tenant_id = u.tenant_id and p.user_id = u.id) as "hasPassword",
        k.id as "keyId", k.scope as "keyScope", k.expires_at as "keyExpiresAt"
      from tenant t
      join tenant_user u on u.tenant_id = t.id and u.id = ${userId}
      left join api_key k on k.tenant_id = t.id and k.id = ${keyId}
      where t.id = ${tenantId}`,
    aboutRow,
  );
  const { displayName, kind, timeZone, state, email, hasPassword } = found;
  const { keyId: id, keyScope: scope, keyExpiresAt: expiresAt } = found;
  return {
    tenant: { displayName, kind, timeZone, state },
    user: { email, hasPassword },
    key: id === null || scope === null ? null : { id, scope, expiresAt },
  };
}
