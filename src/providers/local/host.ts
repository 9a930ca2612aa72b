/** This machine as the one host of the site. */
import { readFile, statfs } from "node:fs/promises";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import type { Host } from "#providers/provider.ts";

import type { Driver } from "./driver.ts";

export async function describeHost({ site, offered }: Driver, execution: string): Promise<Host> {
  const disk = await statfs(site.root);
  return {
    id: site.hostId,
    state: "up",
    cpus: offered.cpus,
    memoryBytes: offered.memoryBytes,
    diskBytes: disk.bavail * disk.bsize,
    hugePages: hugePages(),
    gpus: [],
    labels: { execution, cpu: await cpuName() },
  };
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
