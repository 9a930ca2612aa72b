/** `millrace doctor`: what this machine has and lacks. Exit status 0, or 69 if there is a problem. */
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";

import { readConfig } from "#config/config.ts";
import { defaultDataDirectory } from "#config/data-directory.ts";
import { Failure, failureClasses } from "#kernel/failure.ts";

import { gather, readPages } from "./gather.ts";
import { judge, verdictOf } from "./judge.ts";
import { reportJson, reportText } from "./report.ts";

const pagesTimeoutMs = 600_000;
const repositoryRoot = resolve(import.meta.dirname, "../..");

const help = `millrace doctor [--data-directory DIRECTORY] [--port PORT] [--output table|json]

Checks what this machine has and lacks for running Millrace, and reads every page of its
database. Exit status: 0, or 69 if there is a problem.
`;

export async function run(argv: readonly string[], output: "table" | "json"): Promise<number> {
  const options = readOptions(argv);
  if (options.help === true) {
    process.stdout.write(help);
    return 0;
  }
  const config = readConfig([], process.env);
  const dataDirectory = resolve(
    options["data-directory"] ??
      config.dataDirectory ??
      (await defaultDataDirectory(process.env, repositoryRoot)),
  );
  const facts = await gather({
    dataDirectory,
    databaseUrl: config.databaseUrl,
    imageCache: config.imageCache ?? join(dataDirectory, "images"),
    port: Number(options.port ?? config.port),
  });
  const findings = judge(
    facts,
    await readPages(dataDirectory, facts.database, AbortSignal.timeout(pagesTimeoutMs)),
  );
  process.stdout.write(output === "json" ? reportJson(findings) : reportText(findings));
  return verdictOf(findings) === "problem" ? failureClasses.capacity.exitCode : 0;
}

function readOptions(argv: readonly string[]): {
  "data-directory"?: string | undefined;
  port?: string | undefined;
  help?: boolean | undefined;
} {
  try {
    return parseArgs({
      args: [...argv],
      options: {
        "data-directory": { type: "string" },
        port: { type: "string" },
        help: { type: "boolean", short: "h" },
      },
    }).values;
  } catch (cause) {
    throw new Failure("invalid_request", cause instanceof Error ? cause.message : String(cause), {
      cause,
    });
  }
}
