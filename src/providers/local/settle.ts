/**
 * Bringing the record up to what happened: a machine whose QEMU is gone is stopped, with the time
 * and the reason that its remains show. Readers see the same answer before it is written.
 */
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";

import type { StopEvidence } from "#providers/provider.ts";

import { parseExit, stopEvidence } from "./evidence.ts";
import { readIfThere } from "./files.ts";
import { instancePath, readState, runName, writeState } from "./instance.ts";
import { bootId, isAlive } from "./process.ts";
import { parseEventLog } from "./qmp.ts";
import type { Launch, State } from "./records.ts";
import type { Site } from "./site.ts";
import { waitFor } from "./wait.ts";

/** The shell writes its record just after QEMU ended. */
const exitRecordMs = 500;
/** Less is a clock that is being adjusted. */
const clockStepMs = 2_000;

/** True if the record says that it runs and the process is gone. */
export function hasEnded(state: State): boolean {
  if (state.power === "stopped" || state.launch === null || state.launch.process === null) {
    return false;
  }
  return !isAlive(state.launch.process);
}

/** The state as it really is: stopped if the process is gone. Writes nothing. */
export async function current(
  site: Site,
  path: string,
  state: State,
  disconnectedAt?: number,
): Promise<State> {
  if (!hasEnded(state) || state.launch === null) return state;
  return stopped(state, await remains(site, path, state, state.launch, disconnectedAt));
}

/** Writes what `current` says. Under the machine's lock. */
export async function settle(
  site: Site,
  path: string,
  state: State,
  disconnectedAt?: number,
): Promise<State> {
  if (!hasEnded(state)) return state;
  const settled = await current(site, path, state, disconnectedAt);
  await writeState(path, settled);
  return settled;
}

/** Reads, changes and writes a machine's state under its lock; undefined if it is gone. */
export async function updateState(
  site: Site,
  machineId: string,
  change: (state: State) => State,
): Promise<State | undefined> {
  const path = instancePath(site, machineId);
  return site.locks.hold(machineId, async () => {
    const state = await readState(path);
    if (state === undefined) return undefined;
    const next = change(state);
    if (next !== state) await writeState(path, next);
    return next;
  });
}

export function stopped(state: State, stop: StopEvidence): State {
  return {
    ...state,
    power: "stopped",
    powerSince: stop.at,
    stop,
    readyAt: null,
    workload: lostWorkload(state, stop),
  };
}

/** A workload that ran when its machine stopped is lost, and never by the customer's fault. */
function lostWorkload(state: State, stop: StopEvidence): State["workload"] {
  const { workload } = state;
  if (workload === null || workload.state === "ended") return workload;
  const detail = `the machine stopped before the workload ended: ${stop.detail}`;
  const end =
    stop.reason === "guest"
      ? ({ kind: "signaled", signal: "SIGTERM" } as const)
      : ({ kind: "platform_fault", detail } as const);
  return { ...workload, state: "ended", endedAt: stop.at, end };
}

async function remains(
  site: Site,
  path: string,
  state: State,
  launch: Launch,
  disconnectedAt: number | undefined,
): Promise<StopEvidence> {
  const run = join(path, runName(launch.number));
  const hostRestarted = launch.process !== null && launch.process.bootId !== bootId();
  const exit = await waitFor(async () => parseExit(await readIfThere(join(run, "exit"))), {
    timeoutMs: hostRestarted ? 0 : exitRecordMs,
    everyMs: 10,
  });
  const evidence = stopEvidence({
    intent: state.intent,
    launchedAt: launch.at,
    exit,
    events: parseEventLog((await readIfThere(join(run, "events.log"))) ?? ""),
    disconnectedAt,
    lastSignOfLifeAt: await lastSignOfLife(site, path, run),
    hostRestarted,
    clockAheadMs: clockAheadMs(site),
  });
  return { ...evidence, at: Math.min(evidence.at, site.now()) };
}

/** The program goes on where it was when the machine's clock is set back; less is a slew. */
function clockAheadMs(site: Site): number {
  const ahead = site.now() - Date.now();
  return ahead > clockStepMs ? ahead : 0;
}

/** When anything was last written for it, or the driver last saw all its machines run. */
async function lastSignOfLife(site: Site, path: string, run: string): Promise<number> {
  const files = [join(path, "disk.qcow2"), join(path, "serial.log"), join(site.root, "heartbeat")];
  for (const name of await readdir(run).catch(() => [])) files.push(join(run, name));
  const times = await Promise.all(
    files.map(async (file) => (await stat(file).catch(() => undefined))?.mtimeMs ?? 0),
  );
  return Math.floor(Math.max(...times));
}
