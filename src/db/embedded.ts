/**
 * The PostgreSQL that comes with Millrace: a real server of its own, in the data directory, for
 * whoever does not give a DATABASE_URL. What must stay true:
 *
 * - One server per directory: one that already runs is taken over, never joined by a second.
 * - Durable: what was committed survives any crash; pages carry checksums, so that damage is
 *   found and named instead of served.
 * - Nothing listens on the network: a Unix socket in a directory that only its account may enter,
 *   and a password besides.
 * - Small: with its few processes it leaves room in the 250 MB of an idle cloud.
 */
import { mkdir, mkdtemp, rename, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

import { Failure } from "#kernel/failure.ts";

import { closedDirectory, databaseAccount, serverBinaries } from "./embedded-binaries.ts";
import { ensureCluster, giveTo, readCredentials, type ClusterPlace } from "./embedded-cluster.ts";
import { startFailure } from "./embedded-damage.ts";
import { requireAnswer, requireWholePages } from "./embedded-health.ts";
import {
  connectionUrl,
  findPostmaster,
  isRunning,
  spawnPostmaster,
  stopPostmaster,
  waitUntil,
  type Postmaster,
} from "./embedded-postmaster.ts";
import { serverSettings } from "./embedded-settings.ts";

/** Crash recovery replays up to max_wal_size, on a slow disk too. */
const startTimeoutMs = 180_000;
const logBytesMax = 8 * 1024 * 1024;
/** A socket's path is at most 107 bytes long, with the name that PostgreSQL gives it. */
const socketDirectoryBytesMax = 107 - "/.s.PGSQL.5432".length;
const watchPeriodMs = 500;
const restartsMax = 20;

export interface EmbeddedLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface EmbeddedOptions {
  /** Of the database alone, e.g. `data/postgres`; made if it is not there. */
  readonly directory: string;
  readonly log: EmbeddedLog;
  /** Aborts the start; a server that is up is ended with `stop`. */
  readonly signal: AbortSignal;
  /** `none` is for tests: nothing is flushed to disk. */
  readonly durability?: "full" | "none";
}

export interface Embedded {
  /** For the program: a role that owns its database and may create roles, but is no superuser. */
  readonly url: string;
  /** The superuser's, for `doctor` and backups. */
  readonly adminUrl: string;
  readonly outcome: "created" | "started" | "adopted";
  /** The directory of the cluster, PostgreSQL's PGDATA. */
  readonly cluster: string;
  /** Closes connections and stops the server cleanly. May be called twice. */
  stop(): Promise<void>;
}

interface Place extends ClusterPlace {
  readonly socketDirectory: string;
  readonly logFile: string;
  readonly log: EmbeddedLog;
}

/** Throws a Failure that names the file or the setting in the way, and what to do about it. */
export async function startEmbedded(options: EmbeddedOptions): Promise<Embedded> {
  const place = await preparePlace(options);
  const { postmaster, outcome } = await findOrStart(place);
  try {
    const credentials = await readCredentials(place.cluster);
    const url = connectionUrl(postmaster, "millrace", credentials.app);
    await requireAnswer(url, place);
    return {
      url,
      adminUrl: connectionUrl(postmaster, "postgres", credentials.admin),
      outcome,
      cluster: place.cluster,
      stop: keepRunning(place, postmaster),
    };
  } catch (error) {
    await stopPostmaster(postmaster.pid, place.cluster, "immediate");
    throw error;
  }
}

async function preparePlace(options: EmbeddedOptions): Promise<Place> {
  const directory = resolve(options.directory);
  const account = await databaseAccount();
  await mkdir(directory, { recursive: true, mode: 0o711 });
  const closed = await closedDirectory(join(directory, "cluster"), account);
  if (closed !== undefined) {
    throw new Failure(
      "rule_violation",
      `The database runs as the user ${account.name}, who may not enter ${closed}. Choose a data ` +
        `directory elsewhere (--data-directory), or allow it with: chmod o+x ${closed}`,
    );
  }
  let socketDirectory = join(directory, "socket");
  if (Buffer.byteLength(socketDirectory) > socketDirectoryBytesMax) {
    socketDirectory = await mkdtemp(join(tmpdir(), "millrace-db-"));
  } else await mkdir(socketDirectory, { recursive: true, mode: 0o700 });
  await giveTo(account, socketDirectory);
  return {
    cluster: join(directory, "cluster"),
    binaries: await serverBinaries(account, directory),
    account,
    durability: options.durability ?? "full",
    signal: options.signal,
    socketDirectory,
    logFile: join(directory, "server.log"),
    log: options.log,
  };
}

async function findOrStart(
  place: Place,
): Promise<{ postmaster: Postmaster; outcome: Embedded["outcome"] }> {
  const running = await waitUntil(startTimeoutMs, place.signal, async () => {
    const found = await findPostmaster(place.cluster);
    if (found === undefined) return "none";
    return found.state === "ready" ? found : undefined;
  });
  if (running === undefined) {
    throw new Failure(
      "timeout",
      `A database server for ${place.cluster} runs but does not become ready; see ${place.logFile}.`,
    );
  }
  if (running !== "none") {
    place.log.info({ pid: running.pid }, "database server adopted");
    return { postmaster: running, outcome: "adopted" };
  }
  const made = await ensureCluster(place);
  if (made === "found") await requireWholePages(place);
  const postmaster = await start(place);
  place.log.info({ pid: postmaster.pid, cluster: made }, "database server started");
  return { postmaster, outcome: made === "created" ? "created" : "started" };
}

async function start(place: Place): Promise<Postmaster> {
  const logOffset = await rotateLog(place.logFile);
  const settings = serverSettings(place.socketDirectory, place.durability);
  const child = await spawnPostmaster({ ...place, settings });
  const hasEnded = (): boolean => child.exitCode !== null || child.signalCode !== null;
  try {
    const postmaster = await waitUntil(startTimeoutMs, place.signal, async () => {
      if (child.pid === undefined || hasEnded()) return "ended";
      const found = await findPostmaster(place.cluster);
      return found?.pid === child.pid && found.state === "ready" ? found : undefined;
    });
    if (postmaster === "ended") throw await startFailure(place.cluster, place.logFile, logOffset);
    if (postmaster !== undefined) return postmaster;
    throw new Failure(
      "timeout",
      `The database server is not ready after ${startTimeoutMs / 1000} s; see ${place.logFile}.`,
    );
  } catch (error) {
    if (child.pid !== undefined && !hasEnded()) {
      await stopPostmaster(child.pid, place.cluster, "immediate");
    }
    throw error;
  }
}

/** Restarts the server when it ends by itself, at the same address. Returns what stops it. */
function keepRunning(place: Place, first: Postmaster): () => Promise<void> {
  const stopping = new AbortController();
  let current = first;
  let restarts = 0;
  const watch = async (): Promise<void> => {
    while (restarts <= restartsMax) {
      await sleep(watchPeriodMs, stopping.signal);
      if (stopping.signal.aborted) return;
      if (await isRunning(current.pid, place.cluster)) continue;
      restarts += 1;
      place.log.error({ pid: current.pid, restarts }, "database server ended unexpectedly");
      try {
        ({ postmaster: current } = await findOrStart({ ...place, signal: stopping.signal }));
      } catch (cause) {
        if (stopping.signal.aborted) return;
        place.log.error({ cause: String(cause) }, "database server does not restart");
      }
    }
  };
  const watching = watch();
  let stopped: Promise<void> | undefined;
  return () => {
    stopping.abort();
    stopped ??= watching.then(() => stopPostmaster(current.pid, place.cluster));
    return stopped;
  };
}

/** Waits without keeping the process alive. */
function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((done) => {
    const timer = setTimeout(done, ms);
    timer.unref();
    signal.addEventListener("abort", () => done(), { once: true });
  });
}

/** Keeps one older log; returns the size of the one that is written to. */
async function rotateLog(path: string): Promise<number> {
  const size = await stat(path).then(
    (found) => found.size,
    () => 0,
  );
  if (size <= logBytesMax) return size;
  await rename(path, `${path}.1`);
  return 0;
}
