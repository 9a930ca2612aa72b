import type { z } from "zod";

import type * as wire from "#contract/schemas/identity.ts";
import { createSshKey, deleteSshKey, listSshKeys, type SshKey } from "#identity/ssh-keys.ts";

import type { Handlers } from "#api/handler.ts";
import { pageByAge } from "#api/page.ts";
import { time } from "#api/routes/wire.ts";

import { ownerOf } from "./own.ts";

export const sshKeyHandlers = {
  listSshKeys: async ({ query }, { tx, tenantId, principal }) => {
    const owner = { tenantId, userId: principal.userId };
    return pageByAge(query, (ask) => listSshKeys(tx, owner, ask), shownSshKey);
  },

  createSshKey: async ({ body }, context) => {
    const ask = { name: body.name, publicKey: body.publicKey, now: context.now() };
    const key = await createSshKey(context.tx, ownerOf(context, "SSH keys"), ask);
    context.note({ details: { name: key.name, fingerprint: key.fingerprint } });
    return shownSshKey(key);
  },

  deleteSshKey: async ({ params }, context) => {
    await deleteSshKey(context.tx, ownerOf(context, "SSH keys"), params.sshKeyId);
    return undefined;
  },
} satisfies Partial<Handlers>;

function shownSshKey(key: SshKey): z.output<typeof wire.sshKey> {
  const { id, name, publicKey, fingerprint, createdAt } = key;
  return { id, name, publicKey, fingerprint, createdAt: time(createdAt) };
}
