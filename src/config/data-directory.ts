/**
 * The one directory that holds everything a Millrace owns. What must stay true:
 *
 * - One program at a time: an exclusive lock of the operating system, which ends with the process
 *   that holds it, however it ends; there is no stale lock to clean up.
 * - Only its owner reads it. Where root runs it, PostgreSQL and QEMU run under accounts of their
 *   own, so that root's directory can be passed through (0711) but not listed; each part that
 *   only the program needs is closed to everybody else (0700).
 */
import { spawnSync } from "node:child_process";
import { chmod, mkdir, open, readFile, stat, statfs, type FileHandle } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";

import { Failure } from "#kernel/failure.ts";

/** Below this, starting would fail half-way: the database alone needs a hundred megabytes. */
const freeBytesMin = 512 * 1024 * 1024;
/** Where root keeps its data if the clone is in a directory that no other account may enter. */
const systemDirectory = "/var/lib/millrace";

/** The parts and their modes under root. */
const parts = {
  /** The embedded PostgreSQL (src/db/embedded.ts). */
  postgres: 0o711,
  /** What the local provider keeps: one directory per virtual machine, warm templates. */
  local: 0o711,
  /** Guest kernels and images, named by their content; they can be made again. */
  images: 0o711,
  /** What tenants store: inputs and results of jobs, logs. */
  storage: 0o700,
  /** Keys of this installation. */
  keys: 0o700,
} as const;

type Part = keyof typeof parts;

export interface DataDirectory extends Readonly<Record<Part, string>> {
  readonly path: string;
  /** Gives up the lock; the files stay. */
  close(): Promise<void>;
}

/** The directory to use if the command line names none. */
export async function defaultDataDirectory(
  environment: Readonly<Record<string, string | undefined>>,
  repositoryRoot: string,
): Promise<string> {
  const named = environment["MILLRACE_DATA"];
  if (named !== undefined && named !== "") return resolve(named);
  const isRoot = process.getuid?.() === 0;
  if (isRoot && (await closedToOthers(repositoryRoot)) !== undefined) return systemDirectory;
  return join(repositoryRoot, "data");
}

/** Makes the directory and its parts if they are not there, and holds the lock until `close`. */
export async function openDataDirectory(path: string): Promise<DataDirectory> {
  const root = resolve(path);
  const passable = process.getuid?.() === 0;
  await makeDirectory(root, passable ? 0o711 : 0o700);
  const lock = await takeLock(root);
  try {
    await requireFreeSpace(root);
    const paths: Record<Part, string> = {
      postgres: join(root, "postgres"),
      local: join(root, "local"),
      images: join(root, "images"),
      storage: join(root, "storage"),
      keys: join(root, "keys"),
    };
    for (const [part, mode] of Object.entries(parts)) {
      await makeDirectory(join(root, part), passable ? mode : 0o700);
    }
    return { ...paths, path: root, close: () => lock.close() };
  } catch (error) {
    await lock.close();
    throw error;
  }
}

/** Bytes that may still be written below `path`. */
export async function freeBytes(path: string): Promise<number> {
  const { bavail, bsize } = await statfs(path);
  return bavail * bsize;
}

export async function requireFreeSpace(path: string, bytesMin = freeBytesMin): Promise<void> {
  const free = await freeBytes(path);
  if (free >= bytesMin) return;
  throw new Failure(
    "capacity",
    `The disk of ${path} has ${mebibytes(free)} MiB left, and at least ${mebibytes(bytesMin)} MiB are ` +
      `needed. Free some space, or choose another place with --data-directory.`,
    { details: { path, freeBytes: free, bytesMin } },
  );
}

/** The process that has this data directory open, if one does. */
export async function lockHolder(path: string): Promise<number | undefined> {
  const file = await open(lockFile(path), "r").catch(() => undefined);
  if (file === undefined) return undefined;
  try {
    return tryLock(file) ? undefined : await writtenPid(path);
  } finally {
    await file.close();
  }
}

async function takeLock(root: string): Promise<FileHandle> {
  const file = await open(lockFile(root), "a+", 0o600);
  if (tryLock(file)) {
    await file.truncate();
    await file.write(`${process.pid}\n`);
    return file;
  }
  await file.close();
  const pid = await writtenPid(root);
  throw new Failure(
    "conflict",
    `Millrace already runs on the data directory ${root}, as process ${pid}. Stop it first ` +
      `(kill ${pid}), or start this one elsewhere with --data-directory and --port.`,
    { details: { path: root, pid } },
  );
}

/**
 * flock(2), which Node does not offer: the program `flock` locks the open file that it inherits,
 * and the lock stays with our handle when it ends. Children do not inherit the handle.
 */
function tryLock(file: FileHandle): boolean {
  const { status, error } = spawnSync("flock", ["--nonblock", "--exclusive", "3"], {
    stdio: ["ignore", "ignore", "ignore", file.fd],
  });
  if (error !== undefined) {
    throw new Failure("unavailable", "The program flock is missing (package util-linux).", {
      cause: error,
    });
  }
  return status === 0;
}

async function writtenPid(root: string): Promise<number> {
  return Number((await readFile(lockFile(root), "utf8")).trim());
}

function lockFile(root: string): string {
  return join(root, "lock");
}

async function makeDirectory(path: string, mode: number): Promise<void> {
  try {
    const first = await mkdir(path, { recursive: true, mode });
    if (first !== undefined) await chmod(path, mode);
    if (!(await stat(path)).isDirectory()) throw new Error("not a directory");
  } catch (cause) {
    throw new Failure(
      "unavailable",
      `The directory ${path} cannot be made or used: ${cause instanceof Error ? cause.message : String(cause)}. ` +
        `Choose another with --data-directory, or change its owner.`,
      { cause },
    );
  }
}

/** The first directory at or above `path` that other accounts may not pass through. */
export async function closedToOthers(path: string): Promise<string | undefined> {
  let closed: string | undefined;
  for (let at = resolve(path); ; at = dirname(at)) {
    if (((await stat(at)).mode & 0o001) === 0) closed = at;
    if (dirname(at) === at) return closed;
  }
}

function mebibytes(bytes: number): number {
  return Math.floor(bytes / 1024 / 1024);
}
