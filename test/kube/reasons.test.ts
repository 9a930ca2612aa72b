/**
 * What a machine waits for, and what a cluster lacks, as a customer and an operator read it through the
 * API: told in words while it is so, and gone when it is mended.
 */
import { expect, test, vi } from "vitest";

import type { Client } from "#client/client.ts";
import type { AnswerOf } from "#client/types.ts";
import { present } from "#kernel/assert.ts";
import { kinds } from "#providers/kubevirt/objects/kinds.ts";

import type { Admission } from "./api/objects.ts";
import { forbidden } from "./api/refusal.ts";
import { remove } from "./api/removal.ts";
import { startClusterCloud } from "./cloud.ts";
import { byController, setStatus } from "./node-side/writing.ts";

const gpu = "nvidia.com/AD102GL_L40S";
const cloud = await startClusterCloud({
  settings: { gpus: { [gpu]: { model: "L40S", memoryGib: 48 } } },
});
const { nodes, server } = cloud.cluster;
const { objects } = server;
const waiting = { timeout: 120_000, interval: 100 };
const sshKey =
  "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIH0000000000000000000000000000000000000000000 someone";

const operator = cloud.client(cloud.operatorKey);
const { tenant, administrator } = await operator.call("createTenant", { body: { name: "acme" } });
await cloud
  .client(cloud.operatorKey, tenant.id)
  .call("createTopUp", { body: { amount: "1000", reference: "transfer 1" } });
const acme: Client = cloud.client(administrator.secret);
await acme.call("createSshKey", { body: { name: "laptop", publicKey: sshKey } });

type Lease = AnswerOf<"getLease">;

async function rented(name: string, flavor = "nano"): Promise<string> {
  const { lease } = await acme.call("createLease", { body: { name, flavor, image: "tiny" } });
  return lease.id;
}

function leaseOf(leaseId: string): Promise<Lease> {
  return acme.call("getLease", { params: { leaseId } });
}

/** Told on the lease and among its events, with what to do and who can. */
async function waitsFor(leaseId: string, code: string): Promise<NonNullable<Lease["reason"]>> {
  const reason = await vi.waitFor(async () => {
    const lease = await leaseOf(leaseId);
    expect({ state: lease.state, code: lease.reason?.code }).toEqual({ state: "creating", code });
    return present(lease.reason, "the reason");
  }, waiting);
  expect(reason.details).toMatchObject({ who: "operator", advice: expect.stringMatching(/\.$/) });
  const { items } = await acme.call("listLeaseEvents", { params: { leaseId } });
  const told = items.filter(({ kind, details }) => kind === "waiting" && details["code"] === code);
  expect(told.map(({ message }) => message)).toEqual([reason.message]);
  return reason;
}

async function runs(leaseId: string): Promise<void> {
  await vi.waitFor(async () => {
    expect(await leaseOf(leaseId)).toMatchObject({ state: "running", reason: null });
  }, waiting);
}

async function released(leaseId: string): Promise<void> {
  await acme.call("releaseLease", { params: { leaseId } });
  await vi.waitFor(async () => {
    expect(await leaseOf(leaseId)).toMatchObject({ state: "released" });
  }, waiting);
}

/** What KubeVirt's agent says of the kubelet there. */
function givesCpus(name: string, value: "true" | "false"): void {
  const labels = { "kubevirt.io/cpumanager": value };
  objects.patch(kinds.node, { name }, { metadata: { labels } }, byController);
}

test("R-CPU-11, R-CORE-03: class core goes where the kubelet gives it CPUs of its own, or is refused before it costs", async () => {
  const starting = async (): Promise<readonly string[]> => {
    const { items } = await operator.call("listHosts");
    expect(items).toHaveLength(2);
    const starts = items.filter(({ refuses }) => refuses.every(({ work }) => work !== "core"));
    return starts.map(({ name }) => name);
  };
  const cpu = { sockets: 1, cores: 2, threads: 1 };
  await operator.call("createFlavor", {
    body: { name: "own", vcpus: 2, cpu, memoryMiB: 2048, diskGiB: 5, serviceClass: "core" },
  });
  givesCpus("node-2", "false");
  await vi.waitFor(async () => expect(await starting()).toEqual(["node-1"]), waiting);
  // Where there is room matters less: without the rule the second would go to the other node.
  const leases = await Promise.all(["first", "second"].map((name) => rented(name, "own")));
  for (const leaseId of leases) {
    // oxlint-disable-next-line no-await-in-loop -- two
    await runs(leaseId);
  }
  const { items } = await operator.call("listHosts");
  expect(items.map(({ name, cpusUsed }) => [name, cpusUsed > 4])).toEqual([
    ["node-1", true],
    ["node-2", false],
  ]);
  givesCpus("node-1", "false");
  await vi.waitFor(async () => expect(await starting()).toEqual([]), waiting);
  await expect(rented("third", "own")).rejects.toMatchObject({
    code: "unplaceable",
    message: expect.stringContaining("starts no machines of class core on 2"),
  });
  const system = await operator.call("getSystem");
  expect(system.findings.map(({ message }) => message)).toContainEqual(
    expect.stringMatching(/^No node of the cluster starts machines of class core: the kubelet/u),
  );
  givesCpus("node-1", "true");
  await vi.waitFor(async () => expect(await starting()).toEqual(["node-1"]), waiting);
  await Promise.all(leases.map(released));
}, 400_000);

test("M-VM-02: a machine that no node takes now says why on its lease, until one does", async () => {
  // Somebody else's, whom our books do not know: they fill both nodes.
  const others = ["other-1", "other-2"].map((name) => ({ namespace: "kubevirt", name }));
  for (const { namespace, name } of others) {
    const resources = { requests: { cpu: "64" } };
    const spec = { containers: [{ name: "main", image: "other", resources }] };
    objects.create(kinds.pod, namespace, { metadata: { name }, spec }, byController);
  }
  await vi.waitFor(() => {
    const placed = objects.store.all(kinds.pod).filter(({ status }) => status !== undefined);
    expect(placed).toHaveLength(2);
  }, waiting);
  const leaseId = await rented("unplaced");
  const { message } = await waitsFor(leaseId, "no_room");
  expect(message).toBe("None of 2 nodes can take the machine: 2 have too little cpu left.");
  for (const place of others) {
    remove(objects, kinds.pod, place, { propagation: "Background", graceSeconds: 0 });
  }
  await runs(leaseId);
  await released(leaseId);
}, 400_000);

test("R-CPU-12: a quota of the namespace that has no room is told with its numbers", async () => {
  const said =
    "exceeded quota: millrace, requested: requests.cpu=1, used: requests.cpu=4, limited: requests.cpu=4";
  const full: Admission = (kind, { before, after }) => {
    if (kind !== kinds.pod || before !== undefined) return;
    throw forbidden(kind, after.metadata.name, said);
  };
  objects.admissions.add(full);
  const leaseId = await rented("over-quota");
  const { message } = await waitsFor(leaseId, "over_namespace_quota");
  expect(message).toContain("requests.cpu 4 are used of requests.cpu 4");
  objects.admissions.delete(full);
  await runs(leaseId);
  await released(leaseId);
}, 400_000);

test("a disk whose import fails is told once the machine hangs, and forgotten when it is filled", async () => {
  nodes.fills({ stuck: "Unable to connect to http data source: 404 Not Found" });
  const leaseId = await rented("unfilled");
  const { message } = await waitsFor(leaseId, "import_stuck");
  expect(message).toContain("404 Not Found");
  nodes.fills("at once");
  await runs(leaseId);
  await released(leaseId);
}, 400_000);

test("an image that the node cannot fetch is told, and a note of a machine that runs", async () => {
  nodes.pulls({ because: "no such image: virt-launcher:v1.9.0" });
  const leaseId = await rented("unpulled");
  const { message } = await waitsFor(leaseId, "image_not_pulled");
  expect(message).toContain("no such image: virt-launcher:v1.9.0");
  const forOperator = { on: "operator", site: "cluster-1", leases: 1, jobs: 0 };
  expect(await waits()).toEqual([{ ...forOperator, code: "image_not_pulled" }]);
  nodes.pulls(undefined);
  await runs(leaseId);
  expect(await leaseOf(leaseId)).toMatchObject({ notes: [] });

  const [instance] = objects.store.all(kinds.machineInstance);
  const { namespace, name } = present(instance, "its run").metadata;
  const migrationState = { completed: true, failed: true, failureReason: "no room" };
  setStatus(objects, kinds.machineInstance, { namespace, name }, { migrationState });
  await vi.waitFor(async () => {
    const { state, notes } = await leaseOf(leaseId);
    expect(state).toBe("running");
    expect(notes).toMatchObject([{ code: "move_failed", who: "operator" }]);
  }, waiting);
  expect(await waits()).toEqual([{ ...forOperator, code: "move_failed" }]);
  setStatus(objects, kinds.machineInstance, { namespace, name }, { migrationState: null });
  await vi.waitFor(async () => {
    expect(await leaseOf(leaseId)).toMatchObject({ state: "running", notes: [] });
  }, waiting);
  expect(await waits()).toEqual([]);
  await released(leaseId);
}, 400_000);

test("a machine that is stopped before it could start stays off when it could", async () => {
  nodes.pulls({ because: "no such image: virt-launcher:v1.9.0" });
  const leaseId = await rented("never-mind");
  await waitsFor(leaseId, "image_not_pulled");
  await acme.call("stopLease", { params: { leaseId }, body: { graceSeconds: 0 } });
  await vi.waitFor(async () => {
    expect(await leaseOf(leaseId)).toMatchObject({ state: "stopped" });
  }, waiting);
  const [machine] = objects.store.all(kinds.machine);
  expect(machine?.["spec"]).toMatchObject({ runStrategy: "Halted" });
  await vi.waitFor(() => expect(objects.store.all(kinds.machineInstance)).toEqual([]), waiting);
  nodes.pulls(undefined);
  await acme.call("startLease", { params: { leaseId } });
  await runs(leaseId);
  await released(leaseId);
}, 400_000);

async function waits(): Promise<unknown> {
  return (await operator.call("getSystem")).waits;
}

async function findings(): Promise<readonly string[]> {
  const { findings: all } = await operator.call("getSystem");
  return all.map(
    ({ severity, site, message, advice }) => `${severity} of ${site}: ${message} ${advice}`,
  );
}

test("R-GPU-03: the operator is told what the cluster lacks and what to do, until he did it", async () => {
  const unpermitted = `problem of cluster-1: GPU ${gpu} is in the site's settings and not among permittedHostDevices: no machine gets it. Permit it in KubeVirt's configuration, or take it out of the settings.`;
  await vi.waitFor(async () => expect(await findings()).toContain(unpermitted), waiting);
  const unoffered = `warning of cluster-1: No node offers GPU ${gpu} of the site's settings. Look at the device plug-in on the nodes, or correct the resource name.`;
  expect(await findings()).toContain(unoffered);

  const device = { pciVendorSelector: "10DE:26B9", resourceName: gpu };
  const configuration = { permittedHostDevices: { pciHostDevices: [device] } };
  objects.patch(
    kinds.kubevirt,
    { namespace: "kubevirt", name: "kubevirt" },
    { spec: { configuration } },
    byController,
  );
  const [snapshotClass] = objects.store.all(kinds.volumeSnapshotClass);
  objects.store.remove(kinds.volumeSnapshotClass, present(snapshotClass, "the class"));
  // What a cluster is set up as is read once a minute.
  await cloud.setForward(61_000);
  const unsnapped =
    "warning of cluster-1: Storage class ceph-block has no VolumeSnapshotClass: snapshots of machines on it are refused. Make a VolumeSnapshotClass for its provisioner.";
  await vi.waitFor(async () => {
    const told = await findings();
    expect(told).not.toContain(unpermitted);
    expect(told).toContain(unsnapped);
  }, waiting);
}, 400_000);
