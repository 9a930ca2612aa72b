/**
 * How much of the host a machine's QEMU may take: as much CPU as it has CPUs, and a little for
 * QEMU itself, by a cgroup (version 2 or 1) where we may make one. What must stay true there:
 *
 * - Where CPU is short, machines share what is theirs by their CPUs.
 * - All machines together weigh little beside everything else on the host, so that the control plane
 *   and the database, which need little, get it at once; and they keep a part of every CPU whatever
 *   else runs, so that nobody's work can stop them.
 *
 * Where no cgroup may be made, each machine gets a low priority instead; `Limits` says which it is.
 */
import { existsSync } from "node:fs";
import { mkdir, readdir, rmdir, writeFile } from "node:fs/promises";
import { cpus, getPriority, setPriority } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";

import { errorCode } from "./files.ts";
import type { Site } from "./site.ts";

export type Limits =
  | { readonly kind: "cgroup"; readonly version: 1 | 2; readonly folder: string }
  | { readonly kind: "priority"; readonly because: string };

const periodUs = 100_000;
/** Disk, network and display work of QEMU beside its CPUs. */
const overheadCpus = 0.5;
/**
 * What all machines together weigh on each CPU beside an ordinary group of processes, which weighs
 * one: a ninth of a CPU is theirs when somebody else wants all of it. Measured on two CPUs with two
 * guests that never rest: work of 5 ms took 9.0 ms at 1/2 (a group's ordinary weight, spread over
 * two CPUs), 5.1 ms at 1/4 and below; one in a hundred began 3 ms late at 1/4, 0.1 to 2.8 ms at 1/8.
 * At the least weight there is, or as an idle group, another busy program stopped the guests
 * altogether.
 */
const machinesWeight = 1 / 8;
/** The building of images; a quarter of what all machines weigh. */
const buildsWeight = 1 / 32;
const leastPriority = 19;

/** What the files of both versions call one; their least and most. */
const scales = {
  1: { file: "cpu.shares", one: 1024, min: 2, max: 262_144 },
  2: { file: "cpu.weight", one: 100, min: 1, max: 10_000 },
} as const;

export async function openLimits(site: Site): Promise<Limits> {
  const group = await makeGroup(`millrace-${site.salt.slice(0, 12)}`, {
    weight: machinesWeight,
    hasGroups: true,
  });
  return group === undefined
    ? { kind: "priority", because: "no cgroup with a CPU controller may be made here" }
    : { kind: "cgroup", ...group };
}

/** Has a program that nobody waits for, and what it starts, use what others leave of the CPUs. */
export async function toBackground(pid: number): Promise<void> {
  const group = await makeGroup("millrace-builds", { weight: buildsWeight, hasGroups: false });
  try {
    if (group !== undefined) return await writeFile(join(group.folder, "cgroup.procs"), `${pid}`);
  } catch {
    // The group may be removed by another installation at this moment.
  }
  setPriority(pid, leastPriority);
}

/** Beside the other groups and programs of this host; `undefined` where none may be made. */
async function makeGroup(
  name: string,
  { weight, hasGroups }: { readonly weight: number; readonly hasGroups: boolean },
): Promise<{ readonly version: 1 | 2; readonly folder: string } | undefined> {
  for (const { version, root } of [
    { version: 2, root: "/sys/fs/cgroup" },
    { version: 1, root: "/sys/fs/cgroup/cpu" },
  ] as const) {
    const marker = version === 2 ? "cgroup.controllers" : "cpu.cfs_quota_us";
    if (!existsSync(join(root, marker))) continue;
    const folder = join(root, name);
    try {
      await mkdir(folder, { recursive: true });
      const parents = hasGroups ? [root, folder] : [root];
      for (const parent of version === 2 ? parents : []) {
        // oxlint-disable-next-line no-await-in-loop -- the inner one needs the outer one
        await writeFile(join(parent, "cgroup.subtree_control"), "+cpu");
      }
      // A group's weight is spread over the CPUs that it uses: all of them when it matters, because
      // otherwise there is a free one for whoever else wants it.
      await weigh(folder, version, weight * cpus().length);
      return { version, folder };
    } catch {
      await rmdir(folder).catch(() => {});
    }
  }
  return undefined;
}

/** Bounds a process to this many CPUs. */
export async function limitCpu(
  limits: Limits,
  machineId: string,
  what: { readonly pid: number; readonly vcpus: number },
): Promise<void> {
  if (limits.kind === "priority") return lowerPriority(what.pid);
  const folder = join(limits.folder, machineId);
  const quota = Math.round((what.vcpus + overheadCpus) * periodUs);
  await mkdir(folder, { recursive: true });
  if (limits.version === 2) await writeFile(join(folder, "cpu.max"), `${quota} ${periodUs}`);
  else {
    await writeFile(join(folder, "cpu.cfs_period_us"), String(periodUs));
    await writeFile(join(folder, "cpu.cfs_quota_us"), String(quota));
  }
  await weigh(folder, limits.version, what.vcpus);
  await writeFile(join(folder, "cgroup.procs"), String(what.pid));
}

/** `weight` beside an ordinary group's, which is one. */
async function weigh(folder: string, version: 1 | 2, weight: number): Promise<void> {
  const { file, one, min, max } = scales[version];
  const value = Math.min(max, Math.max(min, Math.round(weight * one)));
  await writeFile(join(folder, file), String(value));
}

/** Nine steps of niceness are a factor of 7.5. */
const niceness = 9;
const triesMax = 20;
const betweenTriesMs = 50;

/**
 * A machine is a session of its own, and where the kernel groups processes by session
 * (`sched_autogroup_enabled`), niceness only counts within one: the group has its own.
 */
async function lowerPriority(pid: number): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      await writeFile(`/proc/${pid}/autogroup`, String(niceness));
      break;
    } catch (error) {
      // The kernel takes one such change in 100 ms of those who are not root.
      if (errorCode(error) !== "EAGAIN" || tries === triesMax) break;
      await wait(betweenTriesMs);
    }
  }
  // Counts where processes are not grouped, and within the session is the same for all.
  for (const entry of await readdir(`/proc/${pid}/task`)) {
    const thread = Number(entry);
    try {
      if (getPriority(thread) < niceness) setPriority(thread, niceness);
    } catch {
      // It ended while we looked.
    }
  }
}

/** The group of a machine whose processes are gone. */
export async function dropLimits(limits: Limits, machineId: string): Promise<void> {
  if (limits.kind === "cgroup") await rmdir(join(limits.folder, machineId)).catch(() => {});
}

/** The site's own group, if no machine is left in it. */
export async function closeLimits(limits: Limits): Promise<void> {
  if (limits.kind === "cgroup") await rmdir(limits.folder).catch(() => {});
}
