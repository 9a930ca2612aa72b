/** A machine that a revert switched off is on again: by a loop, by any process, and never by a read. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { actName, machineName, namespaceName } from "#providers/kubevirt/compile/names.ts";
import { kinds } from "#providers/kubevirt/objects/kinds.ts";
import type { MachineSpec, OperationRef, PowerState } from "#providers/provider.ts";
import { at, textAt } from "#test/kube/api/json.ts";
import { forbidden } from "#test/kube/api/refusal.ts";
import { startTestCluster, type TestCluster } from "#test/kube/driver-cluster.ts";
import { sampleSpec } from "#test/kube/sample-spec.ts";

import { KubevirtProvider } from "./provider.ts";

const patience = { timeout: 60_000, interval: 50 };
const call = { signal: new AbortController().signal };
const snapshot = { id: "00000000-0000-4000-8000-00000000000a", name: "s", withMemory: false };

let cluster: TestCluster;
const open = new Set<KubevirtProvider>();

beforeEach(async () => {
  cluster = await startTestCluster();
});

afterEach(async () => {
  await Promise.all([...open].map((each) => each.close()));
  open.clear();
  await cluster.close();
});

function driver(writes = true): KubevirtProvider {
  const { server, settings } = cluster;
  const options = { settings, cluster: server.cluster(), now: Date.now, writes };
  const provider = new KubevirtProvider(options);
  open.add(provider);
  return provider;
}

async function close(provider: KubevirtProvider): Promise<void> {
  open.delete(provider);
  await provider.close();
}

function ask(operationId: string, { owner }: MachineSpec) {
  return { ...call, operationId, owner };
}

async function over(provider: KubevirtProvider, ref: OperationRef): Promise<string> {
  return vi.waitFor(async () => {
    const { state } = await provider.operation(call, ref);
    if (state === "running") throw new Error("it still runs");
    return state;
  }, patience);
}

function becomes(provider: KubevirtProvider, id: string, power: PowerState): Promise<void> {
  return vi.waitFor(async () => {
    expect((await provider.machine(call, id))?.power.value).toBe(power);
  }, patience);
}

/** It runs, and has a snapshot. */
async function prepared(provider: KubevirtProvider): Promise<MachineSpec> {
  const spec = sampleSpec();
  await provider.create(ask(`${spec.id}:create`, spec), spec);
  await becomes(provider, spec.id, "running");
  const taken = await provider.snapshot(ask("take", spec), spec.id, snapshot);
  expect(await over(provider, taken)).toBe("done");
  return spec;
}

function strategy({ id, owner }: MachineSpec): string {
  const place = { namespace: namespaceName(owner.projectId), name: machineName(id) };
  const machine = cluster.server.objects.store.get(kinds.machine, place);
  return textAt(machine, "spec", "runStrategy");
}

function written(): number {
  return [...cluster.server.requests].reduce(
    (sum, [request, count]) => (request.startsWith("GET") ? sum : sum + count),
    0,
  );
}

test("H-29: nothing is written by who asks how far it is; the next process that may write goes on", async () => {
  const first = driver();
  const spec = await prepared(first);
  const ref = await first.revert(ask("revert-1", spec), spec.id, snapshot.id);
  await close(first);
  expect(strategy(spec)).toBe("Halted");

  const reader = driver(false);
  await becomes(reader, spec.id, "stopped");
  const before = written();
  for (let looks = 0; looks < 20; looks += 1) {
    expect(await reader.operation(call, ref)).toEqual({ state: "running" });
    await reader.machine(call, spec.id);
  }
  expect(written()).toBe(before);

  const next = driver();
  expect(await over(next, ref)).toBe("done");
  expect((await next.machine(call, spec.id))?.power.value).toBe("running");
  // The run before it was ended by us, which is no crash.
  expect((await next.machine(call, spec.id))?.stop).toBeUndefined();
  expect(await over(reader, ref)).toBe("done");
});

test("H-29: after a revert its disks have other names: its snapshots hold it as before, it takes more, and its disk grows", async () => {
  const provider = driver();
  const spec = await prepared(provider);
  const done = async (ref: Promise<OperationRef>): Promise<void> => {
    expect(await over(provider, await ref)).toBe("done");
  };
  await done(provider.revert(ask("revert", spec), spec.id, snapshot.id));
  await becomes(provider, spec.id, "running");
  const disk = cluster.server.objects.store.all(kinds.claim);
  expect(disk.map(({ metadata }) => metadata.name)).toEqual([expect.stringMatching(/^restore-/u)]);

  const second = { ...snapshot, id: "00000000-0000-4000-8000-00000000000b" };
  await done(provider.snapshot(ask("again", spec), spec.id, second));
  const { items } = await provider.snapshots(call, spec.id);
  expect(items.map(({ id }) => id).toSorted()).toEqual([snapshot.id, second.id]);
  const diskBytes = 2 * spec.diskBytes;
  await done(provider.resize(ask("grow", spec), spec.id, { diskBytes }));
  expect((await provider.machine(call, spec.id))?.diskBytes).toBe(diskBytes);
});

test.each([true, false])(
  "H-29: a revert brings back disks, and not the size or the node of then: it was sold another since (on: %s)",
  async (isOn) => {
    const provider = driver();
    const spec = await prepared(provider);
    const gib = 1024 ** 3;
    const size = {
      cpu: { sockets: 2, cores: 1, threads: 1 },
      memoryBytes: 2 * gib,
      diskBytes: 3 * gib,
    };
    const done = async (ref: Promise<OperationRef>): Promise<void> => {
      expect(await over(provider, await ref)).toBe("done");
    };
    await provider.power(ask("stop", spec), spec.id, { to: "stop" });
    await becomes(provider, spec.id, "stopped");
    await done(provider.resize(ask("grow", spec), spec.id, size));
    await provider.power(ask("start", spec), spec.id, { to: "start", hostId: "node-2" });
    await becomes(provider, spec.id, "running");
    if (!isOn) {
      await provider.power(ask("off", spec), spec.id, { to: "stop" });
      await becomes(provider, spec.id, "stopped");
    }

    await done(provider.revert(ask("revert", spec), spec.id, snapshot.id));
    await becomes(provider, spec.id, isOn ? "running" : "stopped");
    expect(await provider.machine(call, spec.id)).toMatchObject({ ...size, pendingResize: false });
    const { store } = cluster.server.objects;
    const place = { namespace: namespaceName(spec.owner.projectId), name: machineName(spec.id) };
    const [claim] = store.all(kinds.claim);
    expect(textAt(claim, "spec", "resources", "requests", "storage")).toBe("3Gi");
    const wish = at(store.get(kinds.machine, place), "spec", "template", "spec", "affinity");
    expect(JSON.stringify(wish)).toContain("node-2");
    expect(JSON.stringify(wish)).not.toContain("node-1");
    expect(strategy(spec)).toBe(isOn ? "RerunOnFailure" : "Halted");
  },
);

test("H-29: a machine is on again also if it could not be put back, and that is said", async () => {
  const provider = driver();
  const spec = await prepared(provider);
  const { objects } = cluster.server;
  objects.admissions.add((kind, { before }) => {
    if (kind === kinds.restore && before === undefined) {
      throw forbidden(kind, "restore", "no restores today");
    }
  });
  const ref = await provider.revert(ask("revert-2", spec), spec.id, snapshot.id);
  expect(await over(provider, ref)).toBe("failed");
  const status = await provider.operation(call, ref);
  expect(status).toMatchObject({
    error: { message: expect.stringContaining("no restores today") },
  });
  expect((await provider.machine(call, spec.id))?.power.value).toBe("running");
});

test("H-29: who stops it meanwhile finds it stopped, and is not overruled", async () => {
  const first = driver();
  const spec = await prepared(first);
  const ref = await first.revert(ask("revert-3", spec), spec.id, snapshot.id);
  await first.power(ask("stop-3", spec), spec.id, { to: "stop" });
  expect(await over(first, ref)).toBe("done");
  expect(strategy(spec)).toBe("Halted");
  const namespace = namespaceName(spec.owner.projectId);
  const name = actName("restore", "revert-3");
  const restore = cluster.server.objects.store.get(kinds.restore, { namespace, name });
  expect(JSON.stringify(restore)).toContain('"complete":true');
});
