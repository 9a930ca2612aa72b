/** `millrace restore ARCHIVE --data-directory DIRECTORY`: puts a backup back (src/backup). */
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";

import { moveDatabase, type MovedDatabase } from "#backup/into-database.ts";
import { restoreDatabase } from "#backup/restore-database.ts";
import { restore, type Restored, type RestoreOptions } from "#backup/restore.ts";
import { progressLine, quietLog, say, untilInterrupted } from "#backup/terminal.ts";
import { readConfig } from "#config/config.ts";
import { defaultDataDirectory } from "#config/data-directory.ts";
import { Failure } from "#kernel/failure.ts";

const repositoryRoot = resolve(import.meta.dirname, "../..");

const help = `millrace restore ARCHIVE [--data-directory DIRECTORY] [--only database]
                 [--into-database URL] [--output table|json]

Puts a backup back into a directory that is empty or does not exist. The whole archive is checked
before anything is written, and the database is started and read before the directory appears.

--only database sets the database of a directory that is there back to the backup, and leaves the
disks of machines, files and keys as they are. The database that was there is kept beside it.

--into-database puts the database into a PostgreSQL of your own, postgres://…, which must be empty;
machines' disks, files and keys go into the directory. What was copied is compared before it counts.
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
  const into = values["into-database"];
  if (into !== undefined && (values.only !== undefined || !/^postgres(?:ql)?:\/\//.test(into))) {
    throw new Failure(
      "invalid_request",
      "--into-database takes a URL, postgres://…, and goes without --only.",
    );
  }
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
  if (into === undefined) {
    tell({ ...restored, dataDirectory, former: undefined }, output);
    return 0;
  }
  const moved = await moveInto(into, { ...restored, dataDirectory });
  tell({ ...restored, dataDirectory, former: moved.former, copied: moved.copied }, output);
  return 0;
}

/** The directory is there by now, whole; only its database goes on elsewhere. */
async function moveInto(
  url: string,
  { manifest, dataDirectory }: Restored & { readonly dataDirectory: string },
): Promise<MovedDatabase> {
  if (manifest.database !== "embedded") {
    throw new Failure(
      "invalid_request",
      "The database is not in this backup, because it was not in the data directory: use pg_restore.",
    );
  }
  return untilInterrupted((signal) =>
    moveDatabase({
      dataDirectory,
      to: url,
      migrationsDirectory: join(repositoryRoot, "db/migrations"),
      now: Date.now,
      log: quietLog,
      signal,
    }),
  );
}

interface Told extends Restored {
  readonly dataDirectory: string;
  /** Where the database is that was set aside. */
  readonly former: string | undefined;
  /** Rows of each table that went into another database. */
  readonly copied?: ReadonlyMap<string, number>;
}

function tell(told: Told, output: "table" | "json"): void {
  const { manifest, rows, pages, unknownOwners, former, copied } = told;
  const dataDirectory = resolve(told.dataDirectory);
  if (output === "json") {
    const { entries, ...summary } = manifest;
    const found = {
      rows: Object.fromEntries(rows),
      pages,
      unknownOwners,
      former,
      ...(copied === undefined ? {} : { copied: Object.fromEntries(copied) }),
    };
    say(JSON.stringify({ dataDirectory, files: entries.length, ...summary, ...found }));
    return;
  }
  const rowCount = [...rows.values()].reduce((sum, count) => sum + count, 0);
  say(`Restored the backup of ${manifest.createdAt} into ${dataDirectory}.`);
  if (copied !== undefined) {
    const sum = [...copied.values()].reduce((all, count) => all + count, 0);
    say(
      `Its database was copied and compared: ${copied.size} tables, ${sum} rows. Start with that`,
    );
    say(`database (DATABASE_URL). The one from the backup is ${former} and no longer used.`);
  } else if (former !== undefined) {
    say(`Only its database. The one that was there is ${former} now.`);
  }
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
    "into-database"?: string | undefined;
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
        "into-database": { type: "string" },
        help: { type: "boolean", short: "h" },
      },
    });
  } catch (cause) {
    throw new Failure("invalid_request", cause instanceof Error ? cause.message : String(cause), {
      cause,
    });
  }
}
