/** `millrace restore ARCHIVE --data-directory DIRECTORY`: puts a backup back (src/backup). */
import { resolve } from "node:path";
import { parseArgs } from "node:util";

import { restore } from "#backup/restore.ts";
import { progressLine, quietLog, say, untilInterrupted } from "#backup/terminal.ts";
import { readConfig } from "#config/config.ts";
import { defaultDataDirectory } from "#config/data-directory.ts";
import { Failure } from "#kernel/failure.ts";

const repositoryRoot = resolve(import.meta.dirname, "../..");

const help = `millrace restore ARCHIVE [--data-directory DIRECTORY] [--output table|json]

Puts a backup back into a directory that is empty or does not exist. The whole archive is checked
before anything is written, and the database is started and read before the directory appears.
`;

export async function run(argv: readonly string[], output: "table" | "json"): Promise<number> {
  const { values, positionals } = readOptions(argv);
  const [archive] = positionals;
  if (values.help === true || archive === undefined || positionals.length > 1) {
    process.stdout.write(help);
    return values.help === true ? 0 : 64;
  }
  const config = readConfig([], process.env);
  const dataDirectory =
    values["data-directory"] ??
    config.dataDirectory ??
    (await defaultDataDirectory(process.env, repositoryRoot));
  const progress = progressLine("Restoring");
  const restored = await untilInterrupted((signal) =>
    restore({ archive, dataDirectory, log: quietLog, signal, onProgress: progress.show }),
  );
  progress.end();
  const { manifest, rows, pages, unknownOwners } = restored;
  if (output === "json") {
    const { entries, ...summary } = manifest;
    const found = { rows: Object.fromEntries(rows), pages, unknownOwners };
    say(
      JSON.stringify({
        dataDirectory: resolve(dataDirectory),
        files: entries.length,
        ...summary,
        ...found,
      }),
    );
    return 0;
  }
  const rowCount = [...rows.values()].reduce((sum, count) => sum + count, 0);
  say(`Restored the backup of ${manifest.createdAt} into ${resolve(dataDirectory)}.`);
  if (manifest.database === "embedded") {
    say(
      `The database was started and read: ${rows.size} tables, ${rowCount} rows, ${pages} pages.`,
    );
  } else say("The database is not in it: restore your own PostgreSQL before you start Millrace.");
  say(
    `What was made after that is not in it. Machines that a platform still has of it are kept: see ` +
      `them with millrace orphan list.`,
  );
  for (const { path, because } of manifest.leftOut) say(`Not in it: ${path}, because ${because}.`);
  if (unknownOwners.length > 0) {
    say(`This machine has no account ${unknownOwners.join(", ")}: their files belong to root now.`);
  }
  return 0;
}

function readOptions(argv: readonly string[]): {
  values: { "data-directory"?: string | undefined; help?: boolean | undefined };
  positionals: string[];
} {
  try {
    return parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        "data-directory": { type: "string" },
        help: { type: "boolean", short: "h" },
      },
    });
  } catch (cause) {
    throw new Failure("invalid_request", cause instanceof Error ? cause.message : String(cause), {
      cause,
    });
  }
}
