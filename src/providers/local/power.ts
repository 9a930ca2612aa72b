/**
 * Power. What we want is written before it is done (`intent`), so that whoever finds the remains
 * can tell a stop that was asked for from one that was not.
 */
import { unreachable } from "#kernel/assert.ts";
import { ProviderError, type MachineSpec, type PowerAction } from "#providers/provider.ts";

import type { Driver } from "./driver.ts";
import type { GuestActivity } from "./guest/protocol.ts";
import { instancePath, readSpec, readState, writeState } from "./instance.ts";
import { endProcess, withMonitor } from "./monitor.ts";
import type { Hardware, Launch, State } from "./records.ts";
import { hasEnded, settle } from "./settle.ts";
import { startCold } from "./start.ts";
import { waitFor } from "./wait.ts";

export interface Guest {
  /** Asks the guest to shut itself down; may fail if it does not listen. */
  readonly shutDown: (machineId: string, launch: Launch) => Promise<void>;
  /** Writes the guest's caches to its disk. */
  readonly sync: (machineId: string, launch: Launch) => Promise<void>;
  /** Sets the clock and whatever else went stale while the guest stood still. */
  readonly refresh: (machineId: string, launch: Launch) => Promise<void>;
  /** Its workload is to save its work and to end within `graceMs`; without it, to go on after all. */
  readonly interrupt: (
    machineId: string,
    launch: Launch,
    how: { readonly graceMs?: number },
  ) => Promise<void>;
  /** What the guest sees of its use; fails if it does not answer in time. */
  readonly activity: (machineId: string, launch: Launch) => Promise<GuestActivity>;
  /** Brings plugged CPUs and memory online and grows the file system to its disk. */
  readonly takeUp: (machineId: string, launch: Launch, hardware: Hardware) => Promise<void>;
}

interface Subject {
  readonly path: string;
  readonly spec: MachineSpec;
  readonly state: State;
}

export async function changePower(
  driver: Driver,
  guest: Guest,
  machineId: string,
  action: PowerAction,
): Promise<string | undefined> {
  switch (action.to) {
    case "start":
      return onMachine(driver, machineId, (subject) => start(driver, subject));
    case "stop":
      return onMachine(driver, machineId, (subject) => stop(driver, subject));
    case "shutdown":
      return shutDown(driver, guest, machineId, action.graceSeconds * 1000);
    case "reboot":
      return reboot(driver, guest, machineId);
    case "pause":
      return onMachine(driver, machineId, (subject) => pause(driver, subject));
    case "resume":
      return resume(driver, guest, machineId);
  }
  return unreachable(action);
}

/** Under its lock, with its record brought up to what happened. */
export async function onMachine<T>(
  driver: Driver,
  machineId: string,
  work: (subject: Subject) => Promise<T>,
): Promise<T> {
  const path = instancePath(driver.site, machineId);
  return driver.site.locks.hold(machineId, async () => {
    const spec = await readSpec(path);
    const state = await readState(path);
    if (spec === undefined || state === undefined) throw notFound(machineId);
    return work({ path, spec, state: await settle(driver.site, path, state) });
  });
}

export function notFound(machineId: string): ProviderError {
  return new ProviderError("not_found", `There is no machine ${machineId}.`, { effect: "none" });
}

export function refused(message: string): ProviderError {
  return new ProviderError("refused", message, { effect: "none" });
}

async function start(driver: Driver, { spec, state }: Subject): Promise<string | undefined> {
  if (state.power === "running") return "was running already";
  if (state.power === "paused") throw refused("The machine is paused: resume it.");
  await startCold(driver, spec, state);
  return undefined;
}

async function stop(driver: Driver, { path, state }: Subject): Promise<string | undefined> {
  if (state.power === "stopped") return "was stopped already";
  const intended: State = { ...state, intent: "stop" };
  await writeState(path, intended);
  await endProcess(path, intended, "flush");
  await settle(driver.site, path, intended);
  return undefined;
}

async function shutDown(
  driver: Driver,
  guest: Guest,
  machineId: string,
  graceMs: number,
): Promise<string | undefined> {
  const asked = await onMachine(driver, machineId, async ({ path, state }) => {
    if (state.power === "stopped" || state.launch === null) return undefined;
    await writeState(path, { ...state, intent: "stop" });
    return { path, state, launch: state.launch };
  });
  if (asked === undefined) return "was stopped already";
  const { path, state, launch } = asked;
  const ended = waitFor(() => (hasEnded(state) ? true : undefined), {
    timeoutMs: graceMs,
    everyMs: 20,
  });
  if (state.power === "running" && state.readyAt !== null) {
    guest.shutDown(machineId, launch).catch((error: unknown) => {
      driver.site.log.info({ err: error, machineId }, "the guest did not take the shutdown");
    });
  }
  const inTime = await ended;
  return onMachine(driver, machineId, async (subject) => {
    if (subject.state.launch?.number !== launch.number) return undefined;
    await stop(driver, { ...subject, path });
    return inTime === true ? undefined : "the guest did not shut down in time and was stopped";
  });
}

async function reboot(
  driver: Driver,
  guest: Guest,
  machineId: string,
): Promise<string | undefined> {
  const path = instancePath(driver.site, machineId);
  const state = await readState(path);
  if (state?.power === "running" && state.launch !== null && state.readyAt !== null) {
    await guest.sync(machineId, state.launch).catch(() => {});
  }
  return onMachine(driver, machineId, async (subject) => {
    const { launch } = subject.state;
    if (subject.state.power !== "running" || launch === null) {
      throw refused(`A ${subject.state.power} machine cannot reboot.`);
    }
    const lost = { kind: "platform_fault", detail: "the machine was rebooted" } as const;
    const { workload } = subject.state;
    await writeState(subject.path, {
      ...subject.state,
      readyAt: null,
      workload:
        workload === null || workload.state === "ended"
          ? workload
          : { ...workload, state: "ended", endedAt: driver.site.now(), end: lost },
    });
    await withMonitor(driver.site, machineId, launch, (qmp) => qmp.execute("system_reset"));
    return undefined;
  });
}

async function pause(driver: Driver, { path, spec, state }: Subject): Promise<string | undefined> {
  if (state.power === "paused") return "was paused already";
  if (state.power !== "running" || state.launch === null) {
    throw refused("A stopped machine cannot be paused.");
  }
  await withMonitor(driver.site, spec.id, state.launch, (qmp) => qmp.execute("stop"));
  await writeState(path, { ...state, power: "paused", powerSince: driver.site.now() });
  return undefined;
}

async function resume(
  driver: Driver,
  guest: Guest,
  machineId: string,
): Promise<string | undefined> {
  const resumed = await onMachine(driver, machineId, async ({ path, state }) => {
    if (state.power === "running") return undefined;
    if (state.power !== "paused" || state.launch === null) {
      throw refused("The machine is stopped: start it.");
    }
    await withMonitor(driver.site, machineId, state.launch, (qmp) => qmp.execute("cont"));
    await writeState(path, { ...state, power: "running", powerSince: driver.site.now() });
    return state;
  });
  if (resumed === undefined) return "was running already";
  if (resumed.readyAt !== null && resumed.launch !== null) {
    await guest.refresh(machineId, resumed.launch).catch((error: unknown) => {
      driver.site.log.warn({ err: error, machineId }, "the guest's clock could not be set");
    });
  }
  return undefined;
}
