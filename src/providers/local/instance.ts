/**
 * One machine's directory:
 *
 *     spec.json       what was asked for; written and synced before anything is started
 *     state.json      what became of it
 *     disk.qcow2      its disk, an overlay over `base.qcow2`, a hard link to the image's disk
 *     kernel, initrd  hard links to the image's files
 *     seed.iso        cloud-init's data, where there is user data (cloud-init.ts)
 *     serial.log      what the serial port printed, bounded
 *     run.N/          sockets, pid, exit record and event log of its N-th start
 *
 * Hard links keep an image alive for as long as a machine needs it, and they let an unprivileged
 * QEMU reach it from inside its own directory.
 */
import { chown, copyFile, link, mkdir, open, readdir, rename, rm } from "node:fs/promises";
import { randomBytes } from "node:crypto";
import { join } from "node:path";

import type { MachineSpec } from "#providers/provider.ts";

import { errorCode, readIfThere, syncDirectory, writeDurably } from "./files.ts";
import { specSchema, stateSchema, type State } from "./records.ts";
import type { Site } from "./site.ts";

/** A file in the directory does not say what it should; the machine is left alone. */
export class DamagedError extends Error {
  override readonly name = "DamagedError";
}

export function instancePath(site: Site, id: string): string {
  return join(site.root, "instances", id);
}

export function runName(launchNumber: number): string {
  return `run.${launchNumber}`;
}

/** Undefined if there is no such machine; a damaged record throws DamagedError. */
export async function readSpec(path: string): Promise<MachineSpec | undefined> {
  const text = await readIfThere(join(path, "spec.json"));
  return text === undefined ? undefined : parse(path, "spec.json", text, specSchema);
}

export async function readState(path: string): Promise<State | undefined> {
  const text = await readIfThere(join(path, "state.json"));
  return text === undefined ? undefined : parse(path, "state.json", text, stateSchema);
}

export async function writeSpec(path: string, spec: MachineSpec): Promise<void> {
  await writeDurably(join(path, "spec.json"), `${JSON.stringify(spec)}\n`);
}

/** Only under the machine's lock. */
export async function writeState(path: string, state: State): Promise<void> {
  await writeDurably(join(path, "state.json"), `${JSON.stringify(state)}\n`);
}

/**
 * The directory stays ours, so that a QEMU that a guest broke into cannot touch the records; it
 * may pass through it to the files that are given to it.
 */
export async function makeInstanceDirectory(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o711 });
}

/** Gives a file or directory to the user that the machine's QEMU runs as. */
export async function giveTo(path: string, uid: number | null, gid: number): Promise<void> {
  if (uid !== null) await chown(path, uid, gid);
}

export async function makeRunDirectory(site: Site, path: string, state: State): Promise<string> {
  const run = join(path, runName(state.launches));
  for (const entry of await readdir(path)) {
    if (entry.startsWith("run.")) await removeTree(join(path, entry));
  }
  await mkdir(run, { mode: 0o700 });
  await giveTo(run, state.uid, site.gid);
  const serial = join(path, "serial.log");
  await (await open(serial, "a", 0o600)).close();
  await giveTo(serial, state.uid, site.gid);
  return run;
}

/** A hard link, or a copy where the cache is on another file system. */
export async function linkInto(source: string, target: string): Promise<void> {
  await rm(target, { force: true });
  try {
    await link(source, target);
  } catch (error) {
    if (errorCode(error) !== "EXDEV") throw error;
    await copyFile(source, target);
  }
}

export async function listInstances(site: Site): Promise<string[]> {
  return readdir(join(site.root, "instances"));
}

/** The directory is gone for every reader at once; its contents go in the background. */
export async function discard(site: Site, path: string): Promise<void> {
  const grave = join(site.root, "trash", randomBytes(12).toString("hex"));
  try {
    await rename(path, grave);
  } catch (error) {
    if (errorCode(error) === "ENOENT") return;
    throw error;
  }
  await syncDirectory(join(site.root, "instances"));
  removeTree(grave).catch((error: unknown) =>
    site.log.warn({ err: error, grave }, "cannot empty the trash"),
  );
}

export async function sweepTrash(site: Site): Promise<void> {
  const trash = join(site.root, "trash");
  for (const grave of await readdir(trash)) await removeTree(join(trash, grave));
}

/** What ends just now may still write its last record into it. */
async function removeTree(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
}

function parse<T>(
  path: string,
  file: string,
  text: string,
  schema: {
    safeParse(value: unknown): { success: true; data: T } | { success: false; error: Error };
  },
): T {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new DamagedError(`${join(path, file)} is not JSON`, { cause: error });
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success) {
    throw new DamagedError(`${join(path, file)} is damaged`, { cause: parsed.error });
  }
  return parsed.data;
}
