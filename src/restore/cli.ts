/** `millrace restore ARCHIVE --data-directory DIRECTORY`: puts a backup back (src/backup). */
import { resolve } from "node:path";
import { parseArgs } from "node:util";

import { restoreDatabase } from "#backup/restore-database.ts";
import { restore, type Restored, type RestoreOptions } from "#backup/restore.ts";
import { progressLine, quietLog, say, untilInterrupted } from "#backup/terminal.ts";
import { readConfig } from "#config/config.ts";
import { defaultDataDirectory } from "#config/data-directory.ts";
import { Failure } from "#kernel/failure.ts";

const repositoryRoot = resolve(import.meta.dirname, "../..");

const help = `millrace restore ARCHIVE [--data-directory DIRECTORY] [--only database]
                 [--output table|json]

Puts a backup back into a directory that is empty or does not exist. The whole archive is checked
before anything is written, and the database is started and read before the directory appears.

--only database sets the database of a directory that is there back to the backup, and leaves the
disks of machines, files and keys as they are. The database that was there is kept beside it.
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
  const options = (signal: AbortSignal): RestoreOptions => ({
    archive,
    dataDirectory,
    log: quietLog,
    signal,
    onProgress: progress.show,
  });
  if (values.only !== undefined) {
    if (values.only !== "database") {
      throw new Failure("invalid_request", "--only takes one word: database.");
    }
    const { former, ...restored } = await untilInterrupted((signal) =>
      restoreDatabase({ ...options(signal), now: Date.now }),
    );
    progress.end();
    tell({ ...restored, dataDirectory, unknownOwners: [], former }, output);
    return 0;
  }
  const restored = await untilInterrupted((signal) => restore(options(signal)));
  progress.end();
  tell({ ...restored, dataDirectory, former: undefined }, output);
  return 0;
}

interface Told extends Restored {
  readonly dataDirectory: string;
  /** Where the database is that was set aside. */
  readonly former: string | undefined;
}

function tell(told: Told, output: "table" | "json"): void {
  const { manifest, rows, pages, unknownOwners, former } = told;
  const dataDirectory = resolve(told.dataDirectory);
  if (output === "json") {
    const { entries, ...summary } = manifest;
    const found = { rows: Object.fromEntries(rows), pages, unknownOwners, former };
    say(JSON.stringify({ dataDirectory, files: entries.length, ...summary, ...found }));
    return;
  }
  const rowCount = [...rows.values()].reduce((sum, count) => sum + count, 0);
  say(`Restored the backup of ${manifest.createdAt} into ${dataDirectory}.`);
  if (former !== undefined) say(`Only its database. The one that was there is ${former} now.`);
  if (manifest.database === "embedded") {
    say(
      `The database was started and read: ${rows.size} tables, ${rowCount} rows, ${pages} pages.`,
    );
  } else say("The database is not in it: restore your own PostgreSQL before you start Millrace.");
  say(
    `What was made after that is not in the database. Machines that a platform still has of it are kept: see ` +
      `them with millrace orphan list.`,
  );
  for (const { path, because } of manifest.leftOut) say(`Not in it: ${path}, because ${because}.`);
  if (unknownOwners.length > 0) {
    say(`This machine has no account ${unknownOwners.join(", ")}: their files belong to root now.`);
  }
}

function readOptions(argv: readonly string[]): {
  values: {
    "data-directory"?: string | undefined;
    only?: string | undefined;
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
        only: { type: "string" },
        help: { type: "boolean", short: "h" },
      },
    });
  } catch (cause) {
    throw new Failure("invalid_request", cause instanceof Error ? cause.message : String(cause), {
      cause,
    });
  }
}
