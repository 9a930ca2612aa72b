/** Nodes as hosts, GPUs by the names of the settings, storage and KubeVirt as they are set up. */
import { expect, test } from "vitest";

import type { KubeObject } from "#providers/kubevirt/client/object.ts";
import { ProviderError } from "#providers/provider.ts";

import { demandGpus, named } from "./gpus.ts";
import { seenNode } from "./inventory.ts";
import { parseMetrics } from "./metrics-text.ts";
import { clusterSettings } from "./settings.ts";
import { gpuFacts, kubevirtFacts, storageFacts } from "./site.ts";
import { aNode } from "./test-node.ts";

const a100 = "nvidia.com/GA100_A100_PCIE_80GB";
const slices = "nvidia.com/GRID_A10-8Q";
const settings = clusterSettings.parse({
  site: "dc-1",
  nodes: { "example.test/pool": "machines" },
  gpus: {
    [a100]: { model: "A100", memoryGib: 80 },
    [slices]: { model: "A10", memoryGib: 24, kind: "vgpu", slice: 3 },
    "gpu.example.test/h100": { model: "H100", memoryGib: 80, deviceClass: "vfio.gpu.nvidia.com" },
  },
});

function node(
  change: Pick<NonNullable<Parameters<typeof aNode>[0]>, "labels" | "ready" | "unschedulable"> & {
    readonly healthy?: string;
  },
): KubeObject {
  const { healthy = "4", labels = {}, ...rest } = change;
  return aNode({
    ...rest,
    labels: {
      "example.test/pool": "machines",
      "cpu-model.node.kubevirt.io/Cascadelake-Server": "true",
      "nvidia.com/cuda.driver-version.full": "550.54.15",
      ...labels,
    },
    capacity: { [a100]: "4", [slices]: "6" },
    allocatable: {
      cpu: "63500m",
      memory: "263000Mi",
      "ephemeral-storage": "100Gi",
      "hugepages-2Mi": "8Gi",
      [a100]: healthy,
      [slices]: "6",
    },
  });
}

function called(name: string, rest: object): KubeObject {
  const { metadata } = node({});
  return { ...node({}), metadata: { ...metadata, name }, ...rest };
}

test("what others take of each node is none of ours, and disks may be of the cluster's storage", () => {
  const other = { ...settings, nodeReserved: { cpus: 1.5, memoryGib: 3 }, nodeDiskGib: 5000 };
  expect(seenNode(node({}), other)?.host).toMatchObject({
    cpus: 62,
    memoryBytes: (263_000 - 3 * 1024) * 1024 ** 2,
    diskBytes: 5000 * 1024 ** 3,
  });
  const all = { ...settings, nodeReserved: { cpus: 500, memoryGib: 5000 } };
  expect(seenNode(node({}), all)?.host).toMatchObject({ cpus: 0, memoryBytes: 0 });
});

test("R-GPU-01: a node is a host with what it has left for machines and a device for each in the count", () => {
  const seen = seenNode(node({ healthy: "3" }), settings);
  expect(seen).toMatchObject({
    schedulable: true,
    cpuModels: ["Cascadelake-Server"],
    address: "10.0.0.7",
    host: {
      id: "node-1",
      state: "up",
      cpus: 63,
      memoryBytes: 263_000 * 1024 ** 2,
      hugePages: { "2Mi": 4096 },
      gpuDriver: "550.54.15",
    },
  });
  const gpus = seen?.host.gpus ?? [];
  expect(gpus.map(({ id, model, slicesMax, healthy }) => [id, model, slicesMax, healthy])).toEqual([
    [`${a100}/0`, "A100", 1, undefined],
    [`${a100}/1`, "A100", 1, undefined],
    [`${a100}/2`, "A100", 1, undefined],
    [`${a100}/3`, "A100", 1, false],
    [`${slices}/0`, "A10", 3, undefined],
    [`${slices}/1`, "A10", 3, undefined],
  ]);
});

test("a node is down, in maintenance, or not offered at all", () => {
  const state = (change: Parameters<typeof node>[0]) =>
    seenNode(node(change), settings)?.host.state;
  expect(state({ ready: "Unknown" })).toBe("down");
  expect(state({ labels: { "kubevirt.io/schedulable": "false" } })).toBe("down");
  expect(state({ unschedulable: true })).toBe("maintenance");
  expect(seenNode(node({ labels: { "example.test/pool": "web" } }), settings)).toBeUndefined();
});

test("R-GPU-03: a GPU is asked for by its resource, and no more than the node has left", () => {
  const seen = seenNode(node({ healthy: "1" }), settings);
  if (seen === undefined) throw new Error("the node is offered");
  const asked = named([{ deviceId: `${a100}/3`, model: "A100", slice: 1 }], seen);
  expect(asked).toEqual([{ deviceId: `${a100}/3`, model: "A100", slice: 1, resource: a100 }]);
  expect(() => demandGpus(asked, seen, [])).not.toThrow();
  expect(() => demandGpus([...asked, ...asked], seen, [])).toThrow(ProviderError);
  expect(() => named([{ deviceId: "nvidia.com/gpu/0", model: "A100", slice: 1 }], seen)).toThrow(
    /offers no nvidia.com\/gpu/,
  );
});

test("what is only configured and not permitted is told apart; claims need no permission", () => {
  const facts = kubevirtFacts({
    ...node({}),
    spec: {
      configuration: { permittedHostDevices: { pciHostDevices: [{ resourceName: a100 }] } },
    },
  });
  expect(facts).toMatchObject({ cpuAllocationRatio: 10, overheadPercent: 100, liveUpdate: false });
  const { gpus, unpermitted } = gpuFacts(settings, facts);
  expect([...gpus.keys()]).toEqual([a100, "gpu.example.test/h100"]);
  expect(unpermitted).toEqual([slices]);
});

test("a class without a VolumeSnapshotClass, a shared mode or expansion is taken for the least", () => {
  const ceph = called("ceph", { provisioner: "rbd.csi.ceph.com", allowVolumeExpansion: true });
  ceph.metadata.annotations = { "storageclass.kubernetes.io/is-default-class": "true" };
  const storage = storageFacts(
    [ceph, called("local", { provisioner: "local" })],
    [called("snap", { driver: "rbd.csi.ceph.com" })],
    [
      called("ceph", {
        status: { claimPropertySets: [{ accessModes: ["ReadWriteMany"], volumeMode: "Block" }] },
      }),
    ],
  );
  expect(storage.defaultClass).toBe("ceph");
  expect(storage.classes.get("ceph")).toEqual({
    accessMode: "ReadWriteMany",
    volumeMode: "Block",
    snapshots: true,
    grows: true,
  });
  expect(storage.classes.get("local")).toEqual({
    accessMode: "ReadWriteOnce",
    volumeMode: "Filesystem",
    snapshots: false,
    grows: false,
  });
});

test("metrics are read line by line; what is none is left out", () => {
  const text = [
    "# HELP kubevirt_vmi_x y",
    'kubevirt_vmi_cpu_usage_seconds_total{name="m-1",namespace="p",path="a\\"b"} 12.5',
    "kubevirt_vmi_broken{ 1",
    "other_total 3",
    "kubevirt_vmi_nan NaN",
  ].join("\n");
  expect(parseMetrics(text, "kubevirt_vmi_")).toEqual([
    {
      name: "kubevirt_vmi_cpu_usage_seconds_total",
      labels: { name: "m-1", namespace: "p", path: 'a"b' },
      value: 12.5,
    },
  ]);
});
