/** `millrace backup FILE`: the data directory of this machine's Millrace in one file. */
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { z } from "zod";

import { readConfig } from "#config/config.ts";
import { defaultDataDirectory } from "#config/data-directory.ts";
import { Failure } from "#kernel/failure.ts";

import { backUp } from "./backup.ts";
import { progressLine, quietLog, say, untilInterrupted } from "./terminal.ts";

const repositoryRoot = resolve(import.meta.dirname, "../..");

const help = `millrace backup FILE [--data-directory DIRECTORY] [--running refuse|pause|leave-out]
                [--output table|json]

Copies the database, the disks of virtual machines, what tenants store and the keys into one
archive (tar, zstd), while Millrace runs or while it does not. The archive holds secrets: it is
made readable by its owner only.

--running says what to do about virtual machines that run: refuse (the default), pause each while
its disks are copied, or leave-out.
`;

const policy = z.enum(["refuse", "pause", "leave-out"]);

export async function run(argv: readonly string[], output: "table" | "json"): Promise<number> {
  const { values, positionals } = readOptions(argv);
  const [archive] = positionals;
  if (values.help === true || archive === undefined || positionals.length > 1) {
    process.stdout.write(help);
    return values.help === true ? 0 : 64;
  }
  const running = policy.safeParse(values.running ?? "refuse");
  if (!running.success) {
    throw new Failure("invalid_request", "--running is one of refuse, pause, leave-out.");
  }
  const config = readConfig([], process.env);
  const dataDirectory =
    values["data-directory"] ??
    config.dataDirectory ??
    (await defaultDataDirectory(process.env, repositoryRoot));
  const progress = progressLine("Backing up");
  const manifest = await untilInterrupted((signal) =>
    backUp({
      dataDirectory,
      archive,
      running: running.data,
      now: Date.now,
      log: quietLog,
      signal,
      onProgress: progress.show,
    }),
  );
  progress.end();
  if (output === "json") {
    const { entries, ...summary } = manifest;
    say(JSON.stringify({ archive: resolve(archive), files: entries.length, ...summary }));
    return 0;
  }
  say(`Backed up ${manifest.entries.length} files into ${resolve(archive)}.`);
  for (const { path, because } of manifest.leftOut) say(`Left out: ${path}, because ${because}.`);
  if (manifest.database === "external") {
    say("The database is not in it: it is not in the data directory. Back it up with pg_dump.");
  }
  return 0;
}

function readOptions(argv: readonly string[]): {
  values: {
    "data-directory"?: string | undefined;
    running?: string | undefined;
    help?: boolean | undefined;
  };
  positionals: string[];
} {
  try {
    return parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        "data-directory": { type: "string" },
        running: { type: "string" },
        help: { type: "boolean", short: "h" },
      },
    });
  } catch (cause) {
    throw new Failure("invalid_request", cause instanceof Error ? cause.message : String(cause), {
      cause,
    });
  }
}
