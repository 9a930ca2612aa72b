/**
 * A restored directory whose database goes on elsewhere: its rows are copied there, and the one that was
 * restored is set aside, so that no later start or backup takes it for the truth.
 */
import { rename } from "node:fs/promises";
import { join, resolve } from "node:path";

import { openDataDirectory } from "#config/data-directory.ts";
import { startEmbedded, type EmbeddedLog } from "#db/embedded.ts";

import { copyDatabase } from "./copy-database.ts";

export interface MovedDatabase {
  readonly copied: ReadonlyMap<string, number>;
  /** Where the restored database is now. */
  readonly former: string;
}

/** The data directory has a database that does not run; `to` is a database without a Millrace. */
export async function moveDatabase(options: {
  readonly dataDirectory: string;
  readonly to: string;
  readonly migrationsDirectory: string;
  readonly now: () => number;
  readonly log: EmbeddedLog;
  readonly signal: AbortSignal;
}): Promise<MovedDatabase> {
  const root = resolve(options.dataDirectory);
  const held = await openDataDirectory(root);
  try {
    const { migrationsDirectory, log, signal, to } = options;
    const embedded = await startEmbedded({ directory: held.postgres, log, signal });
    let copied: ReadonlyMap<string, number>;
    try {
      copied = await copyDatabase({ from: embedded.url, to, migrationsDirectory, signal });
    } finally {
      await embedded.stop();
    }
    const stamp = new Date(options.now()).toISOString().replaceAll(/[-:]|\..*/g, "");
    const former = join(root, `postgres.until-${stamp}`);
    await rename(held.postgres, former);
    return { copied, former };
  } finally {
    await held.close();
  }
}
