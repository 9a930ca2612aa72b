/**
 * What a cluster may say of a machine is said in Chinese too: the sentence, what to do, and each part of
 * it. The cluster's own words, which are kept in them, stay as they are.
 */
import { expect, test } from "vitest";

import { machineCondition } from "#providers/kubevirt/observe/condition.ts";
import { platformProblems } from "#providers/kubevirt/observe/platform.ts";
import { read } from "#providers/kubevirt/observe/seen.ts";

import { sayer } from "./said.ts";
import { said } from "./zh-CN/said/index.ts";

const say = sayer(said);
const now = Date.parse("2026-11-21T02:00:00Z");
const began = "2026-11-21T01:00:00Z";
const domain = { cpu: {}, memory: {}, devices: { gpus: [] } };

interface Told {
  readonly machine?: object;
  readonly instance?: object;
  readonly meta?: object;
  readonly gpus?: readonly object[];
  readonly pod?: object;
  readonly disk?: object;
}

function remarks({ machine = {}, instance, meta, gpus = [], pod, disk }: Told): readonly string[] {
  const metadata = { name: "m-1", namespace: "p" };
  const shape = { ...domain, devices: { gpus } };
  const spec = { runStrategy: "RerunOnFailure", template: { spec: { domain: shape } } };
  const { reason, notes } = machineCondition(
    {
      machine: read.machine({ metadata, spec, status: machine }),
      instance:
        instance === undefined
          ? undefined
          : read.instance({
              metadata: { ...metadata, ...meta },
              spec: { domain: shape },
              status: instance,
            }),
      pods: pod === undefined ? [] : [read.pod({ metadata, status: pod })],
      dataVolumes:
        disk === undefined
          ? []
          : [
              read.dataVolume({
                metadata: { ...metadata, creationTimestamp: began },
                status: disk,
              }),
            ],
    },
    now,
  );
  return [...(reason === undefined ? [] : [reason]), ...notes].flatMap(({ message, action }) => [
    message,
    action,
  ]);
}

const pending = (message: string): Told => ({
  instance: { phase: "Pending", conditions: [{ type: "Synchronized", status: "False", message }] },
});
const unplaced = (message: string): Told => ({
  instance: {
    phase: "Scheduling",
    conditions: [{ type: "PodScheduled", status: "False", message }],
  },
});
const held = (reason: string): Told => ({
  instance: { phase: "Scheduled" },
  pod: {
    containerStatuses: [
      {
        name: "compute",
        state:
          reason === "OOMKilled"
            ? { terminated: { reason, exitCode: 137 } }
            : { waiting: { reason, message: "said" } },
      },
    ],
  },
});
const filling = (reason: string): Told => ({
  disk: {
    phase: "ImportInProgress",
    conditions: [{ type: "Running", status: "False", reason, lastTransitionTime: began }],
  },
});
const running = (more: object): Told => ({ instance: { phase: "Running", ...more } });
const fixed = { type: "LiveMigratable", status: "False", message: "disks are not shared" };

const all: readonly Told[] = [
  pending("GPU nvidia.com/gpu is not permitted in permittedHostDevices configuration"),
  pending(
    "exceeded quota: q, requested: requests.cpu=16, used: requests.cpu=4, limited: requests.cpu=18",
  ),
  pending("exceeded quota: q, requested: requests.cpu=16"),
  pending("ValidatingAdmissionPolicy 'core' with binding 'b' denied request: no"),
  pending("no PriorityClass with name gold was found"),
  pending("not authorized to create DataVolume"),
  pending("insufficient permissions in clone source namespace images"),
  pending("PersistentVolumeClaim tiny not found"),
  pending("VFIO_MAP_DMA failed: Cannot allocate memory"),
  pending("unable to map backing store for guest RAM"),
  pending("SMT Alignment Error"),
  pending("failed to create virtual machine pod: something"),
  pending("something that nobody has seen"),
  unplaced(
    "0/9 nodes are available: 1 Insufficient cpu, 1 Insufficient memory, 1 Insufficient hugepages-1Gi, 1 Insufficient nvidia.com/X, 1 Too many pods, 1 node(s) had untolerated taint {a: b}.",
  ),
  unplaced("0/2 nodes are available: 2 node(s) didn't match Pod's node affinity/selector."),
  unplaced("0/2 nodes are available: 2 node(s) were unschedulable."),
  unplaced("0/2 nodes are available: 2 Insufficient cpu."),
  unplaced("0/2 nodes are available: 2 node(s) didn't match pod anti-affinity rules."),
  unplaced("0/2 nodes are available: 2 node(s) had volume node affinity conflict."),
  unplaced("0/2 nodes are available: 2 cannot allocate all claims."),
  unplaced("pod has unbound immediate PersistentVolumeClaims"),
  unplaced("something else"),
  { disk: { phase: "ImportInProgress", progress: "42.00%" } },
  { disk: { phase: "ImportInProgress" } },
  { disk: { phase: "WaitForFirstConsumer" } },
  { disk: { phase: "Pending", conditions: [{ type: "Bound", status: "False" }] } },
  { disk: { phase: "Pending", conditions: [{ type: "Bound", status: "False", message: "why" }] } },
  { disk: { phase: "ImportInProgress", restartCount: 4 } },
  { disk: { phase: "CloneScheduled" } },
  filling("Scratch space required"),
  filling("Unschedulable"),
  pending(
    'persistentvolumeclaims "d" is forbidden: exceeded quota: q, requested: requests.storage=2Gi, used: requests.storage=1Gi, limited: requests.storage=2Gi',
  ),
  held("ImagePullBackOff"),
  held("CreateContainerConfigError"),
  held("OOMKilled"),
  { instance: { phase: "Failed" } },
  { instance: { phase: "Failed", reason: "killed" } },
  { instance: { phase: "Unknown", nodeName: "node-1" } },
  { machine: { printableStatus: "CrashLoopBackOff", startFailure: { consecutiveFailCount: 3 } } },
  { instance: { phase: "Running" }, meta: { deletionTimestamp: began } },
  { instance: { phase: "Running", nodeName: "node-1" }, meta: { deletionTimestamp: began } },
  { machine: { snapshotInProgress: "s" } },
  { machine: { conditions: [{ type: "RestartRequired", status: "True" }] } },
  running({ evacuationNodeName: "node-1" }),
  running({ evacuationNodeName: "node-1", conditions: [fixed] }),
  { ...running({ conditions: [fixed] }), gpus: [{ name: "g0" }] },
  running({ migrationState: { failed: true } }),
  running({ migrationState: { failed: true, failureReason: "no room" } }),
  running({ migrationState: {} }),
  running({ migrationState: { targetNode: "node-2" } }),
];

test("every reason and every note of a machine has its Chinese sentence", () => {
  const told = all.map((each) => remarks(each));
  expect(told.filter((each) => each.length === 0)).toEqual([]);
  const english = [...new Set(told.flat())].filter((sentence) => say(sentence) === undefined);
  expect(english).toEqual([]);
});

test("what a cluster lacks has it too", () => {
  const none = platformProblems(new Map(), { claimsGpus: true });
  const older = platformProblems(new Map([["pool.kubevirt.io", ["v1alpha1"]]]), {
    claimsGpus: false,
  });
  const sentences = [...none, ...older].flatMap(({ message, action }) => [message, action]);
  expect(sentences.filter((sentence) => say(sentence) === undefined)).toEqual([]);
});

test("parts are told one by one", () => {
  const [message = ""] = remarks(
    unplaced("0/4 nodes are available: 2 Insufficient hugepages-1Gi, 4 Insufficient nvidia.com/X."),
  );
  expect(say(message)).toBe(
    "4 个节点均无法承载该机器：2 个节点 1Gi 大页不足、4 个节点 GPU nvidia.com/X 不足。",
  );
});
