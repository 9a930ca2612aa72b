/** Sentences are those that a real control plane wrote, as far as the verdicts keep them. */
import { describe, expect, test } from "vitest";
import { z } from "zod";

import { factsHere, factsNote, readFacts } from "#test/kube/facts.ts";

import { machineCondition, type SeenTogether } from "./condition.ts";
import { readUnschedulable } from "./scheduler.ts";
import { read } from "./seen.ts";

const began = "2026-11-21T01:00:00Z";
const now = Date.parse("2026-11-21T02:00:00Z");
const name = "m-00000000-0000-4000-8000-000000000001";
const a100 = "nvidia.com/GA100_A100_SXM4_80GB";

interface Told {
  readonly machine?: object | null;
  readonly runStrategy?: string;
  readonly instance?: object;
  readonly instanceMeta?: object;
  readonly gpus?: readonly { readonly name: string }[];
  readonly pods?: readonly object[];
  readonly disks?: readonly object[];
}

/** Objects as the cluster would tell them: `machine` and `instance` are their statuses. */
function seen(told: Told): SeenTogether {
  const metadata = { name, namespace: "p", uid: "u1", resourceVersion: "7" };
  const domain = { cpu: { sockets: 2 }, memory: { guest: "4Gi" }, devices: { gpus: told.gpus } };
  const spec = {
    runStrategy: told.runStrategy ?? "RerunOnFailure",
    template: { spec: { domain } },
  };
  const parsed: SeenTogether = {
    machine:
      told.machine === null
        ? undefined
        : read.machine({ metadata, spec, status: told.machine ?? {} }),
    instance:
      told.instance === undefined
        ? undefined
        : read.instance({
            metadata: { ...metadata, ...told.instanceMeta },
            spec: { domain },
            status: told.instance,
          }),
    pods: (told.pods ?? []).map((status) => read.pod({ metadata, status })),
    dataVolumes: (told.disks ?? []).map((status) =>
      read.dataVolume({ metadata: { ...metadata, creationTimestamp: began }, status }),
    ),
  };
  return parsed;
}

const of = (told: Told) => machineCondition(seen(told), now);
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

test("a disk in the making, one that is stuck, and one without permission", () => {
  const machine = { printableStatus: "Provisioning" };
  const making = { phase: "ImportInProgress", progress: "42.00%" };
  expect(of({ machine, disks: [{ phase: "Succeeded" }, making] })).toMatchObject({
    state: "preparing",
    reason: { code: "disk_in_the_making", message: expect.stringContaining("42.00%") },
  });
  const stuck = {
    ...making,
    restartCount: 5,
    conditions: [
      { type: "Running", status: "False", message: "Unable to connect to http data source" },
    ],
  };
  expect(of({ machine, disks: [stuck] })).toMatchObject({
    state: "waiting",
    reason: { code: "import_stuck", message: expect.stringContaining("Unable to connect") },
  });
  const failure = {
    type: "Failure",
    status: "True",
    message: "Error encountered while creating DataVolumes: not authorized to create DataVolume",
  };
  expect(of({ machine: { printableStatus: "Stopped", conditions: [failure] } })).toMatchObject({
    state: "waiting",
    reason: { code: "clone_not_authorized" },
  });
});

/** Conditions as CDI 1.66 wrote them on a real node. */
const bound = { type: "Bound", status: "True", reason: "Bound" };
const disk = (phase: string, running: object, more: object = {}) => ({
  phase,
  progress: "N/A",
  conditions: [bound, { type: "Ready", status: "False" }, { type: "Running", ...running }],
  ...more,
});
const unbound = (reason: string, message: string, phase?: string) => ({
  ...(phase === undefined ? {} : { phase }),
  conditions: [
    { type: "Bound", status: "False", reason, message },
    { type: "Ready", status: "False", reason, message },
    { type: "Running", status: "False" },
  ],
});
const hanging = (status: object, at = now) =>
  machineCondition(seen({ machine: { printableStatus: "Provisioning" }, disks: [status] }), at);

test("an image that is not there is told as that, whichever way it was to be copied", () => {
  const missing = ["pvc", "snapshot"].map((kind) =>
    hanging(unbound("CloneWithoutSource", `The source ${kind} gone doesn't exist`, "Pending")),
  );
  const message =
    "Error encountered while creating DataVolumes: unable to create DataVolume manifest: " +
    'datasources.cdi.kubevirt.io "gone" not found';
  const conditions = [{ type: "Failure", status: "True", message }];
  missing.push(of({ machine: { printableStatus: "Stopped", conditions } }));
  for (const { state, reason } of missing) {
    expect(state).toBe("waiting");
    expect(reason).toMatchObject({
      code: "image_missing",
      for: "operator",
      message: "The image gone that the machine's disk is to be copied from is not in the cluster.",
    });
  }
});

test("a claim that is refused is told with the reason, also before the disk has any phase", () => {
  const quota =
    'persistentvolumeclaims "m-1-root" is forbidden: exceeded quota: by-hand, requested: ' +
    "requests.storage=2276332667, used: requests.storage=222298112, limited: requests.storage=1Gi";
  expect(hanging(unbound("ErrExceededQuota", quota, "Pending")).reason).toMatchObject({
    code: "over_namespace_quota",
    message:
      "The namespace's quota by-hand has no room for the machine's disk: it asks for requests.storage 2276332667; requests.storage 222298112 are used of requests.storage 1Gi.",
  });
  const invalid = "no accessMode specified in StorageProfile local";
  expect(hanging(unbound("ErrClaimNotValid", invalid))).toMatchObject({
    state: "waiting",
    reason: { code: "disk_not_ready", message: expect.stringContaining(invalid) },
  });
});

test("an import that fails again and again is stuck; its last moment of success is not", () => {
  const small = {
    status: "False",
    reason: "Error",
    message: "DataVolume too small to contain image",
  };
  const code = (running: object, restartCount: number) =>
    hanging(disk("ImportInProgress", running, { restartCount })).reason?.code;
  expect(code(small, 2)).toBe("disk_in_the_making");
  expect(code(small, 3)).toBe("import_stuck");
  const done = { status: "False", reason: "Completed", message: "Clone Complete" };
  expect(code(done, 4)).toBe("disk_in_the_making");
  // CDI tells this of a copy whose source cannot reach it.
  const silent = disk("CloneInProgress", { status: "False", reason: "Pod is running" });
  expect(hanging({ ...silent, restartCount: 4 }).reason?.message).toBe(
    `Disk ${name} was begun 4 times and never finished: CDI gives no reason; the log of its pod has it`,
  );
});

test("what hangs without a word in the phase is told once it lasts, and not before", () => {
  const at = Date.parse(began);
  const waits = (reason: string) =>
    disk("ImportInProgress", { status: "False", reason, lastTransitionTime: began });
  const codes = (status: object, afterMs: number) => [
    hanging(status, at + afterMs).reason?.code,
    hanging(status, at + afterMs + 1).reason?.code,
  ];
  expect(codes(waits("Scratch space required"), 60_000)).toEqual([
    "disk_in_the_making",
    "disk_lacks_scratch",
  ]);
  expect(codes(waits("Unschedulable"), 60_000)).toEqual(["disk_in_the_making", "import_unplaced"]);
  // Of a copy into a smaller claim: nothing but the claim's events has the reason.
  expect(codes(disk("CloneScheduled", { status: "False" }), 300_000)).toEqual([
    "disk_in_the_making",
    "copy_not_begun",
  ]);
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

test("S-03: a change of a machine with a GPU waits for a restart", () => {
  const conditions = [
    { type: "RestartRequired", status: "True", message: "a non-live-updatable field was changed" },
  ];
  expect(of({ machine: { conditions } }).notes).toMatchObject([
    { code: "restart_required", for: "customer" },
  ]);
});

test("why a machine cannot move ends as a sentence, whatever KubeVirt puts at its end: what to do follows it", () => {
  const notes = ["its disk has the wrong access mode", "its disk has the wrong access mode."].map(
    (message) => {
      const conditions = [{ type: "LiveMigratable", status: "False", message }];
      return of({ instance: { phase: "Running", conditions } }).notes.find(
        ({ code }) => code === "not_migratable",
      )?.message;
    },
  );
  const said = "The machine cannot move while it runs: its disk has the wrong access mode.";
  expect(notes).toEqual([said, said]);
});

test("a node that is emptied: moved, or the customer has to act", () => {
  const drained = { phase: "Running", evacuationNodeName: "gpu-002" };
  const stays = {
    ...drained,
    conditions: [
      { type: "AgentConnected", status: "True" },
      {
        type: "LiveMigratable",
        status: "False",
        reason: "HostDeviceNotLiveMigratable",
        message: "VMI specifies a GPU but feature gate VGPULiveMigration is not enabled",
      },
    ],
  };
  const gpus = [{ name: "g0" }];
  expect(of({ instance: stays, gpus }).notes).toMatchObject([
    { code: "not_migratable", for: "nobody" },
    { code: "node_is_drained", for: "customer", details: { node: "gpu-002", moves: false } },
  ]);
  expect(of({ instance: drained }).notes[0]).toMatchObject({
    code: "node_is_drained",
    for: "nobody",
  });
});

test("moves and snapshots are noted", () => {
  const moving = { phase: "Running", migrationState: { targetNode: "node-2" } };
  const broken = { phase: "Running", migrationState: { failed: true, failureReason: "no room" } };
  const codes = [moving, broken].map((instance) =>
    of({ instance, machine: { snapshotInProgress: "s" } }).notes.map(({ code }) => code),
  );
  expect(codes).toEqual([
    ["snapshot_in_progress", "guest_agent_silent", "moving"],
    ["snapshot_in_progress", "guest_agent_silent", "move_failed"],
  ]);
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
