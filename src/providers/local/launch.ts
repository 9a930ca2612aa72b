/**
 * Starting QEMU so that it outlives us. It runs in a session of its own under a small shell that
 * waits for it and writes down when and how it ended: the only witness of a `kill -9` while no
 * control plane runs.
 *
 * What must stay true: never two QEMU processes for one machine. The intent (`launches` counted
 * up) is on disk before the process is; a driver that finds an intent without a process looks for
 * it (`findLaunched`) before it starts another; and QEMU's own lock on the disk is the last wall.
 */
import { spawn } from "node:child_process";
import { open } from "node:fs/promises";
import { join } from "node:path";

import { ProviderError } from "#providers/provider.ts";

import { errorCode, readIfThere } from "./files.ts";
import { makeRunDirectory, runName, writeState } from "./instance.ts";
import { findByCommandLine, identify, isAlive, type ProcessIdentity } from "./process.ts";
import { qemuMissing } from "./qemu.ts";
import { connectQmp } from "./qmp.ts";
import type { Launch, State } from "./records.ts";
import type { Site } from "./site.ts";
import { waitFor } from "./wait.ts";

export interface Command {
  readonly program: string;
  readonly parameters: readonly string[];
  /** An open file that QEMU inherits as descriptor 3. */
  readonly inherit?: number;
}

/** Adjusts CPU priority so that the control plane stays quick while machines are busy. */
const niceness = "2";
const greetingTimeoutMs = 20_000;

const watcher = `
trap '' HUP INT TERM
run=$1; shift
nice -n ${niceness} "$@" &
pid=$!
echo $pid > "$run/pid"
wait $pid
code=$?
echo "$code $(date +%s%3N)" > "$run/exit.tmp" && mv "$run/exit.tmp" "$run/exit"
`;

/** Starts it and returns the record once QEMU answers. Under the machine's lock. */
export async function launch(
  site: Site,
  path: string,
  state: State,
  next: Omit<Launch, "number" | "process" | "at">,
  commandFor: (runDirectory: string) => Command,
): Promise<State> {
  const number = state.launches + 1;
  const intent: State = {
    ...state,
    launches: number,
    launch: { ...next, number, process: null, at: site.now() },
  };
  await writeState(path, intent);
  await makeRunDirectory(site, path, intent);
  await start(site, path, intent, commandFor(runName(number)));
  const identity = await waitFor(() => greeted(path, number, next.uuid), {
    timeoutMs: greetingTimeoutMs,
    everyMs: 4,
  });
  if (identity === undefined) {
    throw new ProviderError("unknown", `QEMU did not answer within ${greetingTimeoutMs} ms.`, {
      effect: "maybe",
    });
  }
  const running: State = {
    ...intent,
    launch: { ...next, number, process: identity, at: site.now() },
  };
  return running;
}

/** The QEMU process of the latest launch, also if nobody lived to record it. */
export async function findLaunched(
  path: string,
  state: State,
): Promise<ProcessIdentity | undefined> {
  const { launch: latest } = state;
  if (latest === null) return undefined;
  if (latest.process !== null) return isAlive(latest.process) ? latest.process : undefined;
  const recorded = await recordedProcess(path, latest.number, latest.uuid);
  if (recorded !== undefined) return recorded;
  // The shell may be between its start and writing the pid: give it the time to.
  if (findByCommandLine(["-uuid", latest.uuid]).length === 0) return undefined;
  return waitFor(() => recordedProcess(path, latest.number, latest.uuid), {
    timeoutMs: 2_000,
    everyMs: 10,
  });
}

async function start(site: Site, path: string, state: State, command: Command): Promise<void> {
  const run = join(path, runName(state.launches));
  const log = await open(join(run, "qemu.log"), "a", 0o600);
  try {
    const child = spawn(
      "/bin/sh",
      [
        "-c",
        watcher,
        "millrace-machine",
        runName(state.launches),
        command.program,
        ...command.parameters,
      ],
      {
        cwd: path,
        detached: true,
        env: { PATH: process.env["PATH"] ?? "/usr/bin:/bin", LANG: "C" },
        stdio: [
          "ignore",
          log.fd,
          log.fd,
          ...(command.inherit === undefined ? [] : [command.inherit]),
        ],
        ...(state.uid === null ? {} : { uid: state.uid, gid: site.gid }),
      },
    );
    await new Promise<void>((resolve, reject) => {
      child.once("spawn", resolve);
      child.once("error", reject);
    });
    child.on("error", () => {});
    child.unref();
  } finally {
    await log.close();
  }
}

/** The process once its monitor answers; throws if it ended instead. */
async function greeted(
  path: string,
  number: number,
  uuid: string,
): Promise<ProcessIdentity | undefined> {
  const run = runName(number);
  if ((await readIfThere(join(path, run, "exit"))) !== undefined) {
    throw startError((await readIfThere(join(path, run, "qemu.log"))) ?? "");
  }
  try {
    const qmp = await connectQmp({ directory: path, socketName: `${run}/qmp.sock` });
    qmp.close();
  } catch (error) {
    const code = errorCode(error);
    const notYet = code === "ENOENT" || code === "ECONNREFUSED" || code === "ECONNRESET";
    if (notYet || code === undefined) return undefined;
    throw error;
  }
  return recordedProcess(path, number, uuid);
}

async function recordedProcess(
  path: string,
  number: number,
  uuid: string,
): Promise<ProcessIdentity | undefined> {
  const text = await readIfThere(join(path, runName(number), "pid"));
  if (text === undefined || !/^\d+\n$/.test(text)) return undefined;
  const identity = identify(Number(text));
  if (identity === undefined) return undefined;
  const command = ((await readIfThere(`/proc/${identity.pid}/cmdline`)) ?? "").split("\0");
  return command.includes(uuid) ? identity : undefined;
}

/** What QEMU said before it ended, as an error that tells what to do. */
function startError(log: string): ProviderError {
  const said = log.trim().split("\n").slice(-3).join(" ").slice(-600);
  const none = { effect: "none" } as const;
  if (/Cannot allocate memory|cannot set up guest memory/.test(log)) {
    return new ProviderError("capacity", "This host has no memory left for the machine.", none);
  }
  if (/No space left on device/.test(log)) {
    return new ProviderError("capacity", "The disk of this host is full.", none);
  }
  if (/Could not set up host forwarding rule/.test(log)) {
    return new ProviderError("unavailable", "The machine's port on loopback is busy.", none);
  }
  if (/^(?:nice|\/bin\/sh):.*qemu-system.*(?:not found|No such file)/m.test(log)) {
    return new ProviderError("unavailable", qemuMissing, none);
  }
  return new ProviderError("unknown", `QEMU did not start: ${said}`, none);
}
