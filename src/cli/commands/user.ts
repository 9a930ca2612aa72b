/** `user create|list|update` */
import type { Command } from "commander";
import { z } from "zod";

import {
  define,
  flag,
  group,
  listOptions,
  noArguments,
  oneArgument,
  type Shell,
} from "#cli/define.ts";
import { collect, listText } from "#cli/lists.ts";
import { kinds, resolve } from "#cli/resolve.ts";
import type { Column } from "#cli/table.ts";
import { none, shortId, time } from "#cli/text.ts";
import type { ItemOf } from "#client/types.ts";
import { role } from "#contract/schemas/identity.ts";
import { Failure } from "#kernel/failure.ts";

type User = ItemOf<"listUsers">;

const columns: readonly Column<User>[] = [
  { title: "NAME", cell: (user) => user.name },
  { title: "E-MAIL", cell: (user) => user.email ?? none },
  { title: "ROLE", cell: (user) => user.role },
  { title: "STATE", cell: (user) => user.state },
  { title: "CREATED", cell: (user) => time(user.createdAt) },
  { title: "ID", cell: (user) => shortId(user.id) },
];

const roles = `one of ${role.options.join(", ")}`;

export function addUsers(program: Command, shell: Shell): void {
  const user = group(program, "user", "The people and programs of a tenant");

  define(user, shell, {
    usage: "create <name>",
    summary: "Add a user; a key for it is made with 'key create --user'",
    args: oneArgument,
    options: z.object({
      role: flag("--role <role>", `${roles} (default user)`, role.default("user")),
    }),
    examples: [
      "millrace user create 'Li Lei' --role user",
      "millrace key create laptop --user 'Li Lei'",
    ],
    act: async ({ client, out }, [name], options) => {
      const value = await client.call("createUser", { body: { name, role: options.role } });
      await out.show({ value, ids: [value.id], text: () => userText(value) });
    },
  });

  define(user, shell, {
    usage: "list",
    alias: "ls",
    summary: "All users",
    args: noArguments,
    options: listOptions,
    act: async ({ client, out }, _args, { limit }) => {
      const found = await collect(client.items("listUsers"), { limit });
      await out.show({
        value: { items: found.items },
        ids: found.items.map((item) => item.id),
        text: () => listText(columns, found, "No users."),
      });
    },
  });

  define(user, shell, {
    usage: "update <user>",
    summary: "Change a user's role, disable or enable it",
    args: oneArgument,
    options: z.object({
      role: flag("--role <role>", roles, role.optional()),
      disable: flag("--disable", "its keys no longer work", z.boolean().default(false)),
      enable: flag("--enable", "they work again", z.boolean().default(false)),
    }),
    act: async (session, [text], { role: newRole, disable, enable }) => {
      if (disable === enable && (disable || newRole === undefined)) {
        throw new Failure("invalid_request", "Name what changes: --role, --disable or --enable.");
      }
      const userId = await resolve(session, kinds.user, text);
      const value = await session.client.call("updateUser", {
        params: { userId },
        body: {
          ...(newRole === undefined ? {} : { role: newRole }),
          ...(disable === enable ? {} : { state: disable ? "disabled" : "active" }),
        },
      });
      await session.out.show({ value, ids: [value.id], text: () => userText(value) });
    },
  });
  addInvite(user, shell);
}

function addInvite(user: Command, shell: Shell): void {
  define(user, shell, {
    usage: "invite <user>",
    summary: "A link with which a user sets a password for the console: once, within 3 days",
    args: oneArgument,
    options: z.object({
      email: flag("--email <address>", "with which the user will sign in", z.string().optional()),
    }),
    examples: ["millrace user invite 'Li Lei' --email li@example.org"],
    act: async (session, [text], { email }) => {
      const userId = await resolve(session, kinds.user, text);
      const body = email === undefined ? {} : { email };
      const made = await session.client.call("inviteUser", { params: { userId }, body });
      const url = `${session.target().url.replace(/\/+$/, "")}${made.path}`;
      await session.out.show({
        value: { ...made, url },
        ids: [url],
        text: () => `For ${made.email}, once, until ${time(made.expiresAt)}:\n${url}\n`,
      });
    },
  });
}

function userText(user: User): string {
  return `${user.name} is a ${user.role}, ${user.state}. Id: ${user.id}\n`;
}
