/** Another size while a machine runs: what KubeVirt plugs into it, and what waits for its next start. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { machineName, namespaceName } from "#providers/kubevirt/compile/names.ts";
import { kinds } from "#providers/kubevirt/objects/kinds.ts";
import type { Machine, MachineSpec } from "#providers/provider.ts";
import { textAt } from "#test/kube/api/json.ts";
import { a100, startTestCluster, type TestCluster } from "#test/kube/driver-cluster.ts";
import { sampleSpec } from "#test/kube/sample-spec.ts";

import { KubevirtProvider } from "./provider.ts";

const patience = { timeout: 60_000, interval: 50 };
const call = { signal: new AbortController().signal };
const gib = 1024 ** 3;

let cluster: TestCluster;
let provider: KubevirtProvider;

/** KubeVirt is set up to plug what it can into machines that run. */
beforeEach(async () => {
  cluster = await startTestCluster();
  const { server, settings } = cluster;
  const spec = { workloadUpdateStrategy: { workloadUpdateMethods: ["LiveMigrate"] } };
  const place = { namespace: "kubevirt", name: "kubevirt" };
  server.objects.patch(
    kinds.kubevirt,
    place,
    { spec },
    { manager: "kubectl", validation: "Ignore" },
  );
  provider = new KubevirtProvider({ settings, cluster: server.cluster(), now: Date.now });
});

afterEach(async () => {
  await provider.close();
  await cluster.close();
});

async function running(change: Partial<MachineSpec> = {}): Promise<MachineSpec> {
  const spec = sampleSpec(change);
  await provider.create({ ...call, operationId: "create", owner: spec.owner }, spec);
  await shows(spec, { guest: { ready: true } });
  return spec;
}

async function shows({ id }: MachineSpec, what: object): Promise<Machine> {
  return vi.waitFor(async () => {
    const machine = await provider.machine(call, id);
    if (machine === undefined) throw new Error("it is not there");
    expect(machine).toMatchObject(what);
    return machine;
  }, patience);
}

const placeOf = ({ id, owner }: MachineSpec) => ({
  namespace: namespaceName(owner.projectId),
  name: machineName(id),
});

test("S-03, R-MEM-06: memory is plugged into a machine that runs, and its run goes on", async () => {
  const { resizeMemoryLive } = (await provider.info(call)).capabilities;
  expect(resizeMemoryLive).toEqual({ can: true });
  const spec = await running();
  const before = await shows(spec, { pendingResize: false, memoryBytes: gib });
  const to = { memoryBytes: 2 * gib };
  await provider.resize({ ...call, operationId: "grow", owner: spec.owner }, spec.id, to);
  const after = await shows(spec, { pendingResize: false, memoryBytes: 2 * gib });
  expect([after.power.value, after.powerSince]).toEqual(["running", before.powerSince]);
});

test("S-03: more CPUs of a machine that shares them wait for its next start, and the memory that came with them", async () => {
  const spec = await running();
  const as = (operationId: string) => ({ ...call, operationId, owner: spec.owner });
  const to = { cpu: { sockets: 2, cores: 1, threads: 1 }, memoryBytes: 2 * gib };
  await provider.resize(as("grow"), spec.id, to);
  await shows(spec, {
    pendingResize: true,
    cpu: spec.cpu,
    memoryBytes: gib,
    notes: [expect.objectContaining({ code: "restart_required" })],
  });
  await provider.power(as("stop"), spec.id, { to: "stop" });
  await shows(spec, { power: { value: "stopped" } });
  await provider.power(as("start"), spec.id, { to: "start" });
  await shows(spec, { guest: { ready: true }, pendingResize: false, ...to });
});

test("S-03: a machine with a GPU is told to wait for a restart, and has its new size from then on", async () => {
  const gpus = [{ deviceId: `${a100}/0`, model: "A100", slice: 1 }];
  const spec = await running({ gpus });
  const as = (operationId: string) => ({ ...call, operationId, owner: spec.owner });
  await provider.resize(as("grow"), spec.id, { memoryBytes: 2 * gib });
  await shows(spec, {
    pendingResize: true,
    memoryBytes: gib,
    notes: expect.arrayContaining([expect.objectContaining({ code: "restart_required" })]),
  });

  await provider.power(as("stop"), spec.id, { to: "stop" });
  await shows(spec, { power: { value: "stopped" } });
  await provider.power(as("start"), spec.id, { to: "start" });
  await shows(spec, { guest: { ready: true }, pendingResize: false, memoryBytes: 2 * gib });
  const run = cluster.server.objects.store.get(kinds.machineInstance, placeOf(spec));
  expect(textAt(run, "spec", "domain", "memory", "guest")).toBe("2Gi");
});
