/** What placement counts of a machine on a node is never less than its pod asks for, and hardly more. */
import fc from "fast-check";
import { expect, test } from "vitest";

import { takenBy } from "#kernel/machine-cost.ts";
import { mebibyte } from "#kernel/shape.ts";
import { compileMachine } from "#providers/kubevirt/compile/machine.ts";
import { a100, testAsk } from "#providers/kubevirt/compile/test-ask.ts";
import { aShape, gpus } from "#test/place-states.ts";

import { machineCosts } from "./machine-costs.ts";
import { policyOf } from "./policy.ts";
import { clusterSettings } from "./settings.ts";

const anyClass = fc.record({
  overcommitPercent: fc.integer({ min: 100, max: 150 }),
  hugePages: fc.constantFrom("none", "2Mi", "1Gi"),
  isolateEmulator: fc.boolean(),
  ioThreads: fc.oneof(fc.constant("auto"), fc.record({ pool: fc.integer({ min: 1, max: 4 }) })),
});

const anyMachine = fc.record({
  classes: fc.record({ core: anyClass, standard: anyClass }),
  overheadPercent: fc.integer({ min: 100, max: 300 }),
  serviceClass: fc.constantFrom("core" as const, "standard" as const),
  sockets: fc.integer({ min: 1, max: 32 }),
  threads: fc.constantFrom(1, 2),
  memoryGiB: fc.integer({ min: 1, max: 512 }),
  gpuCount: fc.integer({ min: 0, max: 4 }),
  sold: fc.integer({ min: 100, max: 150 }),
  pages: fc.constantFrom("none" as const, "2Mi" as const, "1Gi" as const),
});

test("R-CORE-02: what is counted of a machine on a node is never less than its pod asks for, and less than 2 MiB more", () => {
  let compared = 0;
  fc.assert(
    fc.property(anyMachine, (machine) => {
      const { serviceClass, sockets, threads, memoryGiB, gpuCount, overheadPercent } = machine;
      const { pages: hugePages } = machine;
      const settings = clusterSettings.parse({ site: "dc-1", classes: machine.classes });
      const assigned = Array.from({ length: gpuCount }, (_, place) => ({
        deviceId: `${a100}/${place}`,
        model: "A100",
        slice: 1,
        resource: a100,
      }));
      const plain = testAsk();
      const spec = {
        ...plain.spec,
        serviceClass,
        cpu: { sockets, cores: 1, threads },
        memoryBytes: memoryGiB * 1024 * mebibyte,
        gpus: assigned,
        ...(hugePages === "none" ? {} : { wants: { hugePages } }),
      };
      const rules = { ...plain.site.rules, overheadPercent };
      const site = { ...plain.site, rules };
      const compiled = compileMachine({ ...plain, spec, site, policy: policyOf(settings, spec) });
      if ("refusals" in compiled) return;
      compared += 1;
      const shape = aShape({
        vcpus: sockets * threads,
        memoryMiB: memoryGiB * 1024,
        gpu: gpuCount === 0 ? null : gpus("A100", { count: gpuCount }),
        serviceClass,
        overcommitPercent: serviceClass === "core" ? 100 : machine.sold,
        hugePages,
      });
      const taken = takenBy(shape, machineCosts(settings, overheadPercent));
      const { requests } = compiled.size.total;
      const memory = Number(requests.get("memory"));
      expect(taken.memoryMiB * mebibyte).toBeGreaterThanOrEqual(memory);
      expect(taken.memoryMiB * mebibyte - memory).toBeLessThan(2 * mebibyte);
      expect(taken.milliCpus).toBeGreaterThanOrEqual(Number(requests.get("cpu")));
      const pages = taken.hugePages === "none" ? 0n : requests.get(`hugepages-${taken.hugePages}`);
      expect(BigInt(taken.hugePagesMiB * mebibyte)).toBe(pages);
    }),
    { numRuns: 500 },
  );
  expect(compared).toBeGreaterThan(150);
});

test("R-CPU-09: a flavor that is sold more often than its class allows is counted as the cluster keeps it", () => {
  const settings = clusterSettings.parse({
    site: "dc-1",
    classes: { standard: { overcommitPercent: 120 } },
  });
  const costs = machineCosts(settings, 100);
  const shape = aShape({ vcpus: 4, memoryMiB: 8192, overcommitPercent: 150 });
  expect(takenBy(shape, costs)).toMatchObject({ milliCpus: 4 * 834 + 5, memoryMiB: 8192 + 326 });
  expect(takenBy(shape, null)).toMatchObject({ milliCpus: 2667, memoryMiB: 8192 });
});
