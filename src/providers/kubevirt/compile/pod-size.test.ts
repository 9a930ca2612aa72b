import { z } from "zod";
import { describe, expect, test } from "vitest";

import type { Domain } from "#providers/kubevirt/objects/machine.ts";
import { factsHere, factsNote, readFacts } from "#test/kube/facts.ts";

import { addedNodeLabels, withDefaults } from "./defaults.ts";
import { podSize, printSizes } from "./pod-size.ts";
import { printBytes } from "./quantity.ts";

const rules = { cpuAllocationRatio: 1, overheadPercent: 100, quotaOnLimits: false };

function sized(domain: Omit<Domain, "devices"> & Partial<Domain>, more: object = {}) {
  return podSize({ spec: { domain: { devices: {}, ...domain } } }, { ...rules, ...more });
}

const seen = z.array(
  z.object({
    shape: z.string(),
    domain: z.record(z.string(), z.unknown()),
    vmiPhase: z.string(),
    overhead: z.string().optional(),
    maxGuest: z.string().optional(),
    cpu: z.record(z.string(), z.unknown()),
    qos: z.string().optional(),
    compute: z
      .object({
        limits: z.record(z.string(), z.string()),
        requests: z.record(z.string(), z.string()),
      })
      .optional(),
    nodeSelector: z.record(z.string(), z.string()).optional(),
  }),
);

const amounts = z.record(z.string(), z.string());
/** The domains of the verdicts: whatever they say is asked of KubeVirt as it stands there. */
const domains = z.looseObject({
  cpu: z
    .object({
      sockets: z.number(),
      cores: z.number(),
      threads: z.number(),
      model: z.string(),
      dedicatedCpuPlacement: z.boolean(),
      isolateEmulatorThread: z.boolean(),
      numa: z.object({ guestMappingPassthrough: z.record(z.string(), z.never()) }),
    })
    .partial(),
  memory: z.object({ guest: z.string(), hugepages: z.object({ pageSize: z.string() }) }).partial(),
  resources: z
    .object({ requests: amounts, limits: amounts, overcommitGuestOverhead: z.boolean() })
    .partial(),
  ioThreadsPolicy: z.string(),
  ioThreads: z.object({ supplementalPoolThreadCount: z.number() }),
  devices: z
    .object({
      gpus: z.array(z.object({ name: z.string(), deviceName: z.string() })),
      autoattachGraphicsDevice: z.boolean(),
      tpm: z.object({}),
    })
    .partial(),
});

/** `devices.gpus` of the verdicts is a path. */
function unfolded(domain: Readonly<Record<string, unknown>>): Domain {
  const { devices: _, ...plain }: Record<string, unknown> = { ...domain };
  const devices: Record<string, unknown> = {};
  for (const key of Object.keys(plain)) {
    if (!key.startsWith("devices.")) continue;
    devices[key.slice("devices.".length)] = plain[key];
    Reflect.deleteProperty(plain, key);
  }
  const { devices: parsed, ...rest } = domains.partial().parse({ ...plain, devices });
  return JSON.parse(JSON.stringify({ ...rest, devices: parsed ?? {} }));
}

describe.skipIf(!factsHere)(`pods that a real controller rendered${factsNote}`, () => {
  const runs = [
    { file: "pods.json", quotaOnLimits: false, rendered: 31 },
    { file: "pods-under-quota.json", quotaOnLimits: true, rendered: 26 },
  ];
  for (const { file, quotaOnLimits, rendered } of factsHere ? runs : []) {
    const pods = seen.parse(readFacts("verdicts", file));

    test(`R-CORE-02, R-CORE-06, R-CPU-01: the requests and limits of every pod of ${file}, to the unit`, () => {
      let compared = 0;
      for (const { shape, domain, compute, qos, overhead } of pods) {
        const size = podSize({ spec: { domain: unfolded(domain) } }, { ...rules, quotaOnLimits });
        if (compute === undefined) continue;
        compared += 1;
        expect({ shape, ...compute }).toEqual({
          shape,
          requests: printSizes(size.requests),
          limits: printSizes(size.limits),
        });
        expect({ shape, qos, overhead }).toEqual({
          shape,
          qos: size.qos,
          overhead: printBytes(size.overheadBytes),
        });
      }
      expect({ shapes: pods.length, compared }).toEqual({ shapes: 32, compared: rendered });
    });

    test(`what KubeVirt adds to every machine of ${file}`, () => {
      for (const { shape, domain, cpu, maxGuest, nodeSelector } of pods) {
        const read = unfolded(domain);
        const given = withDefaults(read);
        expect({ shape, cpu: given.cpu, maxGuest: given.maxGuest }).toEqual({
          shape,
          cpu,
          maxGuest,
        });
        const labels = addedNodeLabels(read);
        expect({ shape, labels }).toEqual({ shape, labels: nodeSelector ?? labels });
      }
    });
  }
});

test("R-MEM-01: a pod asks for its guest's memory and what is needed besides", () => {
  const size = sized({ cpu: { sockets: 1 }, memory: { guest: "1Gi" } });
  expect(printSizes(size.requests)).toMatchObject({ cpu: "1", memory: "1292Mi" });
  expect(size.limits.has("memory")).toBe(false);
});

test("R-MEM-05: dedicated CPUs make requests equal limits", () => {
  const size = sized({
    cpu: { sockets: 4, dedicatedCpuPlacement: true },
    memory: { guest: "8Gi" },
  });
  expect(printSizes(size.limits)).toMatchObject({ cpu: "4", memory: "8584Mi" });
  expect(size.qos).toBe("Guaranteed");
});

test("R-PROF-03: the AI machine holds its guest in huge pages and 1512 MiB besides", () => {
  const gpu = { deviceName: "nvidia.com/GA100_A100_SXM4_80GB" };
  const size = sized({
    cpu: { cores: 8, threads: 2, dedicatedCpuPlacement: true },
    memory: { guest: "128Gi", hugepages: { pageSize: "2Mi" } },
    devices: {
      gpus: [
        { name: "gpu-0", ...gpu },
        { name: "gpu-1", ...gpu },
      ],
    },
  });
  expect(printSizes(size.requests)).toMatchObject({
    cpu: "16",
    memory: "1512Mi",
    "hugepages-2Mi": "128Gi",
    "nvidia.com/GA100_A100_SXM4_80GB": "2",
  });
  expect(size.qos).toBe("Guaranteed");
});

test("the console's log is part of the pod: what a quota counted for 600 CPUs", () => {
  const size = sized({ cpu: { sockets: 600 }, memory: { guest: "4Gi" } }, { quotaOnLimits: true });
  expect(printSizes(size.total.requests)["cpu"]).toBe("600005m");
  expect(printSizes(size.total.limits)["cpu"]).toBe("600015m");
});

test("a cluster's own ratios change the size", () => {
  const domain = { cpu: { sockets: 4 }, memory: { guest: "8Gi" } };
  const size = sized(domain, { cpuAllocationRatio: 10, overheadPercent: 200 });
  expect(printSizes(size.requests)).toMatchObject({ cpu: "400m", memory: "8776Mi" });
});
