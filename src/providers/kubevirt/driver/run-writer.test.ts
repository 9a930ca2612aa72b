/** How runs ended is written down as it was, whoever looks when, and however many write. */
import { randomUUID } from "node:crypto";
import { setImmediate as turn } from "node:timers/promises";

import { afterEach, expect, test, vi } from "vitest";

import { KubeClient } from "#providers/kubevirt/client/client.ts";
import { machineName, namespaceName } from "#providers/kubevirt/compile/names.ts";
import { kinds } from "#providers/kubevirt/objects/kinds.ts";
import { listAt, textAt } from "#test/kube/api/json.ts";
import { forbidden, tooManyRequests } from "#test/kube/api/refusal.ts";
import { startTestCluster, type TestCluster } from "#test/kube/driver-cluster.ts";
import { sampleSpec } from "#test/kube/sample-spec.ts";

import { ClusterView } from "./cluster-view.ts";
import { KubevirtProvider } from "./provider.ts";
import { runOf } from "./run-record.ts";
import { RunWriter } from "./run-writer.ts";

const waiting = { timeout: 120_000, interval: 20 };
const hourMs = 3_600_000;

/** Of one test at a time, with a clock that it may set forward. */
let ahead = 0;
const now = (): number => Date.now() + ahead;
const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

async function startCluster(): Promise<TestCluster> {
  const cluster = await startTestCluster({ now });
  closing.push(() => cluster.close());
  return cluster;
}

function open({ server, settings }: TestCluster): KubevirtProvider {
  const provider = new KubevirtProvider({ settings, cluster: server.cluster(), now });
  closing.push(() => provider.close());
  return provider;
}

async function startMachine(cluster: TestCluster, provider: KubevirtProvider) {
  const spec = sampleSpec();
  const call = { signal: AbortSignal.timeout(300_000), owner: spec.owner };
  await provider.create({ ...call, operationId: randomUUID() }, spec);
  const place = { namespace: namespaceName(spec.owner.projectId), name: machineName(spec.id) };
  const { store } = cluster.server.objects;
  return {
    place,
    call,
    id: spec.id,
    /** As it is written on the machine. */
    run: () => runOf(store.get(kinds.machine, place)?.metadata.annotations),
    /** Of the run that is there, by the cluster's clock. */
    endedAt: () => {
      const instance = store.get(kinds.machineInstance, place);
      const ended = listAt(instance, "status", "phaseTransitionTimestamps").find(
        (each) => textAt(each, "phase") === "Succeeded",
      );
      return Date.parse(textAt(ended, "phaseTransitionTimestamp"));
    },
    isReady: async () => {
      const seen = await provider.machine({ signal: AbortSignal.timeout(10_000) }, spec.id);
      expect(seen?.guest.ready).toBe(true);
    },
  };
}

test("MT-02: a run that ended while nobody watched ends when the cluster says, also if its machine is seen long before it", async () => {
  const cluster = await startCluster();
  const before = open(cluster);
  const machine = await startMachine(cluster, before);
  await vi.waitFor(machine.isReady, waiting);
  await vi.waitFor(() => expect(machine.run()?.readyAt).toBeDefined(), waiting);
  await before.close();

  ahead += hourMs;
  // KubeVirt's controllers are away too: nobody takes away what has ended.
  cluster.nodes.close();
  cluster.nodes.guestEnds(machine.place, "shut down");
  const endedAt = machine.endedAt();
  ahead += hourMs;
  // Runs come late: machines have been seen by then, and none of them seems to run.
  const { faults } = cluster.server;
  faults.refuse(
    3,
    () => tooManyRequests(1),
    ({ resource }) => resource === "virtualmachineinstances.kubevirt.io",
  );
  open(cluster);
  await vi.waitFor(() => expect(machine.run()?.end).toBeDefined(), waiting);
  expect(machine.run()?.end).toEqual({
    at: endedAt,
    reason: "guest",
    detail: "the guest switched itself off",
  });
}, 300_000);

test("two processes that write at once write the same, and no run ends twice", async () => {
  const cluster = await startCluster();
  const [one] = [open(cluster), open(cluster)];
  const machine = await startMachine(cluster, one);
  for (let round = 0; round < 5; round += 1) {
    /* oxlint-disable no-await-in-loop -- one run after the other */
    await vi.waitFor(machine.isReady, waiting);
    const { uid } = cluster.server.objects.store.get(kinds.machineInstance, machine.place)
      ?.metadata ?? { uid: "" };
    ahead += hourMs;
    cluster.nodes.guestEnds(machine.place, "shut down");
    const at = machine.endedAt();
    await vi.waitFor(() => expect(machine.run()?.end).toBeDefined(), waiting);
    expect(machine.run()).toMatchObject({ uid, end: { at, reason: "guest" } });
    ahead += hourMs;
    const call = { ...machine.call, operationId: randomUUID() };
    await one.power(call, machine.id, { to: "start" });
    await vi.waitFor(() => expect(machine.run()?.uid).not.toBe(uid), waiting);
    // Started by somebody's word: how the run before it ended is no news.
    expect(machine.run()?.end).toBeUndefined();
    /* oxlint-enable no-await-in-loop */
  }
}, 300_000);

const isWrite = ({ verb, resource }: { readonly verb: string; readonly resource: string }) =>
  verb === "PATCH" && resource === "virtualmachines.kubevirt.io";

test("writes that fail, slowly, of more machines than are written at once: a few at a time, until all are written", async () => {
  const cluster = await startCluster();
  const { server, nodes, settings } = cluster;
  for (const name of ["node-3", "node-4"]) nodes.addNode({ name, cpus: 64, memoryGi: 256 });
  const first = open(cluster);
  const machines = await Promise.all(
    Array.from({ length: 24 }, () => startMachine(cluster, first)),
  );
  for (const { isReady, run } of machines) {
    /* oxlint-disable no-await-in-loop -- one after the other */
    await vi.waitFor(isReady, waiting);
    await vi.waitFor(() => expect(run()?.readyAt).toBeDefined(), waiting);
    /* oxlint-enable no-await-in-loop */
  }
  await first.close();

  let writes = 0;
  const { faults } = server;
  faults.onRequest = (request) => {
    if (isWrite(request)) writes += 1;
  };
  // Longer than it rests.
  faults.latencyMs = 30;
  const closed = new AbortController();
  const client = new KubeClient(server.cluster());
  const view = new ClusterView({ client, settings, now, onLost: () => undefined });
  const writer = new RunWriter(client, view, { mayWrite: () => true, againMs: 10 });
  const running = Promise.all([view.follow(closed.signal), writer.run(closed.signal)]);
  closing.push(async () => {
    closed.abort();
    await running;
    client.close();
  });
  // It has looked for what failed by now, and there was nothing.
  await view.whole(closed.signal);
  // Each is refused once, at once; what goes out after that hangs.
  const { length } = machines;
  faults.refuse(length, () => forbidden(kinds.machine, "any", "not now"), isWrite);
  faults.latencyMs = 3_000;
  const endsAt = new Map<string, number>();
  for (const { place, id, endedAt } of machines) {
    nodes.guestEnds(place, "shut down");
    endsAt.set(id, endedAt());
  }
  await vi.waitFor(() => expect(writes).toBeGreaterThan(length), waiting);
  // oxlint-disable-next-line no-await-in-loop -- one turn after the other
  for (let turns = 0; turns < 50; turns += 1) await turn();
  expect(writes).toBeLessThan(2 * length);
  faults.latencyMs = 0;
  await vi.waitFor(() => {
    for (const { run, id } of machines) {
      expect(run()?.end).toMatchObject({ at: endsAt.get(id), reason: "guest" });
    }
  }, waiting);
}, 300_000);
