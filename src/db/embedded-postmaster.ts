/**
 * The server process of a cluster. It outlives the program that started it (so that a `kill -9` of
 * the program does not take the database with it); whoever comes next finds it by the cluster's
 * `postmaster.pid` and takes it over. There are never two: only a process whose working directory
 * is the cluster counts as its server, whatever the file says.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { open, readFile, readlink, realpath, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";

import { Failure } from "#kernel/failure.ts";

import { asAccount, type Account } from "./embedded-binaries.ts";

const lookMs = 20;
const stopTimeoutMs = 20_000;

export interface Postmaster {
  readonly pid: number;
  readonly socketDirectory: string;
  readonly port: number;
  readonly state: "starting" | "ready" | "stopping";
}

/** The server that runs for this cluster, if one does; a stale `postmaster.pid` is removed. */
export async function findPostmaster(cluster: string): Promise<Postmaster | undefined> {
  const file = join(cluster, "postmaster.pid");
  const lines = (await readFile(file, "utf8").catch(() => "")).split("\n");
  const pid = Number(lines[0]);
  if (!Number.isSafeInteger(pid) || pid <= 0) return undefined;
  const directory = await readlink(`/proc/${pid}/cwd`).catch(() => undefined);
  if (directory !== (await realpath(cluster))) {
    // The machine restarted, or another program has that number now, which would stop PostgreSQL
    // from starting if it ran under the same account.
    await rm(file, { force: true });
    return undefined;
  }
  const status = lines[7]?.trim();
  return {
    pid,
    port: Number(lines[3]),
    socketDirectory: lines[4] ?? "",
    state: status === "ready" || status === "stopping" ? status : "starting",
  };
}

/** True as long as the process exists and still is the server of this cluster. */
export async function isRunning(pid: number, cluster: string): Promise<boolean> {
  const directory = await readlink(`/proc/${pid}/cwd`).catch(() => undefined);
  return directory !== undefined && directory === (await realpath(cluster).catch(() => ""));
}

export interface SpawnOptions {
  readonly cluster: string;
  readonly binaries: string;
  readonly account: Account;
  readonly logFile: string;
  readonly settings: readonly string[];
}

/** Starts the server in a session of its own, its messages appended to the log file. */
export async function spawnPostmaster(options: SpawnOptions): Promise<ChildProcess> {
  const log = await open(options.logFile, "a", 0o600);
  try {
    const child = spawn(
      join(options.binaries, "postgres"),
      ["-D", options.cluster, ...options.settings.flatMap((setting) => ["-c", setting])],
      {
        ...asAccount(options.account),
        cwd: options.cluster,
        detached: true,
        stdio: ["ignore", log.fd, log.fd],
      },
    );
    child.unref();
    // A program that cannot be run is seen as a child that has ended.
    child.on("error", () => undefined);
    return child;
  } finally {
    await log.close();
  }
}

/** Looks until `condition` gives a value; `undefined` when the time is over. */
export async function waitUntil<T>(
  timeoutMs: number,
  signal: AbortSignal | undefined,
  condition: () => Promise<T | undefined>,
): Promise<T | undefined> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    signal?.throwIfAborted();
    const found = await condition();
    if (found !== undefined || performance.now() > deadline) return found;
    await wait(lookMs);
  }
}

/**
 * `fast`: connections are closed, everything is written, the next start needs no recovery.
 * `immediate`: the processes end at once; nothing committed is lost, the next start replays the
 * write-ahead log. A fast stop that takes too long becomes an immediate one.
 */
export async function stopPostmaster(
  pid: number,
  cluster: string,
  how: "fast" | "immediate" = "fast",
): Promise<void> {
  const gone = async (): Promise<true | undefined> =>
    (await isRunning(pid, cluster)) ? undefined : true;
  if ((await gone()) === true) return;
  if (how === "fast") {
    signalProcess(pid, "SIGINT");
    if ((await waitUntil(stopTimeoutMs, undefined, gone)) === true) return;
  }
  signalProcess(pid, "SIGQUIT");
  if ((await waitUntil(stopTimeoutMs, undefined, gone)) === true) return;
  throw new Failure("timeout", `The database server (process ${pid}) does not stop.`);
}

function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It ended between the look and the signal.
  }
}

/** A URL that node-postgres and libpq read: the socket's directory stands for the host. */
export function connectionUrl(postmaster: Postmaster, user: string, password: string): string {
  const database = user === "postgres" ? "postgres" : "millrace";
  const host = encodeURIComponent(postmaster.socketDirectory);
  return `postgresql://${user}:${password}@${host}:${postmaster.port}/${database}`;
}
