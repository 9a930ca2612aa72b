import { afterEach, beforeEach, expect, test } from "vitest";

import { KubeClient } from "#providers/kubevirt/client/client.ts";
import type { Kind } from "#providers/kubevirt/client/kind.ts";
import { kinds } from "#providers/kubevirt/objects/kinds.ts";
import { at, listAt, textAt } from "#test/kube/api/json.ts";
import { remove } from "#test/kube/api/removal.ts";
import { factsHere } from "#test/kube/facts.ts";
import { MergeRules } from "#test/kube/api/merge-rules.ts";
import { type KubeServer, startKube } from "#test/kube/server.ts";

import { type NodeSide, type NodeSideOptions, startNodeSide } from "./node-side.ts";
import { machine } from "./sample-machine.ts";

const a100 = "nvidia.com/GA100_A100_SXM4_80GB";
const call = { signal: new AbortController().signal };
const place = { namespace: "n", name: "m" };

let server: KubeServer;
let side: NodeSide;
let client: KubeClient;

beforeEach(async () => {
  await start({ nodes: [{ name: "node-1" }, { name: "node-2", resources: { [a100]: 2 } }] });
});

afterEach(async () => {
  await stop();
});

async function start(options: NodeSideOptions): Promise<void> {
  server = await startKube();
  side = startNodeSide(server, options);
  client = new KubeClient(server.cluster());
  const namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name: "n" } };
  await client.apply(call, kinds.namespace, namespace);
}

async function stop(): Promise<void> {
  side.close();
  client.close();
  await server.close();
}

function read(kind: Kind, ...path: string[]): unknown {
  return at(server.objects.store.get(kind, place), ...path);
}

function statusOf(kind: Kind, name: string): unknown {
  return server.objects.store.get(kind, { namespace: "n", name })?.["status"];
}

async function shows(status: string): Promise<void> {
  await expect.poll(() => read(kinds.machine, "status", "printableStatus")).toBe(status);
}

async function act(action: string): Promise<void> {
  await client.act(call, kinds.machineAction, { name: place, action });
}

test("a machine gets its disk, its pod and a node, and says when each phase began", async () => {
  await client.apply(call, kinds.machine, machine());
  await shows("Running");
  const instance = server.objects.store.get(kinds.machineInstance, place);
  const times = listAt(instance, "status", "phaseTransitionTimestamps");
  expect(times.map((each) => textAt(each, "phase"))).toEqual([
    "Pending",
    "Scheduling",
    "Scheduled",
    "Running",
  ]);
  expect(read(kinds.claim, "status", "phase") ?? "Bound").toBe("Bound");
  const pod = server.objects.store.all(kinds.pod, "n")[0];
  expect(at(pod, "spec", "containers")).toMatchObject([
    { resources: { requests: { cpu: expect.any(String), memory: expect.any(String) } } },
  ]);
});

test("what the node side writes is what the schemas allow", async () => {
  await client.apply(call, kinds.machine, machine({ gpus: factsHere ? [a100] : [] }));
  await shows("Running");
  const { schemas } = new MergeRules();
  const wrong = server.objects.store.kinds.flatMap((kind) =>
    server.objects.store
      .all(kind)
      .flatMap((document) => schemas.problems(document))
      .filter(({ code }) => code !== "unknown-kind"),
  );
  expect(wrong).toEqual([]);
});

test("stop ends the machine and start begins it anew; what is not possible is refused", async () => {
  await client.apply(call, kinds.machine, machine());
  await shows("Running");
  await expect(act("start")).rejects.toMatchObject({ code: 409 });
  const first = read(kinds.machineInstance, "metadata", "uid");
  await act("stop");
  await shows("Stopped");
  expect(read(kinds.machineInstance)).toBeUndefined();
  expect(read(kinds.machine, "spec", "runStrategy")).toBe("RerunOnFailure");
  await expect(act("stop")).rejects.toMatchObject({ code: 409 });
  await act("start");
  await shows("Running");
  const second = read(kinds.machineInstance, "metadata", "uid");
  expect(second).not.toBe(first);
  await act("restart");
  await expect.poll(() => read(kinds.machineInstance, "metadata", "uid")).not.toBe(second);
  await shows("Running");
});

test("stop of a machine that always runs rewrites its strategy", async () => {
  await client.apply(call, kinds.machine, machine({ runStrategy: "Always" }));
  await shows("Running");
  await act("stop");
  await shows("Stopped");
  expect(read(kinds.machine, "spec", "runStrategy")).toBe("Halted");
  await act("start");
  await shows("Running");
  expect(read(kinds.machine, "spec", "runStrategy")).toBe("Always");
});

test("a guest that shut down stays off, and its run is taken away; one that crashed comes back", async () => {
  await client.apply(call, kinds.machine, machine());
  await shows("Running");
  const first = read(kinds.machineInstance, "metadata", "uid");
  side.guestEnds(place, "crashed");
  await expect.poll(() => read(kinds.machineInstance, "metadata", "uid")).not.toBe(first);
  await shows("Running");
  side.guestEnds(place, "shut down");
  await shows("Stopped");
  await expect.poll(() => read(kinds.machineInstance)).toBeUndefined();
  await act("start");
  await shows("Running");
});

test("a machine waits for room with the scheduler's reason, and gets it when it is there", async () => {
  await client.apply(call, kinds.machine, machine({ cpus: 100 }));
  await shows("ErrorUnschedulable");
  const said = JSON.stringify(read(kinds.machineInstance, "status", "conditions"));
  expect(said).toContain("0/2 nodes are available: 2 Insufficient cpu.");
  side.addNode({ name: "node-3", cpus: 200 });
  await shows("Running");
});

test("a GPU that no node offers is not permitted, and the machine stays Starting", async () => {
  await client.apply(call, kinds.machine, machine({ gpus: ["nvidia.com/gpu"] }));
  await expect
    .poll(() => JSON.stringify(read(kinds.machineInstance, "status", "conditions") ?? []))
    .toContain("GPU nvidia.com/gpu is not permitted in permittedHostDevices");
  await shows("Starting");
});

test("pause and unpause, and what was changed while it runs needs a restart", async () => {
  await client.apply(call, kinds.machine, machine());
  await shows("Running");
  await client.act(call, kinds.machineInstanceAction, { name: place, action: "pause" });
  await shows("Paused");
  await client.act(call, kinds.machineInstanceAction, { name: place, action: "unpause" });
  await shows("Running");
  await client.apply(call, kinds.machine, machine({ cpus: 4 }));
  await expect
    .poll(() => JSON.stringify(read(kinds.machine, "status", "conditions")))
    .toContain('"RestartRequired","status":"True"');
});

test("a migration moves a machine; one with a GPU is refused", async () => {
  await client.apply(call, kinds.machine, machine());
  await shows("Running");
  const from = read(kinds.machineInstance, "status", "nodeName");
  await act("migrate");
  await expect.poll(() => read(kinds.machineInstance, "status", "nodeName")).not.toBe(from);
  await expect.poll(() => server.objects.store.all(kinds.pod, "n").length).toBe(1);
  await shows("Running");
  await client.delete(call, kinds.machine, place);
  await expect.poll(() => read(kinds.machineInstance)).toBeUndefined();
  await client.apply(call, kinds.machine, machine({ gpus: [a100] }));
  await shows("Running");
  await expect(act("migrate")).rejects.toMatchObject({
    code: 403,
    message: expect.stringContaining("HostDeviceNotLiveMigratable"),
  });
});

test("an eviction of a machine with strategy External only leaves a mark", async () => {
  await client.apply(call, kinds.machine, machine({ gpus: [a100], evictionStrategy: "External" }));
  await shows("Running");
  const [pod] = server.objects.store.all(kinds.pod, "n");
  const name = { namespace: "n", name: pod?.metadata.name ?? "" };
  const eviction = { name, action: "eviction", method: "POST" } as const;
  await expect(client.act(call, kinds.pod, eviction)).rejects.toMatchObject({ code: 429 });
  expect(read(kinds.machineInstance, "status", "evacuationNodeName")).toBe("node-2");
  await client.act(call, kinds.machineInstanceAction, { name: place, action: "evacuate/cancel" });
  expect(read(kinds.machineInstance, "status", "evacuationNodeName")).toBeUndefined();
});

test("deleting a machine takes its instance, pod, volume and claim with it", async () => {
  await client.apply(call, kinds.machine, machine());
  await shows("Running");
  await client.delete({ ...call, propagation: "Foreground" }, kinds.machine, place);
  for (const kind of [kinds.machine, kinds.machineInstance, kinds.pod, kinds.dataVolume]) {
    await expect.poll(() => server.objects.store.all(kind, "n")).toEqual([]);
  }
  await expect.poll(() => server.objects.store.all(kinds.claim, "n")).toEqual([]);
});

test("deleting the namespace takes all of it", async () => {
  await client.apply(call, kinds.machine, machine());
  await shows("Running");
  await client.delete(call, kinds.namespace, { name: "n" });
  await expect.poll(() => client.get(call, kinds.namespace, { name: "n" })).toBeUndefined();
});

test("on a node that is silent nothing ends; taken out, its machines run elsewhere", async () => {
  await client.apply(call, kinds.machine, machine());
  await shows("Running");
  const node = String(read(kinds.machineInstance, "status", "nodeName"));
  side.nodeGoes(node);
  const [pod] = server.objects.store.all(kinds.pod, "n");
  if (pod === undefined) throw new Error("it has a pod");
  remove(server.objects, kinds.pod, pod.metadata, { propagation: "Background" });
  await client.version(call);
  expect(
    server.objects.store.get(kinds.pod, pod.metadata)?.metadata.deletionTimestamp,
  ).toBeDefined();
  side.nodeIsRemoved(node);
  await expect.poll(() => read(kinds.machineInstance, "status", "nodeName")).not.toBe(node);
  await shows("Running");
});

test("a snapshot names the disks that it has and those that it has not; a restore waits for a stop", async () => {
  await stop();
  let can = true;
  await start({ nodes: [{ name: "node-1" }], canSnapshot: () => can });
  await client.apply(call, kinds.machine, machine());
  await shows("Running");
  const source = { apiGroup: "kubevirt.io", kind: "VirtualMachine", name: "m" };
  const api = { apiVersion: "snapshot.kubevirt.io/v1beta1", kind: "VirtualMachineSnapshot" };
  const snapshot = { ...api, metadata: { name: "s", namespace: "n" }, spec: { source } };
  await client.apply(call, kinds.snapshot, snapshot);
  await expect
    .poll(() => statusOf(kinds.snapshot, "s"))
    .toMatchObject({ readyToUse: true, snapshotVolumes: { includedVolumes: ["root"] } });
  can = false;
  await client.apply(call, kinds.snapshot, {
    ...snapshot,
    metadata: { name: "t", namespace: "n" },
  });
  await expect
    .poll(() => statusOf(kinds.snapshot, "t"))
    .toMatchObject({ snapshotVolumes: { includedVolumes: [], excludedVolumes: ["root"] } });

  const restore = {
    ...api,
    kind: "VirtualMachineRestore",
    metadata: { name: "r", namespace: "n" },
    spec: { target: source, virtualMachineSnapshotName: "s" },
  };
  await client.apply(call, kinds.restore, restore);
  await expect.poll(() => statusOf(kinds.restore, "r")).toMatchObject({ complete: false });
  await act("stop");
  await expect.poll(() => statusOf(kinds.restore, "r")).toMatchObject({ complete: true });
});

test("a disk that is not filled keeps its machine Provisioning; one that fails says so", async () => {
  await stop();
  let how: "waits" | "fails" | "at once" = "waits";
  await start({ nodes: [{ name: "node-1" }], filling: () => how });
  await client.apply(call, kinds.machine, machine());
  await shows("Provisioning");
  how = "fails";
  const touch = { name: place, patch: { metadata: { annotations: { look: "again" } } } };
  await client.patch(call, kinds.dataVolume, touch);
  await shows("DataVolumeError");
  expect(read(kinds.machineInstance)).toBeUndefined();
});
