import { z } from "zod";

import { permissionsOfRole } from "#contract/permissions.ts";
import { instant } from "#db/row.ts";
import { sql } from "#db/sql.ts";

import type { Handlers } from "#api/handler.ts";
import { timeOrNull } from "#api/routes/wire.ts";

export const whoamiHandlers = {
  whoami: async (_input, { principal, db }) => {
    const { tenantId, tenantName, userId, userName, role, keyId, scope } = principal;
    // Not through `tx`, which may be another tenant's.
    const key = await db.one(
      sql`select expires_at as "expiresAt" from api_key
        where tenant_id = ${tenantId} and id = ${keyId}`,
      z.object({ expiresAt: instant.nullable() }),
    );
    return {
      tenant: { id: tenantId, name: tenantName },
      user: { id: userId, name: userName, role },
      key: { id: keyId, scope, expiresAt: timeOrNull(key.expiresAt) },
      permissions: [...permissionsOfRole[role]],
    };
  },
} satisfies Partial<Handlers>;
