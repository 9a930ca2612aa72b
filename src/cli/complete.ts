/**
 * What could come next on a command line: subcommands, options, and names that the server has. It
 * answers quickly or with less: a shell waits for it at every press of the tab key.
 */
import type { Command, Option } from "commander";

import type { Client } from "#client/client.ts";
import { operations } from "#contract/operations.ts";

import type { Shell } from "./define.ts";
import { globalOptions, openSession } from "./session.ts";

const namesMax = 100;
const lookUpMs = 1500;

/** By the name of an argument or of an option's value. */
const namesOf: Readonly<
  Record<string, (client: Client, signal: AbortSignal) => Promise<string[]>>
> = {
  lease: (client, signal) =>
    names(
      client.items("listLeases", {}, { itemsMax: namesMax, signal }),
      ({ state }) => state !== "released",
    ),
  job: (client, signal) => names(client.items("listJobs", {}, { itemsMax: namesMax, signal })),
  tenant: (client, signal) =>
    names(client.items("listTenants", {}, { itemsMax: namesMax, signal })),
  project: (client, signal) =>
    names(client.items("listProjects", {}, { itemsMax: namesMax, signal })),
  host: (client, signal) => names(client.items("listHosts", {}, { itemsMax: namesMax, signal })),
  pool: (client, signal) => names(client.items("listPools", {}, { itemsMax: namesMax, signal })),
  flavor: async (client, signal) =>
    (await client.call("listOffers", {}, { signal })).items.map(({ flavor }) => flavor.name),
  image: async (client, signal) =>
    (await client.call("listImages", {}, { signal })).items.map(({ name }) => name),
};

export async function candidatesFor(program: Command, shell: Shell): Promise<string[]> {
  const words = shell.rest;
  const partial = words.at(-1) ?? "";
  const { command, positionals, pending } = walk(program, words.slice(0, -1));
  const candidates = await possible(command, { positionals, pending, partial, shell });
  // Anything else would have to be quoted, which each shell does in its own way.
  return candidates.filter((each) => each.startsWith(partial) && /^[\w@%+=:,./-]+$/.test(each));
}

interface Place {
  readonly command: Command;
  /** How many arguments of the command stand there already. */
  readonly positionals: number;
  /** An option that still wants its value. */
  readonly pending: Option | undefined;
}

function walk(program: Command, words: readonly string[]): Place {
  let command = program;
  let positionals = 0;
  let pending: Option | undefined;
  for (const word of words) {
    if (pending !== undefined) {
      pending = undefined;
      continue;
    }
    if (word.startsWith("-")) {
      const option = optionsOf(command).find((each) => each.long === word || each.short === word);
      if (option?.required === true) pending = option;
      continue;
    }
    const next = command.commands.find(
      (each) => each.name() === word || each.aliases().includes(word),
    );
    if (next === undefined) positionals += 1;
    else command = next;
  }
  return { command, positionals, pending };
}

async function possible(
  command: Command,
  {
    positionals,
    pending,
    partial,
    shell,
  }: Omit<Place, "command"> & { readonly partial: string; readonly shell: Shell },
): Promise<string[]> {
  if (pending !== undefined) {
    return pending.argChoices ?? lookUp(pending.attributeName(), shell);
  }
  if (partial.startsWith("-")) {
    return optionsOf(command).flatMap((option) => option.long ?? []);
  }
  const subcommands = command.commands
    .map((each) => each.name())
    .filter((name) => !name.startsWith("_"));
  if (subcommands.length > 0 && positionals === 0) return subcommands;
  const argument = command.registeredArguments[positionals]?.name() ?? "";
  if (command.name() === "api") return Object.keys(operations);
  if (command.name() === "completion") return ["bash", "zsh", "fish"];
  if (argument === "name" && command.parent?.name() === "flavor") return lookUp("flavor", shell);
  return lookUp(argument, shell);
}

function optionsOf(command: Command): Option[] {
  const above = command.parent === null ? [] : optionsOf(command.parent);
  return [...command.options, ...above];
}

/** Nobody logged in, nobody there, too slow: then there are no names to offer. */
async function lookUp(what: string, shell: Shell): Promise<string[]> {
  const find = namesOf[what];
  if (find === undefined) return [];
  try {
    const { client } = openSession(shell.surroundings, globalOptions.parse({ quiet: true }));
    return await find(client, AbortSignal.timeout(lookUpMs));
  } catch {
    return [];
  }
}

async function names<T extends { readonly name: string }>(
  items: AsyncIterable<T>,
  keep: (item: T) => boolean = () => true,
): Promise<string[]> {
  const found = new Set<string>();
  for await (const item of items) if (keep(item)) found.add(item.name);
  return [...found];
}
