/** `profile list|show|check|create|activate`: versions of the price profile. */
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
  type Shell,
} from "#cli/define.ts";
import { collect, listText } from "#cli/lists.ts";
import { readProfile } from "#cli/profile-file.ts";
import { kinds, resolve } from "#cli/resolve.ts";
import { fields, type Column } from "#cli/table.ts";
import { safe, shortId, time } from "#cli/text.ts";
import type { AnswerOf, ItemOf } from "#client/types.ts";
import { Failure } from "#kernel/failure.ts";

const columns: readonly Column<ItemOf<"listPriceProfiles">>[] = [
  { title: "NAME", cell: (profile) => profile.name },
  { title: "VERSION", cell: (profile) => profile.version, right: true },
  { title: "IN FORCE FROM", cell: (profile) => profile.activeFrom ?? "draft" },
  { title: "CREATED", cell: (profile) => time(profile.createdAt) },
  { title: "ID", cell: (profile) => shortId(profile.id) },
];

export function addProfiles(program: Command, shell: Shell): void {
  const profile = group(program, "profile", "Price profiles");

  define(profile, shell, {
    usage: "list",
    alias: "ls",
    summary: "All versions",
    args: noArguments,
    options: listOptions,
    act: async ({ client, out }, _args, { limit }) => {
      const found = await collect(client.items("listPriceProfiles"), { limit });
      await out.show({
        value: { items: found.items },
        ids: found.items.map((item) => item.id),
        text: () => listText(columns, found, "No price profiles."),
      });
    },
  });

  define(profile, shell, {
    usage: "show <profile>",
    summary: "One version, whole, with what its check finds",
    args: oneArgument,
    options: noOptions,
    act: async (session, [text]) => {
      const profileId = await resolve(session, kinds.profile, text);
      const value = await session.client.call("getPriceProfile", { params: { profileId } });
      await session.out.show({
        value,
        ids: [value.id],
        text: () => `${profileText(value)}\n${JSON.stringify(value.profile, null, 2)}\n`,
      });
    },
  });

  define(profile, shell, {
    usage: "check",
    summary: "What is wrong with a profile, and what would surprise; changes nothing",
    args: noArguments,
    options: z.object({
      file: flag("--file <file>", "the profile as YAML or JSON ('-' is stdin)", z.string()),
    }),
    act: async ({ client, out }, _args, { file }) => {
      const value = await client.call("checkPriceProfile", {
        body: { profile: await readProfile(file) },
      });
      const { problems, findings } = value;
      const wrong = problems.map(({ path, message }) => `problem: ${path}: ${safe(message)}\n`);
      await out.show({
        value,
        ids: [...problems, ...findings].map(({ message }) => message),
        text: () => `${wrong.join("")}${findingsText({ findings })}` || "It is valid.\n",
      });
      if (problems.length > 0) {
        throw new Failure("rule_violation", `The price profile has ${problems.length} problems.`);
      }
    },
  });

  define(profile, shell, {
    usage: "create <name>",
    summary: "Add a draft",
    args: oneArgument,
    options: z.object({
      file: flag("--file <file>", "the profile as YAML or JSON ('-' is stdin)", z.string()),
    }),
    act: async ({ client, out }, [name], { file }) => {
      const value = await client.call("createPriceProfile", {
        body: { name, profile: await readProfile(file) },
      });
      await out.show({ value, ids: [value.id], text: () => profileText(value) });
    },
  });

  define(profile, shell, {
    usage: "activate <profile>",
    summary: "Put a draft in force from a midnight that is still to come",
    args: oneArgument,
    options: z.object({
      from: flag("--from <day>", "first day, such as 2026-06-01", z.string()),
    }),
    act: async (session, [text], { from }) => {
      const profileId = await resolve(session, kinds.profile, text);
      const value = await session.client.call("activatePriceProfile", {
        params: { profileId },
        body: { from },
      });
      await session.out.show({
        value,
        ids: [value.id],
        text: () =>
          `${value.name} (version ${value.version}) is in force from ${value.activeFrom ?? from}.\n${findingsText(value)}`,
      });
    },
  });
}

function profileText(profile: AnswerOf<"getPriceProfile">): string {
  const head = fields([
    ["Name", profile.name],
    ["Version", String(profile.version)],
    ["In force from", profile.activeFrom ?? "draft"],
    ["Created", time(profile.createdAt)],
    ["Id", profile.id],
  ]);
  return `${head}${findingsText(profile)}`;
}

function findingsText({ findings }: Pick<AnswerOf<"getPriceProfile">, "findings">): string {
  return findings.map((each) => `${each.severity}: ${safe(each.message)}\n`).join("");
}
