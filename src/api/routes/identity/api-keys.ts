import type { z } from "zod";

import type * as wire from "#contract/schemas/identity.ts";
import {
  createApiKey,
  listApiKeys,
  revokeApiKey,
  type ApiKey,
  type CreatedApiKey,
} from "#identity/api-keys.ts";
import { shownPrefix } from "#identity/secret.ts";
import { Failure } from "#kernel/failure.ts";

import type { Context, Handlers } from "#api/handler.ts";
import { pageByAge } from "#api/page.ts";
import { time, timeOrNull } from "#api/routes/wire.ts";

const dayMs = 86_400_000;

export const apiKeyHandlers = {
  listApiKeys: async ({ query }, { tx, tenantId, principal: actor }) =>
    pageByAge(query, (ask) => listApiKeys(tx, { tenantId, actor, ask }), shownKey),

  createApiKey: async ({ body }, context) => {
    const { tx, tenantId, principal, note } = context;
    const now = context.now();
    const { name, scope, expiresInDays } = body;
    const key = await createApiKey(tx, principal, {
      tenantId,
      userId: body.userId ?? ownUserId(context),
      name,
      scope,
      expiresAt: expiresInDays === undefined ? null : now + expiresInDays * dayMs,
      now,
    });
    note({ details: { name, userId: key.userId, scope, prefix: shownPrefix(key.prefix) } });
    return shownCreatedKey(key);
  },

  revokeApiKey: async ({ params }, { tx, tenantId, principal, now }) => {
    await revokeApiKey(tx, principal, { tenantId, keyId: params.keyId, now: now() });
    return undefined;
  },
} satisfies Partial<Handlers>;

function ownUserId({ principal, tenantId }: Context): string {
  if (principal.tenantId === tenantId) return principal.userId;
  throw new Failure("invalid_request", "Say for which user of this tenant: you are none of them.", {
    details: { fields: [{ in: "body", path: "userId", message: "is required" }] },
  });
}

function shownKey(key: ApiKey): z.output<typeof wire.apiKey> {
  return {
    id: key.id,
    name: key.name,
    userId: key.userId,
    scope: key.scope,
    prefix: shownPrefix(key.prefix),
    createdAt: time(key.createdAt),
    expiresAt: timeOrNull(key.expiresAt),
    lastUsedAt: timeOrNull(key.lastUsedAt),
  };
}

export function shownCreatedKey(key: CreatedApiKey): z.output<typeof wire.createdApiKey> {
  return { ...shownKey(key), secret: key.secret };
}
