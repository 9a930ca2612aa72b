/** `key create|list|revoke` (API keys) and `ssh-key add|list|delete`. */
import { existsSync, readFileSync } from "node:fs";
import { hostname, userInfo } from "node:os";
import { join } from "node:path";

import type { Command } from "commander";
import { z } from "zod";

import {
  define,
  flag,
  group,
  listOptions,
  noArguments,
  noOptions,
  oneArgument,
  optionalArgument,
  type Shell,
} from "#cli/define.ts";
import { readTextFile } from "#cli/files.ts";
import { collect, listText } from "#cli/lists.ts";
import { kinds, resolve } from "#cli/resolve.ts";
import type { Column } from "#cli/table.ts";
import { none, shortId, time } from "#cli/text.ts";
import type { ItemOf } from "#client/types.ts";
import { Failure } from "#kernel/failure.ts";

const columns: readonly Column<ItemOf<"listApiKeys">>[] = [
  { title: "NAME", cell: (key) => key.name },
  { title: "BEGINS", cell: (key) => key.prefix },
  { title: "MAY", cell: (key) => key.scope },
  { title: "USER", cell: (key) => shortId(key.userId) },
  { title: "EXPIRES", cell: (key) => (key.expiresAt === null ? "never" : time(key.expiresAt)) },
  { title: "LAST USED", cell: (key) => (key.lastUsedAt === null ? none : time(key.lastUsedAt)) },
  { title: "ID", cell: (key) => shortId(key.id) },
];

const sshColumns: readonly Column<ItemOf<"listSshKeys">>[] = [
  { title: "NAME", cell: (key) => key.name },
  { title: "FINGERPRINT", cell: (key) => key.fingerprint },
  { title: "CREATED", cell: (key) => time(key.createdAt) },
  { title: "ID", cell: (key) => shortId(key.id) },
];

export function addKeys(program: Command, shell: Shell): void {
  const key = group(program, "key", "API keys");

  define(key, shell, {
    usage: "create <name>",
    summary: "Make an API key; its secret is shown once",
    args: oneArgument,
    options: z.object({
      user: flag("--user <user>", "whose key (default: yours)", z.string().optional()),
      readOnly: flag("--read-only", "it may look and change nothing", z.boolean().default(false)),
      usageOnly: flag(
        "--usage-only",
        "for a meter of the operator: it may hand in usage and nothing else",
        z.boolean().default(false),
      ),
      expiresDays: flag(
        "--expires-days <n>",
        "after how many days it ends (default: never)",
        z.coerce.number().int().min(1).optional(),
      ),
    }),
    examples: ["millrace key create ci --read-only --expires-days 90"],
    more: "With --quiet it prints the secret and nothing else.\n",
    act: async (session, [name], { user, readOnly, usageOnly, expiresDays }) => {
      if (readOnly && usageOnly) {
        throw new Failure("invalid_request", "Either --read-only or --usage-only.");
      }
      const value = await session.client.call("createApiKey", {
        body: {
          name,
          scope: usageOnly ? "usage.write" : readOnly ? "read" : "all",
          ...(user === undefined ? {} : { userId: await resolve(session, kinds.user, user) }),
          ...(expiresDays === undefined ? {} : { expiresInDays: expiresDays }),
        },
      });
      await session.out.show({
        value,
        ids: [value.secret],
        text: () => `The key ${value.name}, shown this once:\n${value.secret}\n`,
      });
    },
  });

  define(key, shell, {
    usage: "list",
    alias: "ls",
    summary: "Your keys; for an administrator, the tenant's",
    args: noArguments,
    options: listOptions,
    act: async ({ client, out }, _args, { limit }) => {
      const found = await collect(client.items("listApiKeys"), { limit });
      await out.show({
        value: { items: found.items },
        ids: found.items.map((item) => item.id),
        text: () => listText(columns, found, "No keys."),
      });
    },
  });

  define(key, shell, {
    usage: "revoke <key>",
    summary: "Revoke a key at once, by name or id",
    args: oneArgument,
    options: noOptions,
    act: async (session, [text]) => {
      const keyId = await resolve(session, kinds.key, text);
      await session.client.call("revokeApiKey", { params: { keyId } });
      await session.out.show({
        value: { revoked: keyId },
        ids: [keyId],
        text: () => `Revoked ${text}.\n`,
      });
    },
  });

  addSshKeys(program, shell);
}

function addSshKeys(program: Command, shell: Shell): void {
  const sshKey = group(program, "ssh-key", "SSH public keys that your machines accept");

  define(sshKey, shell, {
    usage: "add [name]",
    summary: "Add a public key; machines rented from now on accept it",
    args: optionalArgument,
    options: z.object({
      file: flag(
        "--file <file>",
        "the public key ('-' is stdin; default: ~/.ssh/id_ed25519.pub or the like)",
        z.string().optional(),
      ),
    }),
    examples: ["millrace ssh-key add", "millrace ssh-key add work --file ~/.ssh/work.pub"],
    act: async (session, [name], { file }) => {
      const publicKey = await publicKeyFrom(file ?? defaultPublicKey(session.environment.home));
      const value = await session.client.call("createSshKey", {
        body: { name: name ?? `${userInfo().username}@${hostname()}`, publicKey },
      });
      await session.out.show({
        value,
        ids: [value.id],
        text: () => `Added ${value.name}: ${value.fingerprint}\n`,
      });
    },
  });

  define(sshKey, shell, {
    usage: "list",
    alias: "ls",
    summary: "Your public keys",
    args: noArguments,
    options: listOptions,
    act: async ({ client, out }, _args, { limit }) => {
      const found = await collect(client.items("listSshKeys"), { limit });
      await out.show({
        value: { items: found.items },
        ids: found.items.map((item) => item.id),
        text: () =>
          listText(sshColumns, found, "No SSH keys. Add yours with: millrace ssh-key add"),
      });
    },
  });

  define(sshKey, shell, {
    usage: "delete <key>",
    alias: "rm",
    summary: "Remove a public key; machines that accepted it still do",
    args: oneArgument,
    options: noOptions,
    act: async (session, [text]) => {
      const sshKeyId = await resolve(session, kinds.sshKey, text);
      await session.client.call("deleteSshKey", { params: { sshKeyId } });
      await session.out.show({
        value: { deleted: sshKeyId },
        ids: [sshKeyId],
        text: () => `Removed ${text}.\n`,
      });
    },
  });
}

/** In the order in which OpenSSH tries them. */
function defaultPublicKey(home: string): string {
  const names = ["id_ed25519.pub", "id_ecdsa.pub", "id_rsa.pub"];
  const found = names.map((name) => join(home, ".ssh", name)).find((path) => existsSync(path));
  if (found !== undefined) return found;
  throw new Failure(
    "not_found",
    `There is no public key in ${join(home, ".ssh")}. Make one with: ssh-keygen -t ed25519`,
  );
}

/** Whoever names the private key by mistake must not send it. */
async function publicKeyFrom(path: string): Promise<string> {
  const text = (await readTextFile(path)).trim();
  if (!text.includes("PRIVATE KEY")) return text;
  const beside = `${path}.pub`;
  if (!existsSync(beside)) {
    throw new Failure("invalid_request", `${path} is a private key: name the public one.`);
  }
  return readFileSync(beside, "utf8").trim();
}
