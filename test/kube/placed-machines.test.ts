/**
 * Placement and a cluster's own scheduler count alike: what placement puts on nodes, with what a machine
 * costs there, the scheduler finds room for. What placement counted without it would not run.
 */
import { randomUUID } from "node:crypto";

import fc from "fast-check";
import { expect, test, vi } from "vitest";

import { Planner } from "#flow/place/planner.ts";
import type { HostState } from "#flow/place/host-state.ts";
import { mebibyte, type Shape } from "#kernel/shape.ts";
import { KubevirtProvider } from "#providers/kubevirt/driver/provider.ts";
import { kinds } from "#providers/kubevirt/objects/kinds.ts";
import type { Host } from "#providers/provider.ts";
import { aHost, aShape } from "#test/place-states.ts";

import { listAt, textAt } from "./api/json.ts";
import { startTestCluster } from "./driver-cluster.ts";

const asked = 100;
const untilMs = 60_000;

const anyShape = fc.record({
  vcpus: fc.integer({ min: 1, max: 4 }),
  gib: fc.integer({ min: 1, max: 6 }),
});

function stateOf(host: Host, isCosted: boolean): HostState {
  return aHost({
    id: host.id,
    milliCpus: host.cpus * 1000,
    memoryBytes: host.memoryBytes,
    diskBytes: host.diskBytes,
    machineCosts: isCosted ? (host.machineCosts ?? null) : null,
  });
}

/** Asked for until nothing fits any more: how many pods found a node, and which did not for lack of what. */
async function fill(isCosted: boolean, seed: number) {
  const cluster = await startTestCluster({ bootMs: 0 });
  for (const name of ["node-3", "node-4", "node-5", "node-6"]) {
    cluster.nodes.addNode({ name, cpus: 64, memoryGi: 32 });
  }
  const settings = { ...cluster.settings, nodeDiskGib: 100_000 };
  const provider = new KubevirtProvider({
    settings,
    cluster: cluster.server.cluster(),
    now: Date.now,
  });
  try {
    const signal = AbortSignal.timeout(untilMs);
    const { items } = await provider.hosts({ signal });
    // The two large ones are not in it: all that is asked for would fit there.
    const hosts = items.filter(({ memoryBytes }) => memoryBytes === 32 * 1024 * mebibyte);
    const planner = new Planner(hosts.map((host) => stateOf(host, isCosted)));
    const shapes = fc.sample(anyShape, { numRuns: asked, seed });
    const owner = { tenantId: randomUUID(), projectId: randomUUID(), resourceId: randomUUID() };
    const made = shapes.flatMap(({ vcpus, gib }) => {
      const shape = aShape({ vcpus, memoryMiB: gib * 1024, overcommitPercent: 100 });
      const placed = planner.place({ tenantId: owner.tenantId, shape });
      return placed.placed ? [{ shape, hostId: placed.hostId }] : [];
    });
    // Only those nodes are left to the scheduler too.
    for (const name of ["node-1", "node-2"]) cluster.nodes.nodeGoes(name);
    await Promise.all(made.map((each) => create(provider, { ...each, owner, signal })));
    const seen = await vi.waitFor(
      () => {
        const pods = cluster.server.objects.store.all(kinds.pod);
        const on = pods.map((pod) => textAt(pod, "spec", "nodeName"));
        const because = pods.flatMap((pod) =>
          listAt(pod, "status", "conditions")
            .filter((each) => textAt(each, "reason") === "Unschedulable")
            .map((each) => textAt(each, "message")),
        );
        expect(on.filter((name) => name !== "").length + because.length).toBe(made.length);
        return because;
      },
      { timeout: untilMs },
    );
    return { placed: made.length, because: seen };
  } finally {
    await provider.close();
    await cluster.close();
  }
}

async function create(
  provider: KubevirtProvider,
  of: {
    readonly shape: Shape;
    readonly hostId: string;
    readonly owner: { tenantId: string; projectId: string; resourceId: string };
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const { shape, hostId, owner, signal } = of;
  const id = randomUUID();
  await provider.create(
    { signal, operationId: `${id}/create`, owner },
    {
      id,
      name: `m-${id.slice(0, 8)}`,
      hostId,
      image: "tiny",
      cpu: { sockets: shape.vcpus, cores: 1, threads: 1 },
      memoryBytes: shape.memoryMiB * mebibyte,
      diskBytes: 2 ** 30,
      gpus: [],
      serviceClass: shape.serviceClass,
      network: "net",
      loginUser: "root",
      sshKeys: [],
      owner,
    },
  );
}

test("R-CORE-02: of 100 random machines all that placement puts on nodes fit there, and without their cost they would not", async () => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  const right = await fill(true, seed);
  expect(right.because, `seed ${seed}`).toEqual([]);
  expect(right.placed, `seed ${seed}`).toBeGreaterThan(20);
  const wrong = await fill(false, seed);
  expect(wrong.because.length, `seed ${seed}`).toBeGreaterThan(0);
  expect(wrong.because.every((why) => why.includes("Insufficient memory"))).toBe(true);
});
