/**
 * How much of the host a machine's QEMU may take: as much CPU as it has CPUs, and a little for
 * QEMU itself, by a cgroup (version 2 or 1) where we may make one. Where we may not, its low
 * priority (launch.ts) at least keeps the control plane quick; `Limits` says which it is.
 */
import { existsSync } from "node:fs";
import { mkdir, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

import type { Site } from "./site.ts";

export type Limits =
  | { readonly kind: "cgroup"; readonly version: 1 | 2; readonly folder: string }
  | { readonly kind: "priority"; readonly because: string };

const periodUs = 100_000;
/** Disk, network and display work of QEMU beside its CPUs. */
const overheadCpus = 0.5;

export async function openLimits(site: Site): Promise<Limits> {
  const name = `millrace-${site.salt.slice(0, 12)}`;
  for (const { version, root } of [
    { version: 2, root: "/sys/fs/cgroup" },
    { version: 1, root: "/sys/fs/cgroup/cpu" },
  ] as const) {
    const marker = version === 2 ? "cgroup.controllers" : "cpu.cfs_quota_us";
    if (!existsSync(join(root, marker))) continue;
    const folder = join(root, name);
    try {
      await mkdir(folder, { recursive: true });
      if (version === 2) await writeFile(join(root, "cgroup.subtree_control"), "+cpu");
      if (version === 2) await writeFile(join(folder, "cgroup.subtree_control"), "+cpu");
      return { kind: "cgroup", version, folder };
    } catch {
      await rmdir(folder).catch(() => {});
    }
  }
  return { kind: "priority", because: "no cgroup with a CPU controller may be made here" };
}

/** Bounds a process to this many CPUs. */
export async function limitCpu(
  limits: Limits,
  machineId: string,
  what: { readonly pid: number; readonly vcpus: number },
): Promise<void> {
  if (limits.kind === "priority") return;
  const folder = join(limits.folder, machineId);
  const quota = Math.round((what.vcpus + overheadCpus) * periodUs);
  await mkdir(folder, { recursive: true });
  if (limits.version === 2) await writeFile(join(folder, "cpu.max"), `${quota} ${periodUs}`);
  else {
    await writeFile(join(folder, "cpu.cfs_period_us"), String(periodUs));
    await writeFile(join(folder, "cpu.cfs_quota_us"), String(quota));
  }
  await writeFile(join(folder, "cgroup.procs"), String(what.pid));
}

/** The group of a machine whose processes are gone. */
export async function dropLimits(limits: Limits, machineId: string): Promise<void> {
  if (limits.kind === "cgroup") await rmdir(join(limits.folder, machineId)).catch(() => {});
}

/** The site's own group, if no machine is left in it. */
export async function closeLimits(limits: Limits): Promise<void> {
  if (limits.kind === "cgroup") await rmdir(limits.folder).catch(() => {});
}
