/**
 * Snapshots that outlive their machines. What is kept is the machine's directory as it was: its disk
 * with the snapshot inside, what that lies on, and its records. It goes there by one rename, so a
 * machine is there, or its snapshot is kept, never both and never neither. Making a machine of it
 * copies the disk: what is kept stays as it is, for as long as it is kept.
 */
import { execFile } from "node:child_process";
import { chmod, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

import type { MachineSpec, Owner } from "#providers/provider.ts";

import { growDisk } from "./disk.ts";
import type { Driver } from "./driver.ts";
import { errorCode, syncDirectory } from "./files.ts";
import { discard, giveTo, linkInto, readSpec, readState } from "./instance.ts";
import { refused } from "./power.ts";
import { qemuImage } from "./qemu.ts";
import { isUuid, type SnapshotRecord, type State } from "./records.ts";
import type { Site } from "./site.ts";
import { noSnapshot, tagOf } from "./snapshot.ts";

const run = promisify(execFile);
/** Of a copied disk; several GiB on a slow disk. */
const copyMs = 50_000;
/** What a disk lies on, and what boots it. */
const linked: readonly string[] = ["base.qcow2", "template.qcow2", "kernel", "initrd"];
const keptFiles: ReadonlySet<string> = new Set([
  ...linked,
  "disk.qcow2",
  "spec.json",
  "state.json",
]);

export function demandSnapshot(state: State | undefined, snapshotId: string): SnapshotRecord {
  const found = state?.snapshots.find((each) => each.id === snapshotId);
  if (found === undefined || !isUuid(snapshotId)) throw noSnapshot(snapshotId);
  return found;
}

/** Of a machine whose QEMU has ended, under its lock. */
export async function keepDirectory(site: Site, path: string, snapshotId: string): Promise<void> {
  for (const name of await readdir(path)) {
    if (!keptFiles.has(name)) await rm(join(path, name), { recursive: true, force: true });
  }
  // The user that its QEMU ran as is soon another machine's.
  if (site.uidBase !== undefined) await giveTo(join(path, "disk.qcow2"), 0, 0);
  await rename(path, keptPath(site, snapshotId));
  await syncDirectory(join(site.root, "kept"));
  await syncDirectory(join(site.root, "instances"));
}

/** Throws unless the machine may be made from what is kept. */
export async function demandKept(site: Site, spec: MachineSpec): Promise<void> {
  if (spec.fromSnapshot !== undefined) await readKept(site, spec, spec.fromSnapshot);
}

/** Puts a copy of what is kept where a new machine's disk belongs; gives what the guest boots with. */
export async function layKept(
  driver: Driver,
  path: string,
  spec: MachineSpec,
  fresh: State,
): Promise<State> {
  const { site } = driver;
  const snapshotId = spec.fromSnapshot ?? "";
  return site.locks.hold(lockOf(snapshotId), async () => {
    const { from, state } = await readKept(site, spec, snapshotId);
    for (const name of linked) {
      await linkInto(join(from, name), join(path, name)).catch((error: unknown) => {
        // A machine that was booted lies on no template.
        if (errorCode(error) !== "ENOENT") throw error;
      });
    }
    const disk = join(path, "disk.qcow2");
    const copy = ["--reflink=auto", "--sparse=auto", join(from, "disk.qcow2"), disk];
    await run("cp", copy, { timeout: copyMs });
    await chmod(disk, 0o600);
    await giveTo(disk, fresh.uid, site.gid);
    const qemu = await driver.qemu();
    const place = { directory: path, uid: fresh.uid, gid: site.gid };
    await qemuImage(qemu, place, ["snapshot", "-a", tagOf(snapshotId), "disk.qcow2"]);
    for (const { id } of state.snapshots) {
      await qemuImage(qemu, place, ["snapshot", "-d", tagOf(id), "disk.qcow2"]);
    }
    await growDisk({ site, qemu }, path, { bytes: spec.diskBytes, uid: fresh.uid });
    return { ...fresh, image: state.image };
  });
}

export async function dropKept(
  site: Site,
  snapshotId: string,
  owner: Owner,
): Promise<string | undefined> {
  return site.locks.hold(lockOf(snapshotId), async () => {
    const path = keptPath(site, snapshotId);
    const spec = await readSpec(path);
    if (spec !== undefined && !isSame(spec.owner, owner)) {
      throw refused(`Snapshot ${snapshotId} belongs to another owner.`);
    }
    await discard(site, path);
    return spec === undefined ? "was not there" : undefined;
  });
}

async function readKept(
  site: Site,
  spec: MachineSpec,
  snapshotId: string,
): Promise<{ readonly from: string; readonly state: State }> {
  if (!isUuid(snapshotId)) throw noSnapshot(snapshotId);
  const from = keptPath(site, snapshotId);
  const kept = await readSpec(from);
  const state = await readState(from);
  // Another tenant's is not there for this one.
  if (state === undefined || kept?.owner.tenantId !== spec.owner.tenantId) {
    throw noSnapshot(snapshotId);
  }
  const { diskBytes } = demandSnapshot(state, snapshotId).hardware;
  if (spec.diskBytes < diskBytes) {
    throw refused(`The snapshot needs a disk of ${diskBytes} bytes.`);
  }
  return { from, state };
}

function isSame(a: Owner, b: Owner): boolean {
  return a.tenantId === b.tenantId && a.projectId === b.projectId && a.resourceId === b.resourceId;
}

function keptPath(site: Site, snapshotId: string): string {
  return join(site.root, "kept", snapshotId);
}

function lockOf(snapshotId: string): string {
  return `kept-${snapshotId}`;
}
