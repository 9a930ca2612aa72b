/**
 * How a command is written down: its usage, its options as one zod object whose fields carry their
 * flags, examples, and what it does. Options are therefore parsed at the edge like everything else,
 * and a wrong one is named by its flag.
 */
import { Option, type Command } from "commander";
import { z } from "zod";

import { assert } from "#kernel/assert.ts";
import { Failure } from "#kernel/failure.ts";

import { globalOptions, openSession, type Session, type Surroundings } from "./session.ts";

export const noArguments = z.tuple([]);
export const noOptions = z.object({});
export const oneArgument = z.tuple([z.string()]);
export const optionalArgument = z.tuple([z.string().optional()]);

/** For options that most lists have. */
export const listOptions = z.object({
  limit: flag(
    "--limit <n>",
    "how many to show at most (default 100)",
    z.coerce.number().int().min(1).max(100_000).default(100),
  ),
});

interface Definition<Args extends z.ZodType<readonly unknown[]>, Options extends z.ZodObject> {
  /** As commander writes it: `create <name>`. */
  readonly usage: string;
  readonly alias?: string | readonly string[];
  readonly summary: string;
  readonly args: Args;
  readonly options: Options;
  readonly examples?: readonly string[];
  /** More text after the help. */
  readonly more?: string;
  /** `rest`: what stood after `--`, which is also at the end of the arguments. */
  readonly act: (
    session: Session,
    args: z.output<Args>,
    options: z.output<Options>,
    rest: readonly string[],
  ) => Promise<void>;
}

/** `schema` is the field's last word: nothing may be chained onto it afterwards. */
export function flag<Schema extends z.ZodType>(
  flags: string,
  description: string,
  schema: Schema,
): Schema {
  return schema.meta({ flags, description });
}

/** An option that may be given several times. */
export function manyFlag<Schema extends z.ZodType>(
  flags: string,
  description: string,
  schema: Schema,
): Schema {
  return schema.meta({ flags, description, many: true });
}

export interface Shell {
  readonly surroundings: Surroundings;
  /** What stood after `--` on the command line. */
  readonly rest: readonly string[];
}

export function define<Args extends z.ZodType<readonly unknown[]>, Options extends z.ZodObject>(
  parent: Command,
  shell: Shell,
  definition: Definition<Args, Options>,
): Command {
  const command = parent.command(definition.usage).description(definition.summary);
  for (const alias of [definition.alias ?? []].flat()) command.alias(alias);
  for (const [name, schema] of Object.entries(definition.options.shape)) {
    command.addOption(optionOf(name, schema));
  }
  if (definition.examples !== undefined) {
    const lines = definition.examples.map((example) => `  ${example}\n`);
    command.addHelpText("after", `\nExamples:\n${lines.join("")}`.trimEnd());
  }
  if (definition.more !== undefined) command.addHelpText("after", `\n${definition.more}`);
  command.action(async () => {
    const globals = globalOptions.parse(command.optsWithGlobals());
    const session = openSession(shell.surroundings, globals);
    const options = parsedOptions(definition.options, command.opts());
    const args = parsedArguments(definition.args, command);
    await definition.act(session, args, options, shell.rest);
  });
  return command;
}

/** A command that only holds others. */
export function group(parent: Command, name: string, summary: string): Command {
  return parent.command(name).description(summary);
}

const flagMeta = z.looseObject({
  flags: z.string(),
  description: z.string(),
  many: z.boolean().optional(),
});

function optionOf(name: string, schema: unknown): Option {
  assert(schema instanceof z.ZodType, `option ${name} has a schema`);
  const { flags, description, many } = flagMeta.parse(schema.meta());
  const option = new Option(flags, description);
  assert(option.attributeName() === name, `option ${flags} is named ${option.attributeName()}`);
  if (many === true) {
    option.argParser((value: string, before: unknown) => [
      ...(Array.isArray(before) ? before.map(String) : []),
      value,
    ]);
  }
  return option;
}

function parsedOptions<Options extends z.ZodObject>(
  schema: Options,
  given: unknown,
): z.output<Options> {
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const name = String(issue?.path[0] ?? "");
  const field: unknown = schema.shape[name];
  const meta = field instanceof z.ZodType ? flagMeta.safeParse(field.meta()) : undefined;
  const shown = meta?.data?.flags ?? `--${name}`;
  const absent = !Object.hasOwn(Object(given), name);
  throw new Failure(
    "invalid_request",
    absent
      ? `${shown} is needed: ${meta?.data?.description ?? ""}.`
      : `${shown}: ${issue?.message ?? "not understood"}.`,
  );
}

function parsedArguments<Args extends z.ZodType>(schema: Args, command: Command): z.output<Args> {
  const parsed = schema.safeParse(command.args);
  if (parsed.success) return parsed.data;
  const message = parsed.error.issues[0]?.message ?? "not understood";
  throw new Failure("invalid_request", `${message}. See: ${nameOf(command)} --help`);
}

/** "millrace lease create" */
export function nameOf(command: Command): string {
  const above = command.parent === null ? "" : `${nameOf(command.parent)} `;
  return `${above}${command.name()}`;
}
