/**
 * The 92 verdicts of a real control plane: 46 variants of a machine, each as VirtualMachine and as
 * VirtualMachineInstance. The facts keep only what each variant is called and what was said to it, so
 * the specs here are written after their names; the sentences must be the webhooks' own.
 */
import { describe, expect, test } from "vitest";
import { z } from "zod";

import type { Devices, Domain, InstanceBody } from "#providers/kubevirt/objects/machine.ts";
import { factsHere, factsNote, readFacts } from "#test/kube/facts.ts";
import { readSchemas } from "#test/kube/schema.ts";

import { instanceVerdict, machineVerdict } from "./admission.ts";

const a100 = "nvidia.com/GA100_A100_SXM4_80GB";

interface Change extends Partial<Omit<InstanceBody, "domain">> {
  readonly domain?: Partial<Domain>;
  readonly devices?: Devices;
}

function machine({ domain, devices, ...rest }: Change = {}): InstanceBody {
  return {
    domain: {
      cpu: { cores: 2 },
      memory: { guest: "4Gi" },
      ...domain,
      devices: { disks: [{ name: "root", disk: { bus: "virtio" } }], ...devices },
    },
    volumes: [{ name: "root", containerDisk: { image: "example.test/disk" } }],
    ...rest,
  };
}

const dedicated = { cores: 2, threads: 2, dedicatedCpuPlacement: true };
const pages = (guest: string, pageSize: string) =>
  machine({ domain: { memory: { guest, hugepages: { pageSize } } } });
const gpus = (...given: NonNullable<Devices["gpus"]>) => machine({ devices: { gpus: given } });
const root = { name: "root", disk: { bus: "virtio" } };

/** What the webhooks decide about. */
const variants: Readonly<Record<string, InstanceBody>> = {
  baseline: machine(),
  "overcommit 1:1.5 via requests.cpu 2667m of 4 vCPU + guest": machine({
    domain: { cpu: { cores: 4 }, resources: { requests: { cpu: "2667m" } } },
  }),
  "cpu request > limit": machine({
    domain: { resources: { requests: { cpu: "4" }, limits: { cpu: "2" } } },
  }),
  "mem guest > limit (LiveUpdate)": machine({
    domain: { resources: { requests: { memory: "2Gi" }, limits: { memory: "2Gi" } } },
  }),
  "mem guest < request": machine({ domain: { resources: { requests: { memory: "8Gi" } } } }),
  "mem request > limit": machine({
    domain: { resources: { requests: { memory: "4Gi" }, limits: { memory: "2Gi" } } },
  }),
  "dedicated ok": machine({ domain: { cpu: dedicated } }),
  "dedicated, no topology, requests only cpu 2": machine({
    domain: {
      cpu: { dedicatedCpuPlacement: true },
      resources: { requests: { cpu: "2", memory: "4Gi" } },
    },
  }),
  "dedicated fractional cpu": machine({
    domain: {
      cpu: { dedicatedCpuPlacement: true },
      resources: {
        requests: { cpu: "1500m", memory: "4Gi" },
        limits: { cpu: "1500m", memory: "4Gi" },
      },
    },
  }),
  "dedicated topology 4 but limits.cpu 2": machine({
    domain: {
      cpu: { cores: 4, dedicatedCpuPlacement: true },
      resources: { limits: { cpu: "2" } },
    },
  }),
  "dedicated threads 4": machine({
    domain: { cpu: { cores: 1, threads: 4, dedicatedCpuPlacement: true } },
  }),
  "dedicated mem req!=lim": machine({
    domain: {
      cpu: dedicated,
      resources: { requests: { memory: "4Gi" }, limits: { memory: "8Gi" } },
    },
  }),
  "isolateEmulatorThread w/o dedicated": machine({
    domain: { cpu: { cores: 2, isolateEmulatorThread: true } },
  }),
  "numa passthrough w/o hugepages": machine({
    domain: { cpu: { ...dedicated, numa: { guestMappingPassthrough: {} } } },
  }),
  "hugepages 2Mi ok": pages("4Gi", "2Mi"),
  "hugepages 1Gi w/ 1536Mi": pages("1536Mi", "1Gi"),
  "hugepages 1Gi w/ 512Mi": pages("512Mi", "1Gi"),
  "hugepages bad size": pages("4Gi", "3Mi"),
  "hugepages + resources.limits hugepages-2Mi (seed wording)": machine({
    domain: {
      memory: { guest: "4Gi", hugepages: { pageSize: "2Mi" } },
      resources: { limits: { "hugepages-2Mi": "4Gi" } },
    },
  }),
  "gpu permitted": gpus({ name: "g0", deviceName: a100 }),
  "gpu nvidia.com/gpu (seed wording)": gpus({ name: "g0", deviceName: "nvidia.com/gpu" }),
  "gpu duplicate name": gpus({ name: "g", deviceName: a100 }, { name: "g", deviceName: a100 }),
  "gpu via resources.limits nvidia.com/gpu": machine({
    domain: { resources: { limits: { "nvidia.com/gpu": "1" } } },
  }),
  "gpu DRA": machine({
    devices: { disks: [root], gpus: [{ name: "g0", claimName: "c", requestName: "r" }] },
    resourceClaims: [{ name: "c", resourceClaimTemplateName: "t" }],
  }),
  "gpu DRA missing claim": gpus({ name: "g0", claimName: "c", requestName: "r" }),
  "vgpu with display+ramfb": gpus({
    name: "g0",
    deviceName: "nvidia.com/GRID_A100-10C",
    virtualGPUOptions: { display: { enabled: true, ramFB: { enabled: true } } },
  }),
  "evictionStrategy LiveMigrate + GPU": machine({
    devices: { disks: [root], gpus: [{ name: "g0", deviceName: a100 }] },
    evictionStrategy: "LiveMigrate",
  }),
  "evictionStrategy bad": machine({ evictionStrategy: "Always" }),
  "cpu model custom Cascadelake-Server": machine({
    domain: { cpu: { cores: 2, model: "Cascadelake-Server" } },
  }),
  'cpu model custom literal "custom" (seed)': machine({
    domain: { cpu: { cores: 2, model: "custom" } },
  }),
  "cpu features policy bad": machine({
    domain: { cpu: { cores: 2, features: [{ name: "avx512f", policy: "must" }] } },
  }),
  "disk bus bad": machine({ devices: { disks: [{ name: "root", disk: { bus: "virtio-blk" } }] } }),
  "disk without volume": machine({
    devices: { disks: [root, { name: "data", disk: { bus: "virtio" } }] },
  }),
  "balloon off": machine({ devices: { disks: [root], autoattachMemBalloon: false } }),
  "interface no binding": machine({
    devices: { disks: [root], interfaces: [{ name: "default" }] },
    networks: [{ name: "default", pod: {} }],
  }),
  "priorityClassName missing class": machine({ priorityClassName: "missing" }),
  "cloud-init userData 3000B": machine({
    volumes: [
      { name: "root", containerDisk: { image: "example.test/disk" } },
      { name: "init", cloudInitNoCloud: { userData: "x".repeat(3000) } },
    ],
    devices: { disks: [root, { name: "init", disk: { bus: "virtio" } }] },
  }),
  "hostDisk gate off": machine({
    volumes: [{ name: "root", hostDisk: { path: "/data/disk.img", type: "DiskOrCreate" } }],
  }),
  "machine type i440fx": machine({ domain: { machine: { type: "pc-i440fx-2.10" } } }),
  "cpu 513 sockets": machine({ domain: { cpu: { sockets: 600 } } }),
  "no memory at all": machine({ domain: { memory: {} } }),
};

/** What the API server refuses by the schema: a wrong value at a path below the spec. */
const structural: Readonly<Record<string, readonly [path: readonly string[], value: unknown]>> = {
  "seed: overcommitAllowed under domain": [["domain", "overcommitAllowed"], true],
  "seed: overcommitAllowed under resources": [["domain", "resources", "overcommitAllowed"], true],
  "seed: swap.enabled under memory": [["domain", "memory", "swap"], { enabled: false }],
  "gpu pciAddress (seed wording)": [
    ["domain", "devices", "gpus"],
    [{ name: "g0", deviceName: a100, pciAddress: "0000:81:00.0" }],
  ],
  "networkInterfaceMultiqueue number (seed 4 queues)": [
    ["domain", "devices", "networkInterfaceMultiqueue"],
    4,
  ],
};

const rows = z.array(
  z.tuple([z.string(), z.enum(["VM", "VMI"]), z.string(), z.string(), z.string()]),
);

function put(into: unknown, path: readonly string[], value: unknown): unknown {
  const [first, ...rest] = path;
  if (first === undefined) return value;
  const object = z.record(z.string(), z.unknown()).catch({}).parse(into);
  return { ...object, [first]: put(object[first], rest, value) };
}

function asObject(kind: "VM" | "VMI", spec: unknown): Record<string, unknown> {
  return kind === "VM"
    ? { apiVersion: "kubevirt.io/v1", kind: "VirtualMachine", spec: { template: { spec } } }
    : { apiVersion: "kubevirt.io/v1", kind: "VirtualMachineInstance", spec };
}

describe.skipIf(!factsHere)(`verdicts of real webhooks${factsNote}`, () => {
  const verdicts = rows.parse(readFacts("verdicts", "admission.json") ?? []);
  const schemas = readSchemas();

  test("every variant is here", () => {
    const names = [...Object.keys(variants), ...Object.keys(structural)];
    expect(verdicts).toHaveLength(92);
    expect(new Set(verdicts.map(([name]) => name))).toEqual(new Set(names));
  });

  test.for(verdicts.filter(([name]) => name in variants))("%s as %s: %s", (row) => {
    const [name, kind, , message] = row;
    const spec = variants[name] ?? machine();
    const said = kind === "VM" ? machineVerdict(spec) : instanceVerdict(spec);
    // An instance hears this one twice.
    const [once = "", twice] = message.split(", logical default");
    expect(said.join(", ")).toBe(twice === undefined ? message : once);
    expect(schemas.problems(asObject(kind, spec))).toEqual([]);
  });

  test.for(verdicts.filter(([name]) => name in structural))("%s as %s: %s", (row) => {
    const [name, kind, , message] = row;
    const [path, value] = structural[name] ?? [[], undefined];
    const problems = schemas.problems(asObject(kind, put(machine(), path, value)));
    const said = problems.map(({ code, path: at, message: words }) =>
      code === "unknown-field" ? words : `${at} in body must be of type`,
    );
    expect(said).toHaveLength(1);
    expect(message).toContain(said[0]);
  });
});

test("R-CPU-05: CPUs beside a topology are refused where they are dedicated", () => {
  const spec = variants["dedicated topology 4 but limits.cpu 2"] ?? machine();
  expect(machineVerdict(spec)).toHaveLength(1);
  expect(machineVerdict(machine())).toEqual([]);
});

test("R-MEM-07: a guest is a multiple of its pages", () => {
  expect(machineVerdict(pages("1536Mi", "1Gi"))).toHaveLength(1);
  expect(machineVerdict(pages("2Gi", "1Gi"))).toEqual([]);
});
