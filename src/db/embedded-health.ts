/**
 * What must be true before the server is handed to the program: its files are whole, and it
 * answers. Otherwise the start ends with a Failure that names the damaged file.
 */
import pg from "pg";

import { Failure } from "#kernel/failure.ts";

import { damagedFile, damageFailure, damageSaidIn, wasStoppedCleanly } from "./embedded-damage.ts";
import { checkPages, pagesSize } from "./page-checksum.ts";

/** 0.2 s of work for a new cluster, about 2 s for this. */
const checkedBytesMax = 512 * 1024 * 1024;
const answerTimeoutMs = 15_000;

interface Place {
  readonly cluster: string;
  readonly logFile: string;
  readonly signal: AbortSignal;
}

/** A server may be "ready" while no session can begin, for instance over a damaged catalog. */
export async function requireAnswer(url: string, place: Place): Promise<void> {
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: answerTimeoutMs,
    query_timeout: answerTimeoutMs,
  });
  client.on("error", () => undefined);
  try {
    await client.connect();
    await client.query("select 1");
  } catch (cause) {
    const said = cause instanceof Error ? cause.message : String(cause);
    const file = damagedFile(said) ?? (await damageSaidIn(place.logFile));
    if (file !== undefined) throw damageFailure(place.cluster, file, cause);
    throw new Failure("unavailable", `The database does not accept connections: ${said}.`, {
      cause,
    });
  } finally {
    await client.end().catch(() => undefined);
  }
}

/**
 * After a clean stop every page must match its checksum; after a crash the server repairs torn
 * pages from its write-ahead log, so that looking before it would accuse healthy files. A large
 * database is left to `doctor`.
 */
export async function requireWholePages(place: Place): Promise<void> {
  const isCheckable =
    (await wasStoppedCleanly(place.cluster)) && (await pagesSize(place.cluster)) <= checkedBytesMax;
  if (!isCheckable) return;
  const { damaged } = await checkPages(place.cluster, place.signal);
  const [first] = damaged;
  if (first === undefined) return;
  const cause = new Error(damaged.map(({ file, block }) => `${file} block ${block}`).join(", "));
  throw damageFailure(place.cluster, first.file, cause);
}
