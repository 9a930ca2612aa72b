/**
 * Backs the data directory up into one file, while the cloud runs or while it does not. The
 * database comes first and the files after it: every file that a row names is in the archive,
 * unless it was deleted meanwhile.
 */
import { access, readdir } from "node:fs/promises";
import { dirname, join, relative, resolve } from "node:path";

import type { EntryWithContent } from "#archive/tar.ts";
import { lockHolder, openDataDirectory } from "#config/data-directory.ts";
import { startEmbedded, type EmbeddedLog } from "#db/embedded.ts";
import { findEmbedded } from "#db/embedded-find.ts";
import { Failure } from "#kernel/failure.ts";

import { writeArchive, type Manifest } from "./archive.ts";
import { clusterEntries } from "./cluster.ts";
import { ignoreMissing, walk } from "./files.ts";
import { runningMachines, whilePaused } from "./machines.ts";

export interface BackupOptions {
  readonly dataDirectory: string;
  /** The file to write; it must not exist. */
  readonly archive: string;
  /**
   * What to do about virtual machines that run: refuse the backup, pause each while its disks are
   * copied, or leave them out.
   */
  readonly running: "refuse" | "pause" | "leave-out";
  readonly now: () => number;
  readonly log: EmbeddedLog;
  readonly signal: AbortSignal;
  readonly onProgress: (bytes: number, path: string) => void;
}

const clusterPath = "postgres/cluster";
/** One directory per virtual machine: what the local provider calls an instance. */
const machinesPath = "local/instances";
/** What belongs to one run of the program, or can be made again. */
const notBackedUp = [
  /^lock$/,
  // A database that was set aside by a restore, and one that was not finished.
  /^postgres\.until-/,
  /^\.restoring$/,
  /^postgres\/(?:socket|server\.log.*|programs-.*|cluster\.(?:new|password))(?:\/|$)/,
  /^postgres\/cluster(?:\/|$)/,
  // Warm starts and what is being removed.
  /^local\/(?:templates|pool|trash)\//,
];

export async function backUp(options: BackupOptions): Promise<Manifest> {
  const root = resolve(options.dataDirectory);
  const archive = resolve(options.archive);
  await checkTarget(root, archive);
  const running = await machinesToHandle(root, options.running);
  const database = await openDatabase(root, options);
  try {
    return await writeArchive({
      path: archive,
      entries: everything(root, database?.adminUrl, running, options.running),
      describe: () => ({
        createdAt: new Date(options.now()).toISOString(),
        database: database === undefined ? "external" : "embedded",
        leftOut:
          options.running === "leave-out"
            ? [...running.keys()].map((machine) => ({
                path: `${machinesPath}/${machine}`,
                because: "the virtual machine was running",
              }))
            : [],
      }),
      signal: options.signal,
      onProgress: options.onProgress,
    });
  } finally {
    await database?.close();
  }
}

async function checkTarget(root: string, archive: string): Promise<void> {
  const found = await access(root).then(
    () => true,
    () => false,
  );
  if (!found) throw new Failure("not_found", `There is no data directory ${root}.`);
  if (!relative(root, dirname(archive)).startsWith("..")) {
    throw new Failure("invalid_request", `The backup must not lie in the data directory ${root}.`);
  }
  const taken = await access(archive).then(
    () => true,
    () => false,
  );
  if (taken) throw new Failure("conflict", `${archive} exists already; choose another name.`);
}

async function machinesToHandle(
  root: string,
  policy: BackupOptions["running"],
): Promise<ReadonlyMap<string, readonly number[]>> {
  const holder = await lockHolder(root);
  const directory = join(root, machinesPath);
  const running = await runningMachines(directory, [process.pid, holder ?? 0]);
  if (running.size > 0 && policy === "refuse") {
    throw new Failure(
      "wrong_state",
      `${running.size} virtual machines are running, and a disk cannot be copied while it is ` +
        `written: ${[...running.keys()].join(", ")}. Stop them, or choose --running=pause (each ` +
        `stands still while its disks are copied) or --running=leave-out.`,
      { details: { running: [...running.keys()] } },
    );
  }
  return running;
}

interface OpenDatabase {
  readonly adminUrl: string;
  close(): Promise<void>;
}

/** The server that runs, or one of our own for the time of the backup; none if it is elsewhere. */
async function openDatabase(
  root: string,
  options: BackupOptions,
): Promise<OpenDatabase | undefined> {
  const found = await findEmbedded(join(root, "postgres"));
  if (found !== undefined) return { adminUrl: found.adminUrl, close: async () => undefined };
  const hasCluster = await access(join(root, clusterPath)).then(
    () => true,
    () => false,
  );
  if (!hasCluster) return undefined;
  const directory = await openDataDirectory(root);
  try {
    const embedded = await startEmbedded({
      directory: directory.postgres,
      log: options.log,
      signal: options.signal,
    });
    return {
      adminUrl: embedded.adminUrl,
      close: async () => {
        await embedded.stop();
        await directory.close();
      },
    };
  } catch (error) {
    await directory.close();
    throw error;
  }
}

async function* everything(
  root: string,
  adminUrl: string | undefined,
  running: ReadonlyMap<string, readonly number[]>,
  policy: BackupOptions["running"],
): AsyncGenerator<EntryWithContent> {
  const isOrdinary = (path: string): boolean =>
    !notBackedUp.some((pattern) => pattern.test(path)) &&
    !(path.startsWith(`${machinesPath}/`) && running.has(path.slice(machinesPath.length + 1)));
  // The directory of the database must be there before what is in it.
  const met = new Map<string, string>();
  yield* walk({ root, from: "postgres", include: () => false, met });
  if (adminUrl !== undefined) yield* clusterEntries(root, clusterPath, adminUrl);
  for (const name of ((await readdir(root).catch(ignoreMissing)) ?? []).toSorted()) {
    if (name !== "postgres" && isOrdinary(name)) {
      yield* walk({ root, from: name, include: isOrdinary, met });
    }
  }
  if (policy !== "pause") return;
  for (const [machine, pids] of running) {
    const from = join(machinesPath, machine);
    yield* whilePaused(pids, () => walk({ root, from, include: () => true, met }));
  }
}
