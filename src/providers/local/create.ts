/**
 * Creating and deleting. The spec is on disk before anything else is, and each step after it can
 * be repeated: whoever comes back to a machine that was begun finishes it.
 */
import { rm } from "node:fs/promises";
import { join } from "node:path";

import { ProviderError, type MachineSpec, type Owner } from "#providers/provider.ts";

import { writeSeed } from "./cloud-init.ts";
import { wire } from "./clone.ts";
import { namesWithUserData } from "./image/image.ts";
import { linkImage, makeDisk } from "./disk.ts";
import type { Driver, Image } from "./driver.ts";
import {
  discard,
  instancePath,
  listInstances,
  makeInstanceDirectory,
  readSpec,
  readState,
  writeSpec,
  writeState,
} from "./instance.ts";
import { findLaunched } from "./launch.ts";
import { dropLimits } from "./limits.ts";
import { endProcess } from "./monitor.ts";
import { releaseAddress } from "./network.ts";
import { demandKept, demandSnapshot, keepDirectory, layKept } from "./keep.ts";
import { refused } from "./power.ts";
import type { State } from "./records.ts";
import { settle } from "./settle.ts";
import { releaseSlot, takeSlot } from "./slots.ts";
import { limit, pin, startCold } from "./start.ts";
import { freshState } from "./template.ts";

/** Makes the machine, or finishes or adopts the one that is there. `ticket`: its place among boots. */
export async function createMachine(
  driver: Driver,
  spec: MachineSpec,
  ticket?: number,
): Promise<string | undefined> {
  const boots = await driver.boots();
  const place = ticket ?? boots.draw();
  const image = await driver.image(spec.image);
  checkSize(driver, spec, image);
  return driver.site.locks.hold(spec.id, async () => {
    const path = instancePath(driver.site, spec.id);
    const known = await readSpec(path);
    if (known === undefined) await demandKept(driver.site, spec);
    else demandOwner(known, spec.owner);
    try {
      if (known === undefined) await admit(driver, path, spec, image);
      const start = (): Promise<string | undefined> => bringUp(driver, path, known ?? spec, image);
      // What was begun, or stood ready, is no boot.
      if ((await readState(path)) !== undefined) return await start();
      return await boots.take(place, start, () => isReadyOrGone(path));
    } catch (error) {
      if (known === undefined) await undo(driver, path, spec);
      throw error;
    }
  });
}

async function isReadyOrGone(path: string): Promise<boolean> {
  const state = await readState(path);
  return state === undefined || state.readyAt !== null || state.power === "stopped";
}

/** With `keep`, that snapshot outlives it. */
export async function deleteMachine(
  driver: Driver,
  machineId: string,
  owner: Owner,
  keep?: string,
): Promise<string | undefined> {
  return driver.site.locks.hold(machineId, async () => {
    const path = instancePath(driver.site, machineId);
    const spec = await readSpec(path);
    if (spec === undefined) {
      await discard(driver.site, path);
      return "was not there";
    }
    demandOwner(spec, owner);
    await removeMachine(driver, path, spec, keep);
    return undefined;
  });
}

export function demandOwner(spec: MachineSpec, owner: Owner): void {
  const same =
    spec.owner.tenantId === owner.tenantId &&
    spec.owner.projectId === owner.projectId &&
    spec.owner.resourceId === owner.resourceId;
  if (!same) throw refused(`Machine ${spec.id} belongs to another owner.`);
}

/** The first start of a machine whose spec is on disk; nothing if it was started before. */
async function bringUp(
  driver: Driver,
  path: string,
  spec: MachineSpec,
  image: Image,
): Promise<string | undefined> {
  let state = await readState(path);
  state ??= await driver.warm.cloneNow(spec, image);
  if (state !== undefined && !state.wired && !(await stands(path, state))) {
    // A clone that was begun and not finished: its directory serves for a boot.
    state = await abandonClone(path, state);
  }
  const isNew = state === undefined || !state.wired || state.launch === null;
  if (state?.launch && (await findLaunched(path, state)) !== undefined) {
    await adopt(driver, path, spec, state);
  } else if (state?.launch?.process) {
    await settle(driver.site, path, state);
  } else {
    await startCold(driver, spec, await prepare(driver, path, spec, image, state));
    return undefined;
  }
  return isNew ? undefined : "was there already";
}

async function stands(path: string, state: State): Promise<boolean> {
  return state.power === "paused" && (await findLaunched(path, state)) !== undefined;
}

async function abandonClone(path: string, state: State): Promise<State> {
  const process = await findLaunched(path, state);
  if (process !== undefined && state.launch !== null) {
    await endProcess(path, { ...state, launch: { ...state.launch, process } }, "kill");
  }
  return { ...state, launch: null, wired: true, diskMade: false, power: "stopped" };
}

/** Takes up a QEMU that was started by a process that did not live to record it. */
export async function adopt(
  driver: Driver,
  path: string,
  spec: MachineSpec,
  state: State,
): Promise<State> {
  const process = await findLaunched(path, state);
  if (state.launch === null || process === undefined) return settle(driver.site, path, state);
  if (!state.wired) {
    const wired = await wire(driver, path, spec, state);
    await limit(driver, spec.id, wired);
    await pin(driver, spec, wired);
    driver.keep(spec.id);
    return wired;
  }
  if (state.launch.process !== null) {
    driver.keep(spec.id);
    return state;
  }
  const adopted: State = {
    ...state,
    launch: { ...state.launch, process },
    power: "running",
    powerSince: state.launch.at,
    stop: null,
  };
  await writeState(path, adopted);
  driver.keep(spec.id);
  return adopted;
}

/** The spec is on disk when this returns: alone, or with a warm clone that awaits its wiring. */
async function admit(driver: Driver, path: string, spec: MachineSpec, image: Image): Promise<void> {
  await driver.site.locks.hold("admission", async () => {
    await demandMemory(driver, spec.memoryBytes);
    if ((await driver.warm.takeMember(spec, image)) !== undefined) return;
    await makeInstanceDirectory(path);
    await writeSpec(path, spec);
  });
}

async function prepare(
  driver: Driver,
  path: string,
  spec: MachineSpec,
  image: Image,
  before: State | undefined,
): Promise<State> {
  const { site } = driver;
  const state = before ?? (await firstState(driver, spec, image));
  if (before === undefined) await writeState(path, state);
  if (state.diskMade) return state;
  if (spec.fromSnapshot !== undefined) {
    return { ...(await layKept(driver, path, spec, state)), diskMade: true };
  }
  await linkImage(path, image);
  if (spec.userData !== undefined) await writeSeed(site, path, spec, state.uid);
  const disk = { backing: "base.qcow2", bytes: spec.diskBytes, uid: state.uid };
  await makeDisk({ site, qemu: await driver.qemu() }, path, disk);
  return { ...state, diskMade: true };
}

async function firstState(driver: Driver, spec: MachineSpec, image: Image): Promise<State> {
  const slot = await takeSlot(driver.site, spec.id);
  const { cpu, memoryBytes, diskBytes } = spec;
  const hardware = { cpu, memoryBytes, diskBytes };
  return { ...freshState(driver, { image, hardware, slot }), diskMade: false };
}

function checkSize(driver: Driver, spec: MachineSpec, image: Image): void {
  if (spec.memoryBytes < image.minMemoryBytes) {
    throw refused(
      `Image ${image.name} needs ${image.minMemoryBytes} bytes of memory; ${spec.memoryBytes} asked.`,
    );
  }
  if (spec.diskBytes < image.minDiskBytes) {
    throw refused(
      `Image ${image.name} needs a disk of ${image.minDiskBytes} bytes; ${spec.diskBytes} asked.`,
    );
  }
  if (spec.userData !== undefined && !image.takesUserData) {
    const takers = namesWithUserData().join(", ");
    throw refused(
      `Image ${image.name} takes no user data, because it has no cloud-init. Images that do: ${takers}.`,
    );
  }
  if (spec.memoryBytes % 1_048_576 !== 0) throw refused("Memory is given in whole MiB.");
  if (spec.diskBytes % 512 !== 0) throw refused("A disk is a whole number of 512-byte sectors.");
  if (spec.memoryBytes > driver.offered.memoryBytes) {
    throw refused(
      `This host offers ${driver.offered.memoryBytes} bytes of memory; ${spec.memoryBytes} asked.`,
    );
  }
}

/** Memory is never promised twice: what runs and what is being made counts. */
async function demandMemory(driver: Driver, bytes: number): Promise<void> {
  let used = 0;
  for (const id of await listInstances(driver.site)) {
    const path = instancePath(driver.site, id);
    const state = await readState(path).catch(() => undefined);
    if (state === undefined || state.launches === 0) {
      used += (await readSpec(path).catch(() => undefined))?.memoryBytes ?? 0;
    } else if (state.power !== "stopped") used += state.hardware.memoryBytes;
  }
  const free = driver.offered.memoryBytes - used;
  if (bytes > free) {
    throw new ProviderError(
      "capacity",
      `${bytes} bytes of memory asked, ${Math.max(0, free)} free of ${driver.offered.memoryBytes}.`,
      {
        effect: "none",
      },
    );
  }
}

async function undo(driver: Driver, path: string, spec: MachineSpec): Promise<void> {
  try {
    await removeMachine(driver, path, spec);
  } catch (error) {
    driver.site.log.error(
      { err: error, machineId: spec.id },
      "cannot remove a machine that did not start",
    );
    await rm(join(path, "disk.qcow2"), { force: true });
  }
}

async function removeMachine(
  driver: Driver,
  path: string,
  spec: MachineSpec,
  keep?: string,
): Promise<void> {
  const state = await readState(path);
  if (keep !== undefined) demandSnapshot(state, keep);
  if (state !== undefined) {
    const process = await findLaunched(path, state);
    if (process !== undefined && state.launch !== null) {
      const found: State = { ...state, intent: "stop", launch: { ...state.launch, process } };
      await endProcess(path, found, "kill");
    }
    await releaseSlot(driver.site, state.slot);
  }
  await dropLimits(await driver.limits(), spec.id);
  await releaseAddress(driver.site, spec.network, spec.id);
  if (keep === undefined) await discard(driver.site, path);
  else await keepDirectory(driver.site, path, keep);
  driver.site.changed(spec.id);
}
