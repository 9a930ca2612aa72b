/** Random hosts, asks and steps of a small cloud: what is usual comes often, so that hosts fill up. */
import fc from "fast-check";

import type { PlaceAsk } from "#flow/place/ask.ts";
import type { HostState } from "#flow/place/host-state.ts";

import { aDevice, aHost, aPool, aShape, gpus } from "./place-states.ts";

const gib = 2 ** 30;

/** The first three times out of four: what is usual meets, so that hosts fill up. */
function often<T>(usual: T, ...others: readonly T[]): fc.Arbitrary<T> {
  return fc.oneof(
    { weight: 3, arbitrary: fc.constant(usual) },
    { weight: 1, arbitrary: fc.constantFrom(...others) },
  );
}

const pool = often<HostState["pool"]>(
  null,
  aPool({ id: "open", name: "open" }),
  aPool({ id: "core", name: "core", serviceClass: "core", reservePercent: 20 }),
  aPool({ id: "mine", name: "mine", tenantIds: ["ann"], slicesMax: 2 }),
  aPool({ id: "edge", name: "edge", policy: "edge", spread: true }),
  aPool({ id: "whole", name: "whole", policy: "exclusive", slicesMax: 1, reservePercent: 30 }),
);
/** Of a platform that runs each machine in something of its own. */
const plain = {
  memoryBytes: 300_000_000,
  memoryBytesPerVcpu: 8 * 2 ** 20,
  gpuMemoryBytes: gib,
  milliCpus: 5,
  milliCpusPerVcpu: 0,
};
const device = fc.record({
  model: often("T4", "A100"),
  mode: often("vgpu" as const, "whole" as const),
  isolation: fc.constantFrom("hard" as const, "soft" as const),
  slicesMax: often(8, 2),
  healthy: often(true, false),
  numaNode: fc.constantFrom(0, 1, null),
  nvlinkGroup: fc.constantFrom("a", "b", null),
});
export const someHost = fc.record({
  pool,
  up: often(true, false),
  schedulable: often(true, false),
  cpus: fc.constantFrom(4, 8, 32),
  memoryGiB: often(64, 8),
  nodes: fc.constantFrom(0, 1, 2),
  pages: fc.constantFrom(0, 4096),
  machineCosts: often<HostState["machineCosts"]>(
    null,
    { core: { ...plain, hugePages: "2Mi" }, standard: plain },
    { core: plain, standard: { ...plain, milliCpusPerVcpu: 800 } },
  ),
  labels: often<HostState["labels"]>(
    {},
    { disk: "nvme" },
    { disk: "ssd", "taint/database": "yes" },
  ),
  devices: fc.oneof(
    { weight: 5, arbitrary: fc.array(device, { minLength: 1, maxLength: 4 }) },
    { weight: 1, arbitrary: fc.array(device, { maxLength: 20 }) },
  ),
});
export const someAsk = fc.record({
  tenantId: fc.constantFrom("ann", "bob"),
  vcpus: often(1, 2, 3, 8),
  memoryMiB: often(512, 4096, 9000),
  core: often(false, true),
  gpu: fc.constantFrom(
    null,
    gpus("T4"),
    gpus("T4", { slice: 2 }),
    gpus("T4", { slice: 2 }),
    gpus("T4", { slice: 3 }),
    gpus("T4", { slice: 4, count: 2 }),
    gpus("A100", { count: 2 }),
    gpus("T4", { count: 2, nvlink: true }),
    gpus("H100"),
  ),
  pool: often<string | null>(null, "core", "mine", "edge", "none"),
  hugePages: often("none" as const, "2Mi" as const),
  hostLabels: often<HostState["labels"]>({}, { disk: "nvme" }),
  tolerations: fc.constantFrom([], ["database"]),
  antiAffinity: often(false, true),
  numa: often(false, true),
  afterFault: often(false, true),
  not: often<readonly string[] | undefined>(undefined, ["h0"], ["h1", "h2"]),
});
export type HostChoice = typeof someHost extends fc.Arbitrary<infer T> ? T : never;
export type AskChoice = typeof someAsk extends fc.Arbitrary<infer T> ? T : never;

export const someStep = fc.oneof(
  { weight: 10, arbitrary: fc.record({ do: fc.constant("place" as const), which: fc.nat() }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("gang" as const),
      which: fc.nat(),
      size: fc.integer({ min: 1, max: 5 }),
      how: fc.constantFrom("spread" as const, "pack" as const),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("end" as const), which: fc.nat() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("again" as const), which: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("lose" as const), which: fc.nat() }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("change" as const), which: fc.nat(), host: someHost }),
  },
  { weight: 1, arbitrary: fc.constant({ do: "look" as const }) },
);
export type Step = typeof someStep extends fc.Arbitrary<infer T> ? T : never;

export function hostOf(choice: HostChoice, id: string): HostState {
  const { cpus, memoryGiB, nodes, pages, devices, ...rest } = choice;
  return aHost({
    id,
    ...rest,
    milliCpus: cpus * 1000,
    memoryBytes: memoryGiB * gib,
    diskBytes: 200 * gib,
    hugePagesMiB: { "2Mi": pages, "1Gi": 0 },
    numaNodes: Array.from({ length: nodes }, () => ({
      milliCpus: (cpus * 1000) / nodes,
      memoryBytes: (memoryGiB * gib) / nodes,
      milliCpusUsed: 0,
      memoryBytesUsed: 0,
    })),
    devices: devices.map((each, i) => aDevice({ id: `g${i}`, ...each })),
  });
}

export function askOf(choice: AskChoice): PlaceAsk {
  const { tenantId, core, afterFault, not, ...shape } = choice;
  return {
    tenantId,
    shape: aShape({
      ...shape,
      serviceClass: core ? "core" : "standard",
      overcommitPercent: core ? 100 : 150,
    }),
    afterFault,
    ...(not === undefined ? {} : { not }),
  };
}
