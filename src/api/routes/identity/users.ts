import type { z } from "zod";

import type * as wire from "#contract/schemas/identity.ts";
import { createUser, listUsers, updateUser, type User } from "#identity/users.ts";

import type { Handlers } from "#api/handler.ts";
import { pageByAge } from "#api/page.ts";
import { time } from "#api/routes/wire.ts";

export const userHandlers = {
  listUsers: async ({ query }, { tx, tenantId }) =>
    pageByAge(query, (ask) => listUsers(tx, tenantId, ask), shownUser),

  createUser: async ({ body }, { tx, tenantId, principal, now, note }) => {
    note({ details: body });
    return shownUser(await createUser(tx, principal.role, { ...body, tenantId, now: now() }));
  },

  updateUser: async ({ params, body }, { tx, tenantId, principal, now, note }) => {
    note({ details: body });
    const change = { ...body, tenantId, userId: params.userId, now: now() };
    return shownUser(await updateUser(tx, principal.role, change));
  },
} satisfies Partial<Handlers>;

function shownUser({ id, name, email, role, state, createdAt }: User): z.output<typeof wire.user> {
  return { id, name, email, role, state, createdAt: time(createdAt) };
}
