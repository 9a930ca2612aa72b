/**
 * The flavors of a new installation. The small ones suit real machines under emulation; the two
 * profiles are those of the requirements (R-PROF-03, R-PROF-09); the GPU ones show up as offers
 * once a site has such devices.
 */
import type { z } from "zod";

import type { createFlavorBody } from "#contract/schemas/catalog.ts";

export type FlavorPreset = z.input<typeof createFlavorBody>;

export const flavorPresets: readonly FlavorPreset[] = [
  cpuFlavor("nano", 1, 256, 1, "For a first try"),
  cpuFlavor("micro", 1, 512, 2, "Small services"),
  cpuFlavor("small", 1, 1024, 5, "Development"),
  cpuFlavor("medium", 2, 2048, 10, "Development, tests"),
  cpuFlavor("large", 4, 8192, 40, "Production services"),
  gpuFlavor("t4.1", "T4", 4, 16, 100),
  gpuFlavor("a10.1", "A10", 8, 32, 200),
  { ...gpuFlavor("a100.1", "A100", 8, 64, 500), subscriptionSku: "vm.a100x1" },
  gpuFlavor("h100.1", "H100", 16, 128, 500),
  {
    ...gpuFlavor("t4.quarter", "T4", 2, 4, 50),
    gpu: { model: "T4", count: 1, slice: 4 },
    // What shares a device is not core (R-GPU-07).
    serviceClass: "standard",
    description: "A quarter of a T4, for light inference and tests",
  },
  {
    ...gpuFlavor("a100.2", "A100", 16, 128, 1000),
    gpu: { model: "A100", count: 2 },
    nvlink: true,
    description: "Two A100 with NVLink",
    subscriptionSku: "vm.a100x2",
  },
  {
    name: "ai-training",
    description: "AI training: 16 vCPUs (8 cores x 2 threads), 128 GiB in 2Mi pages, two A100",
    vcpus: 16,
    cpu: { sockets: 1, cores: 8, threads: 2 },
    cpuModel: "host-passthrough",
    memoryMiB: 128 * 1024,
    diskGiB: 1000,
    gpu: { model: "A100", count: 2 },
    nvlink: true,
    serviceClass: "core",
    hugePages: "2Mi",
    placement: { hostLabels: {}, antiAffinity: true, tolerations: ["gpu"] },
  },
  {
    name: "database",
    description: "Database: 4 cores without hyper-threading, 64 GiB in 1Gi pages, log disk apart",
    vcpus: 4,
    cpu: { sockets: 1, cores: 4, threads: 1 },
    cpuModel: "host-model",
    memoryMiB: 64 * 1024,
    diskGiB: 200,
    serviceClass: "core",
    hugePages: "1Gi",
    nicQueues: 4,
    extraDisks: [
      { name: "data", sizeGiB: 500 },
      { name: "log", sizeGiB: 100 },
    ],
    placement: {
      hostLabels: { workload: "database" },
      antiAffinity: true,
      tolerations: ["database"],
    },
  },
];

function cpuFlavor(
  name: string,
  vcpus: number,
  memoryMiB: number,
  diskGiB: number,
  description: string,
): FlavorPreset {
  return {
    name,
    description,
    vcpus,
    cpu: { sockets: 1, cores: vcpus, threads: 1 },
    memoryMiB,
    diskGiB,
  };
}

function gpuFlavor(
  name: string,
  model: string,
  vcpus: number,
  memoryGiB: number,
  diskGiB: number,
): FlavorPreset {
  return {
    ...cpuFlavor(name, vcpus, memoryGiB * 1024, diskGiB, `One whole ${model}`),
    gpu: { model, count: 1 },
    serviceClass: "core",
    // Hosts with GPUs may be kept free of other work by the label `taint/gpu`.
    placement: { hostLabels: {}, antiAffinity: false, tolerations: ["gpu"] },
  };
}
