/** What a node starts none of: by its labels, taints and devices, against what a site's settings ask for. */
import { expect, test } from "vitest";

import { present } from "#kernel/assert.ts";
import type { Refuses } from "#kernel/host-refuses.ts";

import { seenNode } from "./inventory.ts";
import { refusesOf, taintLabels } from "./refuses.ts";
import { clusterSettings } from "./settings.ts";
import { aNode } from "./test-node.ts";

type Settings = Readonly<Record<string, unknown>>;

const dedicated =
  "the kubelet hands out no dedicated CPUs, or KubeVirt does not say so (cpuManagerPolicy: static on the kubelet, feature gate CPUManager in KubeVirt)";

const noJobs = { emulated: false, jobs: false };

function all(
  change: Parameters<typeof aNode>[0],
  more: Settings = {},
  runs: Parameters<typeof refusesOf>[2] = noJobs,
): Refuses {
  const settings = clusterSettings.parse({ site: "dc-1", ...more });
  const seen = present(seenNode(aNode(change), settings), "it is offered");
  return refusesOf(seen, settings, runs);
}

function labelsBy(taints: readonly object[], more: Settings = {}): object {
  const settings = clusterSettings.parse({ site: "dc-1", ...more });
  const seen = present(seenNode(aNode({ taints }), settings), "it is offered");
  return taintLabels(seen, settings);
}

/** Of machines. */
function refuses(...of: Parameters<typeof all>): Refuses {
  const { job, ...machines } = all(...of);
  expect(job).toBe("its site runs no hosted jobs");
  return machines;
}

test("R-CPU-11: a node whose kubelet gives no CPU to one machine alone starts none of class core", () => {
  expect(refuses({})).toEqual({});
  for (const label of ["false", undefined]) {
    const labels = { "kubevirt.io/cpumanager": label };
    expect(refuses({ labels })).toEqual({ core: dedicated });
  }
});

test("a node without KubeVirt's agent starts no machine; one whose agent is down now is no such node", () => {
  const why = "KubeVirt's agent (virt-handler) does not run there";
  expect(refuses({ labels: { "kubevirt.io/schedulable": undefined } })).toEqual({
    core: why,
    standard: why,
  });
  expect(refuses({ labels: { "kubevirt.io/schedulable": "false" } })).toEqual({});
});

test("without /dev/kvm a machine starts only where KubeVirt emulates", () => {
  const why = "it has no /dev/kvm, and KubeVirt does not emulate there";
  expect(refuses({ capacity: { "devices.kubevirt.io/kvm": "0" } })).toEqual({
    core: why,
    standard: why,
  });
  expect(
    refuses({ capacity: { "devices.kubevirt.io/kvm": "0" } }, {}, { ...noJobs, emulated: true }),
  ).toEqual({});
});

test("R-CORE-03: what a class asks of its nodes is looked for on each: labels, CPU model, machine type, processor", () => {
  const classes = { standard: { nodeLabels: { "example.test/tier": "web" } } };
  expect(refuses({}, { classes })).toEqual({
    standard: "it does not have the label example.test/tier=web that such machines ask for",
  });
  expect(refuses({ labels: { "example.test/tier": "web" } }, { classes })).toEqual({});
  const model = { core: { cpuModel: "Icelake-Server" } };
  expect(refuses({}, { classes: model })).toEqual({
    core: "it does not offer the CPU model Icelake-Server of the site's settings",
  });
  const offers = { "cpu-model.node.kubevirt.io/Icelake-Server": "true" };
  expect(refuses({ labels: offers }, { classes: model })).toEqual({});
  const arm = "its processors are arm64, and machines are made for amd64";
  expect(refuses({ labels: { "kubernetes.io/arch": "arm64" } })).toEqual({
    core: arm,
    standard: arm,
  });
  expect(refuses({ labels: { "machine-type.node.kubevirt.io/q35": undefined } })).toMatchObject({
    core: "it does not offer the machine type q35",
  });
});

test("R-PROF-02, R-GPU-06: a taint is a label that flavors may tolerate, or keeps away the class that does not where another does", () => {
  const gpu = { key: "nvidia.com/gpu", value: "present", effect: "NoSchedule" };
  expect(labelsBy([gpu])).toEqual({ "taint/nvidia.com/gpu": "NoSchedule" });
  expect(refuses({ taints: [gpu] })).toEqual({});
  const classes = { core: { tolerations: ["nvidia.com/gpu"] } };
  expect(labelsBy([gpu], { classes })).toEqual({});
  const why =
    "its taint nvidia.com/gpu=present:NoSchedule is not among the tolerations of the class in the site's settings";
  expect(refuses({ taints: [gpu] }, { classes })).toEqual({ standard: why });
  // What is for jobs is for no machine that does not tolerate it too.
  const flavors = [
    { name: "gpu", nodeLabels: { "kubernetes.io/arch": "amd64" }, tolerations: ["nvidia.com/gpu"] },
  ];
  const jobs = {
    flavors,
    agentImage: "agent",
    agentUrl: "https://control.example.test",
    agentPeer: {},
  };
  expect(labelsBy([gpu], { jobs })).toEqual({});
  expect(refuses({ taints: [gpu] }, { jobs })).toEqual({ core: why, standard: why });
  // Of a passing state, or only a preference.
  const others = [
    { ...gpu, effect: "PreferNoSchedule" },
    { key: "node.kubernetes.io/disk-pressure", effect: "NoSchedule" },
  ];
  expect(labelsBy(others)).toEqual({});
  expect(refuses({ taints: others }, { classes })).toEqual({});
});

test("hosted jobs are for the sites that run any, whatever their nodes are: where is the queue's choice", () => {
  expect(all({}).job).toBe("its site runs no hosted jobs");
  expect(all({}, {}, { emulated: false, jobs: true }).job).toBeUndefined();
});
