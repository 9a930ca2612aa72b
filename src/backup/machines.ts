/**
 * Which virtual machines are running, seen from their disks: a process that has a file below the
 * machine's directory open for writing. A disk that is being written cannot be copied as it is, so
 * that the process is paused for the time of the copy; what is copied then is what would be there
 * after a power failure, which file systems and databases in the guest recover from.
 */
import { readdir, readFile, readlink } from "node:fs/promises";

const accessModeMask = 0o3;

/** Process numbers by the name of the machine's directory. */
export async function runningMachines(
  machinesDirectory: string,
  exceptPids: readonly number[],
): Promise<ReadonlyMap<string, readonly number[]>> {
  const found = new Map<string, number[]>();
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
  for (const pid of pids) {
    if (exceptPids.includes(pid)) continue;
    for (const machine of await machinesWrittenBy(pid, machinesDirectory)) {
      found.set(machine, [...(found.get(machine) ?? []), pid]);
    }
  }
  return found;
}

async function machinesWrittenBy(pid: number, directory: string): Promise<ReadonlySet<string>> {
  const machines = new Set<string>();
  // A process may end while we look, and others' processes are closed to us: they hold nothing.
  const descriptors = await readdir(`/proc/${pid}/fd`).catch(() => []);
  for (const descriptor of descriptors) {
    const path = await readlink(`/proc/${pid}/fd/${descriptor}`).catch(() => "");
    if (!path.startsWith(`${directory}/`)) continue;
    const info = await readFile(`/proc/${pid}/fdinfo/${descriptor}`, "utf8").catch(() => "");
    const flags = Number.parseInt(/^flags:\s*([0-7]+)/m.exec(info)?.[1] ?? "0", 8);
    const machine = path.slice(directory.length + 1).split("/")[0];
    if ((flags & accessModeMask) !== 0 && machine !== undefined) machines.add(machine);
  }
  return machines;
}

/** Runs `copy` while the processes stand still. */
export async function* whilePaused<T>(
  pids: readonly number[],
  copy: () => AsyncIterable<T>,
): AsyncGenerator<T> {
  const paused: number[] = [];
  try {
    for (const pid of pids) {
      process.kill(pid, "SIGSTOP");
      paused.push(pid);
      await hasStopped(pid);
    }
    yield* copy();
  } finally {
    for (const pid of paused) resume(pid);
  }
}

async function hasStopped(pid: number): Promise<void> {
  for (;;) {
    const status = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
    const state = status.slice(status.lastIndexOf(")") + 2)[0];
    if (state === undefined || "TtZX".includes(state)) return;
  }
}

function resume(pid: number): void {
  try {
    process.kill(pid, "SIGCONT");
  } catch {
    // It was killed while it stood still.
  }
}
