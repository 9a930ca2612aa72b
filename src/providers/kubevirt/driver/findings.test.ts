import { expect, test } from "vitest";

import type { StorageClassFacts } from "#providers/kubevirt/compile/facts.ts";

import { siteFindings } from "./findings.ts";
import { seenNode } from "./inventory.ts";
import { clusterSettings } from "./settings.ts";
import { aNode } from "./test-node.ts";

const a100 = "nvidia.com/GA100_A100_PCIE_80GB";
const base = { site: "dc-1", images: { tiny: { dataSource: "tiny", namespace: "images" } } };
const groups = new Map(
  [
    ["batch", "v1"],
    ["kubevirt.io", "v1"],
    ["subresources.kubevirt.io", "v1"],
    ["cdi.kubevirt.io", "v1beta1"],
    ["snapshot.kubevirt.io", "v1beta1"],
    ["snapshot.storage.k8s.io", "v1"],
    ["clone.kubevirt.io", "v1beta1"],
    ["pool.kubevirt.io", "v1beta1"],
    ["instancetype.kubevirt.io", "v1beta1"],
    ["admissionregistration.k8s.io", "v1"],
  ].map(([name = "", version = ""]) => [name, [version]] as const),
);
const ceph: StorageClassFacts = {
  accessMode: "ReadWriteMany",
  volumeMode: "Block",
  snapshots: true,
  grows: true,
};

interface Given {
  readonly version?: string;
  readonly disabled?: readonly string[];
  readonly without?: string;
  readonly storage?: Partial<StorageClassFacts>;
  readonly unpermitted?: readonly string[];
  readonly settings?: object;
  readonly ready?: boolean;
  readonly labels?: Readonly<Record<string, string>>;
  readonly devices?: Readonly<Record<string, string>>;
}

function found(given: Given): readonly string[] {
  const { labels = {}, devices = {} } = given;
  const node = seenNode(
    aNode({
      labels,
      capacity: devices,
      allocatable: devices,
      ready: given.ready === false ? "False" : "True",
    }),
    clusterSettings.parse({ ...base, ...given.settings }),
  );
  const known = new Map(groups);
  known.delete(given.without ?? "");
  const site = {
    groups: known,
    unpermitted: given.unpermitted ?? [],
    kubevirt: {
      version: given.version ?? "v1.9.0",
      cpuAllocationRatio: 1,
      overheadPercent: 100,
      permitted: new Set<string>(),
      liveUpdate: true,
      emulated: false,
      disabledGates: new Set(given.disabled),
    },
    facts: {
      controlPlaneId: "millrace",
      rules: { cpuAllocationRatio: 1, overheadPercent: 100 },
      gpus: new Map(),
      storageClasses: new Map([["ceph", { ...ceph, ...given.storage }]]),
      defaultStorageClass: "ceph",
      images: new Map(),
      priorityClasses: new Set<string>(),
      cpuModels: new Set<string>(),
      vcpusMax: 8,
      sshService: "ClusterIP",
      sshKeepsSource: false,
    },
  } as const;
  const settings = clusterSettings.parse({ ...base, ...given.settings });
  const findings = siteFindings(site, settings, node === undefined ? [] : [node]);
  expect(findings.every(({ advice }) => advice.length > 5)).toBe(true);
  return findings.map(({ severity, message }) => `${severity}: ${message}`);
}

test("a cluster that is set up as it should be has none", () => {
  expect(found({})).toEqual([]);
});

test("R-CORE-01: what is missing, older or off is told with what does not work without it", () => {
  expect(found({ without: "cdi.kubevirt.io" })).toEqual([
    "problem: The cluster has no cdi.kubevirt.io: no machine can run here.",
  ]);
  expect(found({ without: "snapshot.storage.k8s.io" })).toEqual([
    "warning: The cluster has no snapshot.storage.k8s.io: a snapshot would hold no disk, so none is taken.",
  ]);
  expect(found({ version: "v1.6.2" })).toEqual([
    "warning: KubeVirt v1.6.2 is older than 1.9, with which what is written there was compared: sizes and rules may differ.",
  ]);
  expect(found({ version: "v2.0.0" })).toEqual([]);
  expect(found({ disabled: ["Snapshot", "GPUsWithDRA"] })).toEqual([
    "warning: KubeVirt's feature gate Snapshot is off: snapshots cannot be taken.",
  ]);
});

test("storage that cannot snapshot or move, and a class that is not there", () => {
  expect(
    found({ storage: { snapshots: false, grows: false, accessMode: "ReadWriteOnce" } }),
  ).toEqual([
    "warning: Storage class ceph has no VolumeSnapshotClass: snapshots of machines on it are refused.",
    "warning: Storage class ceph lets no disk grow: larger disks of leases on it are refused.",
    "warning: Only one node may open a disk of storage class ceph at a time: machines on it cannot move while they run.",
  ]);
  const classes = { core: { storageClass: "fast" } };
  expect(found({ settings: { classes } })).toEqual([
    "problem: Storage class fast of the site's settings is not in the cluster: no disk can be made on it.",
  ]);
});

test("R-GPU-03: a GPU of the settings that is not permitted, or that no node has", () => {
  const gpus = { [a100]: { model: "A100", memoryGib: 80 } };
  expect(found({ settings: { gpus }, unpermitted: [a100] })).toEqual([
    `problem: GPU ${a100} is in the site's settings and not among permittedHostDevices: no machine gets it.`,
    `warning: No node offers GPU ${a100} of the site's settings.`,
  ]);
  const claimed = { "gpu.example.test/h100": { ...gpus[a100], deviceClass: "vfio.example.test" } };
  expect(found({ settings: { gpus: claimed }, disabled: ["GPUsWithDRA"] })).toEqual([
    "warning: The cluster has no resource.k8s.io: GPUs cannot be claimed (DRA).",
    "warning: KubeVirt's feature gate GPUsWithDRA is off: GPUs cannot be claimed (DRA).",
    "warning: GPU gpu.example.test/h100 of the site's settings is claimed (DRA), and hosts do not show such devices yet: no lease is placed on one.",
  ]);
});

test("R-CPU-11, R-GPU-01: a class that no node starts is told, and GPUs that no machine of class core gets", () => {
  const gpus = { [a100]: { model: "A100", memoryGib: 80 } };
  const given = { labels: { "kubevirt.io/cpumanager": "false" }, settings: { gpus } };
  const because =
    "the kubelet hands out no dedicated CPUs, or KubeVirt does not say so (cpuManagerPolicy: static on the kubelet, feature gate CPUManager in KubeVirt)";
  expect(found({ ...given, devices: { [a100]: "2" } })).toEqual([
    `warning: No node of the cluster starts machines of class core: ${because}.`,
    `warning: GPUs of node-1 go to no machine of class core: ${because}.`,
  ]);
  expect(found({ settings: { gpus }, devices: { [a100]: "2" } })).toEqual([]);
});

test("no image, no node, and no queue for jobs", () => {
  expect(found({ settings: { images: {} } })).toEqual([
    "warning: The site's settings name no image: no machine can be made there.",
  ]);
  expect(found({ ready: false })).toEqual([
    "problem: Of 1 nodes of the cluster none takes machines now.",
  ]);
  const jobs = {
    flavors: [{ name: "cpu", nodeLabels: { pool: "jobs" } }],
    agentImage: "agent",
    agentUrl: "https://control.example.test",
    agentPeer: {},
  };
  expect(found({ settings: { jobs } })).toEqual([
    "problem: Kueue is not installed: machines work, and jobs are refused.",
  ]);
  expect(found({ settings: { jobs: { ...jobs, batch: "volcano" } } })).toEqual([
    expect.stringContaining("problem: Volcano is not installed"),
  ]);
});
