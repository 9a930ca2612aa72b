import { expect, test } from "vitest";

import type { Domain, InstanceBody, VirtualMachine } from "#providers/kubevirt/objects/machine.ts";

import { compileMachine, virtualMachine } from "./machine.ts";
import { podSize } from "./pod-size.ts";
import { parseMilli, parseUnits } from "./quantity.ts";
import { machineRefusals } from "./refuse.ts";
import { a100, type AskChange, gib, testAsk, testNamespace, testSite } from "./test-ask.ts";

/** Codes of what our own machine is refused for. */
function refused(change: AskChange): readonly string[] {
  const result = compileMachine(testAsk(change));
  return "refusals" in result ? result.refusals.map(({ code }) => code) : [];
}

/** A machine as somebody else wrote it. */
function written(
  change: Partial<InstanceBody>,
  domain: Partial<Domain> = {},
  namespace = testNamespace,
): readonly string[] {
  const machine = virtualMachine(testAsk());
  const body = machine.spec.template.spec;
  const spec: InstanceBody = { ...body, ...change, domain: { ...body.domain, ...domain } };
  const changed: VirtualMachine = { ...machine, spec: { ...machine.spec, template: { spec } } };
  const size = podSize({ spec }, { ...testSite.rules, quotaOnLimits: namespace.quotaOnLimits });
  return machineRefusals(changed, { site: testSite, namespace, size }).map(({ code }) => code);
}

const devices = (names: readonly string[], deviceName: string): Partial<Domain> => ({
  devices: { gpus: names.map((name) => ({ name, deviceName })) },
});
const gpu = (resource?: string) => ({
  deviceId: "0000:81:00.0",
  model: "A100",
  slice: 1,
  ...(resource === undefined ? {} : { resource }),
});

/** A namespace whose quota leaves that much. */
const left = (cpu: string, memory: string) => ({
  ...testNamespace,
  quotaLeft: new Map([
    ["requests.cpu", parseMilli(cpu) ?? 0n],
    ["requests.memory", parseUnits(memory) ?? 0n],
  ]),
});

test("a machine that would run is refused nothing", () => {
  expect(refused({})).toEqual([]);
  expect(written({})).toEqual([]);
});

test("R-GPU-03: nvidia.com/gpu and MIG slices are for containers", () => {
  expect(refused({ spec: { gpus: [gpu("nvidia.com/gpu")] } })).toEqual(["gpu_for_containers"]);
  expect(written({}, devices(["g0"], "nvidia.com/mig-1g.10gb"))).toEqual(["gpu_for_containers"]);
});

test("R-GPU-03: a GPU that is not permitted would stay pending", () => {
  expect(refused({ spec: { gpus: [gpu("nvidia.com/GH100_H100_PCIE")] } })).toEqual([
    "gpu_not_permitted",
  ]);
  const result = compileMachine(testAsk({ spec: { gpus: [gpu("nvidia.com/GH100_H100_PCIE")] } }));
  const [refusal] = "refusals" in result ? result.refusals : [];
  expect(refusal?.message).toContain("permittedHostDevices");
  expect(refusal?.message).toContain(a100);
});

test("R-GPU-04: there is no PCI address, so a GPU needs a resource name", () => {
  expect(refused({ spec: { gpus: [gpu()] } })).toEqual(["gpu_without_resource"]);
});

test("two GPUs of one name", () => {
  expect(written({}, devices(["g", "g"], a100))).toEqual(["gpu_name_twice"]);
});

test("a GPU among the resources is held by the pod and not in the guest", () => {
  expect(written({}, { resources: { limits: { "nvidia.com/gpu": "1" } } })).toEqual([
    "gpu_in_resources",
  ]);
});

test("R-CPU-08: a model called custom, and one that no node has", () => {
  expect(written({}, { cpu: { sockets: 2, model: "custom" } })).toEqual(["cpu_model_custom"]);
  expect(
    refused({ policy: { cpu: { model: "named", name: "EPYC-Genoa", features: [] } } }),
  ).toEqual(["cpu_model_nowhere"]);
});

test("a GPU machine that is to migrate blocks its node", () => {
  const change = { evictionStrategy: "LiveMigrate" };
  expect(written(change, devices(["g0"], a100))).toEqual(["gpu_cannot_migrate"]);
  expect(written(change)).toEqual([]);
});

test("a priority class that is not there", () => {
  expect(refused({ policy: { priorityClass: "gold" } })).toEqual(["priority_class_missing"]);
});

test("R-MEM-01: a guest above its limit would be killed later", () => {
  const resources = { limits: { memory: "2Gi" } };
  expect(written({}, { memory: { guest: "4Gi" }, resources })).toEqual(["guest_over_limit"]);
});

test("600 sockets", () => {
  expect(written({}, { cpu: { sockets: 600 } })).toEqual(["too_many_vcpus"]);
  expect(refused({ spec: { cpu: { sockets: 600, cores: 1, threads: 1 } } })).toEqual([
    "too_many_vcpus",
  ]);
});

test("R-CPU-12: a machine over its namespace's quota would wait for ever", () => {
  expect(written({}, {}, left("8", "16Gi"))).toEqual([]);
  // The guest fits, and its pod does not: overhead and the console's log are charged too.
  expect(written({}, {}, left("8", "8Gi"))).toEqual(["over_namespace_quota"]);
  expect(written({}, {}, left("4", "16Gi"))).toEqual(["over_namespace_quota"]);
  const result = compileMachine(testAsk({ namespace: left("4", "16Gi") }));
  const [refusal] = "refusals" in result ? result.refusals : [];
  expect(refusal?.message).toContain("requests.cpu: 4005m asked, 4 left");
});

test("no memory at all is taken of a VirtualMachine, and never starts", () => {
  expect(written({}, { memory: {} })).toEqual(["no_memory"]);
});

test("an image of a namespace that may not be cloned from", () => {
  expect(refused({ namespace: { clonesFrom: new Set() } })).toEqual(["clone_not_authorized"]);
});

test("a storage class, and an image, that are not there", () => {
  expect(refused({ policy: { storageClass: "gold" } })).toEqual(["storage_class_missing"]);
  expect(refused({ spec: { image: "windows" } })).toEqual(["image_unknown"]);
});

test("what KubeVirt itself refuses is told before it is sent", () => {
  expect(
    refused({ spec: { serviceClass: "core", cpu: { sockets: 1, cores: 1, threads: 4 } } }),
  ).toEqual(["kubevirt_refuses"]);
});

test("R-CPU-09: more than 1:1.5 is not sold", () => {
  expect(refused({ policy: { overcommitPercent: 151 } })).toEqual(["overcommit_too_high"]);
  expect(refused({ policy: { overcommitPercent: 99 } })).toEqual(["overcommit_too_high"]);
});

test("R-CPU-10: a core machine is not overcommitted", () => {
  expect(refused({ spec: { serviceClass: "core" }, policy: { overcommitPercent: 110 } })).toEqual([
    "overcommit_on_core",
  ]);
});

test("R-MEM-07: memory is whole pages", () => {
  expect(refused({ spec: { memoryBytes: 1.5 * gib }, policy: { hugePages: "1Gi" } })).toEqual([
    "memory_not_in_pages",
  ]);
  expect(refused({ policy: { numa: true } })).toEqual(["numa_needs_pages"]);
});

test("names that Kubernetes would not take", () => {
  expect(refused({ spec: { name: "Web 1" } })).toEqual(["host_name"]);
  expect(refused({ spec: { network: "a/b" } })).toEqual(["not_a_label"]);
  const extraDisks = ["root", "data", "data"].map((name) => ({ name, bytes: gib }));
  expect(refused({ policy: { extraDisks } })).toEqual(["disk_name", "disk_name"]);
});

test("user data that no Secret holds, and a job's workload", () => {
  expect(refused({ spec: { userData: "x".repeat(600_000) } })).toEqual(["user_data_too_large"]);
  const workload = {
    command: ["true"],
    environment: {},
    timeLimitSeconds: 1,
    logBytesMax: 1,
    resultsBytesMax: 1,
  };
  expect(refused({ spec: { workload } })).toEqual(["workload_in_machine"]);
});
