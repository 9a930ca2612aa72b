import type { z } from "zod";

import type * as wire from "#contract/schemas/identity.ts";
import { createSshKey, deleteSshKey, listSshKeys, type SshKey } from "#identity/ssh-keys.ts";
import { Failure } from "#kernel/failure.ts";

import type { Context, Handlers } from "#api/handler.ts";
import { pageByAge } from "#api/page.ts";
import { time } from "#api/routes/wire.ts";

export const sshKeyHandlers = {
  listSshKeys: async ({ query }, { tx, tenantId, principal }) => {
    const owner = { tenantId, userId: principal.userId };
    return pageByAge(query, (ask) => listSshKeys(tx, owner, ask), shownSshKey);
  },

  createSshKey: async ({ body }, context) => {
    const ask = { name: body.name, publicKey: body.publicKey, now: context.now() };
    const key = await createSshKey(context.tx, ownerOf(context), ask);
    context.note({ details: { name: key.name, fingerprint: key.fingerprint } });
    return shownSshKey(key);
  },

  deleteSshKey: async ({ params }, context) => {
    await deleteSshKey(context.tx, ownerOf(context), params.sshKeyId);
    return undefined;
  },
} satisfies Partial<Handlers>;

/** SSH keys are of a person, so root has them in his own tenant only. */
function ownerOf({ principal, tenantId }: Context): { tenantId: string; userId: string } {
  if (principal.tenantId === tenantId) return { tenantId, userId: principal.userId };
  throw new Failure(
    "forbidden",
    "SSH keys belong to the users of a tenant, and you are none of this one's. Use a key of theirs.",
  );
}

function shownSshKey(key: SshKey): z.output<typeof wire.sshKey> {
  const { id, name, publicKey, fingerprint, createdAt } = key;
  return { id, name, publicKey, fingerprint, createdAt: time(createdAt) };
}
