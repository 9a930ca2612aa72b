/**
 * A machine's disk: a qcow2 overlay over files that are linked into its directory and never
 * written (the image's disk, and between them the template's for a warm start).
 */
import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { giveTo, linkInto } from "./instance.ts";
import { qemuImage, type Qemu } from "./qemu.ts";
import type { Site } from "./site.ts";

export interface ImageFiles {
  readonly kernelPath: string;
  readonly initrdPath: string;
  readonly baseDiskPath: string;
}

export interface Disks {
  readonly site: Site;
  readonly qemu: Qemu;
}

/** Links the image's files into the directory. */
export async function linkImage(path: string, files: ImageFiles): Promise<void> {
  for (const [source, name] of [
    [files.baseDiskPath, "base.qcow2"],
    [files.kernelPath, "kernel"],
    [files.initrdPath, "initrd"],
  ] as const) {
    await linkInto(source, join(path, name));
    await chmod(join(path, name), 0o444);
  }
}

export async function makeDisk(
  { site, qemu }: Disks,
  path: string,
  disk: { readonly backing: string; readonly bytes: number; readonly uid: number | null },
): Promise<void> {
  const file = join(path, "disk.qcow2");
  await writeFile(file, "", { mode: 0o600 });
  await giveTo(file, disk.uid, site.gid);
  const overlay = ["-b", disk.backing, "-F", "qcow2", "disk.qcow2", String(disk.bytes)];
  const place = { directory: path, uid: disk.uid, gid: site.gid };
  await qemuImage(qemu, place, ["create", "-q", "-f", "qcow2", ...overlay]);
}

/** Grows the disk of a machine that does not run. */
export async function growDisk(
  { site, qemu }: Disks,
  path: string,
  disk: { readonly bytes: number; readonly uid: number | null },
): Promise<void> {
  const place = { directory: path, uid: disk.uid, gid: site.gid };
  await qemuImage(qemu, place, ["resize", "-q", "-f", "qcow2", "disk.qcow2", String(disk.bytes)]);
}
