/** Sentences are those that a real control plane wrote, as far as the verdicts keep them. */
import { describe, expect, test } from "vitest";
import { z } from "zod";

import { factsHere, factsNote, readFacts } from "#test/kube/facts.ts";

import { machineCondition } from "./condition.ts";
import { readUnschedulable } from "./scheduler.ts";
import { began, of, seen } from "./test-seen.ts";

const a100 = "nvidia.com/GA100_A100_SXM4_80GB";

const pending = (message: string) => ({
  phase: "Pending",
  conditions: [{ type: "Synchronized", status: "False", reason: "FailedCreate", message }],
});
const unscheduled = (message: string) => ({
  phase: "Scheduling",
  conditions: [{ type: "PodScheduled", status: "False", reason: "Unschedulable", message }],
});

test("a machine that runs has no reason, and notes that matter", () => {
  const running = { phase: "Running", conditions: [{ type: "AgentConnected", status: "True" }] };
  expect(of({ instance: running })).toEqual({ state: "running", notes: [] });
  const silent = of({ instance: { phase: "Running" } });
  expect(silent.notes).toMatchObject([{ code: "guest_agent_silent", for: "customer" }]);
});

test("paused, halted, ended by itself, gone", () => {
  const paused = { phase: "Running", conditions: [{ type: "Paused", status: "True" }] };
  expect(of({ instance: paused }).state).toBe("paused");
  expect(of({ runStrategy: "Halted" }).state).toBe("stopped");
  expect(of({ instance: { phase: "Succeeded" } }).state).toBe("stopped");
  expect(of({ machine: { printableStatus: "Stopped" } }).state).toBe("stopped");
  expect(of({ machine: null }).state).toBe("absent");
});

test("R-GPU-03: a GPU that is not permitted, instead of Starting for ever", () => {
  const said =
    "failed to render launch manifest: GPU nvidia.com/gpu is not permitted in permittedHostDevices configuration";
  expect(of({ instance: pending(said) })).toMatchObject({
    state: "waiting",
    reason: { code: "gpu_not_permitted", for: "operator", details: { said } },
  });
});

test("R-CPU-12: a quota that has no room, with the numbers", () => {
  const said =
    'failed to create virtual machine pod: pods "virt-launcher-s15-m6v7v" is forbidden: exceeded quota: q, requested: requests.cpu=16,requests.memory=8Gi, used: requests.cpu=4, limited: requests.cpu=18';
  const { reason } = of({ instance: pending(said) });
  expect(reason?.code).toBe("over_namespace_quota");
  expect(reason?.message).toContain("it asks for requests.cpu 16, requests.memory 8Gi");
  expect(reason?.message).toContain("requests.cpu 4 are used of requests.cpu 18");
});

test("R-MEM-08: too few huge pages and GPUs, with how many nodes", () => {
  const said = `0/4 nodes are available: 2 Insufficient hugepages-1Gi, 4 Insufficient ${a100}. no new claims to deallocate, preemption: 0/4 nodes are available: 4 Preemption is not helpful`;
  const { state, reason } = of({ instance: unscheduled(said) });
  expect(state).toBe("waiting");
  expect(reason).toMatchObject({
    code: "no_gpu_free",
    message: `None of 4 nodes can take the machine: 2 have too little huge pages of 1Gi left, 4 have too little of GPU ${a100} left.`,
  });
  expect(reason?.action).toContain("hugepages-1Gi");
});

test("each obstacle of the scheduler is known", () => {
  const obstacles = [
    ["3 Insufficient cpu", "too_little", "cpu"],
    ["1 Too many pods", "pods", ""],
    ["4 node(s) didn't match Pod's node affinity/selector", "selector", ""],
    ["2 node(s) had untolerated taint {gpu: }", "taint", "gpu"],
    ["2 node(s) had untolerated taint {key: value}", "taint", "key: value"],
    ["1 node(s) were unschedulable", "cordoned", ""],
    ["1 node(s) didn't match pod anti-affinity rules", "apart", ""],
    ["1 node(s) had volume node affinity conflict", "disk", ""],
    ["1 cannot allocate all claims", "claim", ""],
    ["1 something new", "other", "something new"],
  ];
  const list = obstacles.map(([words]) => words).join(", ");
  const parsed = readUnschedulable(`0/20 nodes are available: ${list}. preemption: none`);
  expect(parsed?.nodes).toBe(20);
  expect(parsed?.obstacles.map(({ code, what }) => [code, what])).toEqual(
    obstacles.map(([, code, what]) => [code, what]),
  );
  const { reason } = of({ instance: unscheduled(`0/20 nodes are available: ${list}.`) });
  expect(reason?.message).toContain("2 are kept for others (gpu)");
});

test("other obstacles are told with what to do", () => {
  const codes = [
    'failed to create virtual machine pod: pods "x" is forbidden: no PriorityClass with name gold was found',
    "failed to create virtual machine pod: ValidatingAdmissionPolicy 'millrace-core' with binding 'b' denied request: CPUs must be dedicated",
    "server error. command SyncVMI failed: VFIO_MAP_DMA failed: Cannot allocate memory",
    "unable to map backing store for guest RAM: Cannot allocate memory",
    "SMT Alignment Error: requested 5 cpus not multiple cpus per core = 2",
    "something that nobody has seen",
  ].map((said) => of({ instance: pending(said) }).reason?.code);
  expect(codes).toEqual([
    "priority_class_missing",
    "denied_by_policy",
    "memory_for_gpu",
    "pages_not_together",
    "cpus_not_in_pairs",
    "not_synchronized",
  ]);
});

const podThat = (reason: string, more: object) => ({
  phase: "Pending",
  containerStatuses: [{ name: "compute", state: { [reason]: more } }],
});

test("what a pod hangs on", () => {
  const told = [
    podThat("waiting", { reason: "ImagePullBackOff", message: "no such image" }),
    podThat("waiting", { reason: "CreateContainerConfigError", message: "secret not found" }),
    podThat("terminated", { reason: "OOMKilled", exitCode: 137 }),
  ].map((pod) => of({ instance: { phase: "Scheduled" }, pods: [pod] }).reason?.code);
  expect(told).toEqual(["image_not_pulled", "secret_missing", "out_of_memory"]);
  expect(of({ instance: { phase: "Scheduled" } })).toEqual({ state: "starting", notes: [] });
});

test("a node that is lost, a machine that does not end, one that crashes on and on", () => {
  expect(of({ instance: { phase: "Unknown", nodeName: "node-1" } })).toMatchObject({
    state: "unknown",
    reason: { code: "node_lost", details: { node: "node-1" } },
  });
  const ending = {
    instance: { phase: "Running", nodeName: "node-1" },
    instanceMeta: { deletionTimestamp: began },
  };
  expect(of(ending)).toMatchObject({
    state: "stopping",
    reason: { code: "end_stuck", details: { sinceMinutes: 60, node: "node-1" } },
  });
  expect(machineCondition(seen(ending), Date.parse(began) + 5000)).not.toHaveProperty("reason");
  const loop = { printableStatus: "CrashLoopBackOff", startFailure: { consecutiveFailCount: 4 } };
  expect(of({ machine: loop })).toMatchObject({
    state: "failed",
    reason: { code: "crash_loop", details: { count: 4 } },
  });
  const once = { ...loop, startFailure: { consecutiveFailCount: 1 } };
  expect(of({ machine: once })).toMatchObject({
    reason: { message: "The machine ended as soon as it was started." },
  });
  // Its run was deleted by hand: KubeVirt says the same for ever, and starts none.
  const left = { ...loop, created: false, runStrategy: "RerunOnFailure" };
  expect(of({ machine: left })).toMatchObject({ state: "stopped" });
  const told = { ...left, stateChangeRequests: [{ action: "Start" }] };
  expect(of({ machine: told })).toMatchObject({ state: "failed", reason: { code: "crash_loop" } });
  expect(of({ instance: { phase: "Failed" } })).toMatchObject({ reason: { code: "crashed" } });
});

describe.skipIf(!factsHere)(`what a real controller said of 64 machines${factsNote}`, () => {
  const rows = z
    .array(z.object({ shape: z.string(), vmiPhase: z.string(), vmiConds: z.array(z.string()) }))
    .parse([
      ...z.array(z.unknown()).parse(readFacts("verdicts", "pods.json") ?? []),
      ...z.array(z.unknown()).parse(readFacts("verdicts", "pods-under-quota.json") ?? []),
    ]);

  test("each that does not run has a reason of ours that is not the catch-all", () => {
    const codes = rows.map(({ shape, vmiPhase, vmiConds }) => {
      const conditions = vmiConds.map((text) => {
        const [, type = "", status = "", reason = "", message = ""] =
          /^(\w+)=(\w+) (\w+) (.*)$/su.exec(text) ?? [];
        return { type, status, reason, message };
      });
      const { state, reason } = of({ instance: { phase: vmiPhase, conditions } });
      return [shape.slice(0, 2), state, reason?.code];
    });
    const waiting = codes.filter(([, state]) => state !== "running");
    expect(waiting.map(([shape, , code]) => `${shape} ${code}`)).toEqual([
      "17 no_gpu_free",
      "26 no_gpu_free",
      "27 gpu_not_permitted",
      "28 no_node_fits",
      "32 no_room",
      "15 over_namespace_quota",
      "16 over_namespace_quota",
      "17 no_gpu_free",
      "26 over_namespace_quota",
      "27 gpu_not_permitted",
      "28 no_node_fits",
      "30 over_namespace_quota",
      "32 over_namespace_quota",
    ]);
    expect(new Set(waiting.map(([, state]) => state))).toEqual(new Set(["waiting"]));
  });
});
