/** This machine as the one host of the site. */
import { readFile, stat, statfs } from "node:fs/promises";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import type { Host } from "#providers/provider.ts";

import type { Driver } from "./driver.ts";
import { instancePath, listInstances } from "./instance.ts";
import { numaNodes } from "./numa.ts";
import type { Site } from "./site.ts";

export async function describeHost({ site, offered }: Driver, execution: string): Promise<Host> {
  return {
    id: site.hostId,
    state: "up",
    cpus: offered.cpus,
    memoryBytes: offered.memoryBytes,
    diskBytes: await diskFor(site),
    hugePages: hugePages(),
    numa: numaNodes(offered),
    gpus: [],
    labels: { execution, cpu: await cpuName() },
    ...(await cpuPressure()),
  };
}

/** What the kernel tells of tasks that waited for a CPU; not every kernel does. */
async function cpuPressure(): Promise<Pick<Host, "cpuPressurePercent">> {
  const text = await readFile("/proc/pressure/cpu", "utf8").catch(() => "");
  const share = /^some .*\bavg60=([0-9.]+)/m.exec(text)?.[1];
  return share === undefined ? {} : { cpuPressurePercent: Number(share) };
}

/** Told in steps, so that not every log line on this disk is news for placement. */
const diskStepBytes = 256 * 1024 ** 2;

/** What machines may have: what is free, and what they have already. */
async function diskFor(site: Site): Promise<number> {
  const disk = await statfs(site.root);
  let used = 0;
  for (const id of await listInstances(site)) {
    const file = await stat(join(instancePath(site, id), "disk.qcow2")).catch(() => undefined);
    used += (file?.blocks ?? 0) * 512;
  }
  const bytes = disk.bavail * disk.bsize + used;
  return bytes - (bytes % diskStepBytes);
}

/** Pages set aside, by size. */
function hugePages(): Host["hugePages"] {
  const folder = "/sys/kernel/mm/hugepages";
  const count = (size: string): number => {
    try {
      return Number(readFileSync(join(folder, size, "nr_hugepages"), "utf8"));
    } catch {
      return 0;
    }
  };
  try {
    readdirSync(folder);
  } catch {
    return {};
  }
  const small = count("hugepages-2048kB");
  const large = count("hugepages-1048576kB");
  return { ...(small > 0 ? { "2Mi": small } : {}), ...(large > 0 ? { "1Gi": large } : {}) };
}

async function cpuName(): Promise<string> {
  const text = await readFile("/proc/cpuinfo", "utf8");
  return /^model name\s*:\s*(.+)$/m.exec(text)?.[1]?.trim() ?? "unknown";
}
