/**
 * What a flavor must satisfy before it can be offered. Pure; each broken rule is named with its
 * requirement id and its numbers, so that the operator sees all of them at once.
 */
import type { Flavor } from "#contract/schemas/catalog.ts";
import type { Reason } from "#kernel/reason.ts";

export type FlavorFields = Omit<Flavor, "id" | "name" | "description" | "state" | "createdAt">;

const overcommitPercentMax = 150;
const mebibytesOfPage = { "2Mi": 2, "1Gi": 1024 } as const;

export function brokenFlavorRules(flavor: FlavorFields): Reason[] {
  return [
    ...topologyRules(flavor),
    ...overcommitRules(flavor),
    ...memoryRules(flavor),
    ...gpuRules(flavor),
    ...deviceRules(flavor),
  ];
}

function topologyRules({ vcpus, cpu }: FlavorFields): Reason[] {
  const product = cpu.sockets * cpu.cores * cpu.threads;
  if (product === vcpus) return [];
  return [
    broken(
      "R-CPU-05",
      `cores x threads x sockets must be the number of vCPUs: ${cpu.cores} x ${cpu.threads} x ${cpu.sockets} = ${product}, not ${vcpus}`,
      { ...cpu, product, vcpus },
    ),
  ];
}

function overcommitRules({ overcommitPercent, serviceClass }: FlavorFields): Reason[] {
  const found: Reason[] = [];
  if (overcommitPercent > overcommitPercentMax) {
    found.push(
      broken(
        "R-CPU-09",
        `CPU overcommit is at most 1:1.5 (${overcommitPercentMax} %), asked for ${overcommitPercent} %`,
        { overcommitPercent, overcommitPercentMax },
      ),
    );
  }
  if (serviceClass === "core" && overcommitPercent !== 100) {
    found.push(
      broken("R-CPU-10", `class core is never overcommitted, asked for ${overcommitPercent} %`, {
        overcommitPercent,
      }),
    );
  }
  return found;
}

function memoryRules(flavor: FlavorFields): Reason[] {
  const { serviceClass, memoryMiB, memoryRequestMiB = memoryMiB, hugePages } = flavor;
  const found: Reason[] = [];
  if (memoryRequestMiB > memoryMiB) {
    found.push(
      broken(
        "R-MEM-01",
        `guaranteed memory (${memoryRequestMiB} MiB) is above the cap (${memoryMiB} MiB)`,
        { memoryRequestMiB, memoryMiB },
      ),
    );
  }
  if (serviceClass === "core" && memoryRequestMiB !== memoryMiB) {
    found.push(
      broken(
        "R-MEM-05",
        `class core guarantees all of its memory: ${memoryRequestMiB} MiB of ${memoryMiB} MiB`,
        { memoryRequestMiB, memoryMiB },
      ),
    );
  }
  if (serviceClass === "core" && flavor.pageSharing) {
    found.push(broken("R-MEM-02", "class core shares no pages (KSM is off)", {}));
  }
  if (flavor.balloon && serviceClass === "core") {
    found.push(broken("R-MEM-03", "class core has no memory balloon", {}));
  }
  if (memoryRequestMiB < memoryMiB && !flavor.balloon) {
    found.push(
      broken("R-MEM-06", "a gap between guaranteed and capped memory needs the balloon", {
        memoryRequestMiB,
        memoryMiB,
      }),
    );
  }
  if (hugePages !== "none") {
    const page = mebibytesOfPage[hugePages];
    if (memoryMiB % page !== 0) {
      found.push(
        broken("R-MEM-07", `${memoryMiB} MiB are not a multiple of the ${hugePages} page`, {
          memoryMiB,
          hugePages,
        }),
      );
    }
    if (flavor.balloon || flavor.pageSharing) {
      found.push(broken("R-MEM-07", "huge pages exclude the balloon and page sharing", {}));
    }
  }
  return found;
}

function gpuRules({ gpu, nvlink }: FlavorFields): Reason[] {
  const found: Reason[] = [];
  if (gpu !== null && gpu.slice > 1 && gpu.count !== 1) {
    found.push(
      broken("R-GPU-02", `a slice is of one device: 1/${gpu.slice} with count ${gpu.count}`, {
        ...gpu,
      }),
    );
  }
  if (nvlink && (gpu === null || gpu.slice > 1 || gpu.count < 2)) {
    found.push(broken("R-GPU-11", "NVLink needs at least two whole GPUs", {}));
  }
  return found;
}

/** The guest sees it as the disk's serial number, and every platform as the name of a device. */
const diskName = /^[a-z](?:[a-z0-9-]{0,13}[a-z0-9])?$/u;
/** Of the machine's first disk and of cloud-init's. */
const takenNames: ReadonlySet<string> = new Set(["root", "init"]);

function deviceRules({ nicQueues, vcpus, extraDisks }: FlavorFields): Reason[] {
  const found: Reason[] = [];
  if (nicQueues > vcpus) {
    found.push(
      broken("R-PROF-10", `${nicQueues} NIC queues for ${vcpus} vCPUs: one per vCPU at most`, {
        nicQueues,
        vcpus,
      }),
    );
  }
  const names = extraDisks.map((disk) => disk.name);
  if (new Set(names).size !== names.length) {
    found.push(broken("R-PROF-10", "two extra disks have the same name", { names }));
  }
  const unusable = names.filter((name) => !diskName.test(name) || takenNames.has(name));
  if (unusable.length > 0) {
    found.push(
      broken(
        "R-PROF-10",
        `an extra disk cannot be called ${unusable.join(", ")}: a name has up to 15 letters, digits and dashes, and is not root or init`,
        { names: unusable },
      ),
    );
  }
  return found;
}

function broken(code: string, message: string, details: Record<string, unknown>): Reason {
  return { code, message, details };
}
