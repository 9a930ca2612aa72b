/**
 * `doctor`, `backup`, `restore`: work on this machine rather than through the API. Each is a module
 * of its own beside the CLI, `<name>/cli.ts`, loaded only when it is asked for, so that the other
 * commands need nothing of the server.
 */
import { existsSync } from "node:fs";

import type { Command } from "commander";
import { z } from "zod";

import type { Shell } from "#cli/define.ts";
import { Failure } from "#kernel/failure.ts";

/**
 * Gets what stands behind the command's name and the output that was chosen for all commands, and
 * gives the exit status.
 */
type Run = (argv: readonly string[], output: "table" | "json") => Promise<number>;

const localModule = z.object({
  run: z.custom<Run>((value) => typeof value === "function"),
});

const globalOptions = z.object({ output: z.enum(["table", "json"]) });

const commands = [
  ["doctor", "Check what this machine has and lacks for running Millrace"],
  ["backup", "Copy the data directory of this machine's Millrace into one file"],
  ["restore", "Put a backup back"],
] as const;

export function addLocal(program: Command, { surroundings }: Shell): void {
  for (const [name, summary] of commands) {
    const command = program
      .command(name)
      .description(summary)
      .argument("[arguments...]")
      .allowUnknownOption()
      .helpOption(false);
    command.action(async () => {
      const { output } = globalOptions.parse(command.optsWithGlobals());
      const run = await load(name);
      surroundings.setExitCode(await run(command.args, output));
    });
  }
}

async function load(name: string): Promise<Run> {
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  const url = new URL(`../../${name}/cli.${extension}`, import.meta.url);
  if (!existsSync(url)) {
    throw new Failure("unsupported", `This installation has no ${name}.`);
  }
  return localModule.parse(await import(url.href)).run;
}
