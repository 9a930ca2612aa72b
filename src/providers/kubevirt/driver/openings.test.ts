/** What a customer opens, by the driver, and who reaches his machines then by all rules of the cluster together. */
import { randomUUID } from "node:crypto";

import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { present } from "#kernel/assert.ts";
import { labelKeys } from "#providers/kubevirt/compile/labels.ts";
import { namespaceName } from "#providers/kubevirt/compile/names.ts";
import { kinds } from "#providers/kubevirt/objects/kinds.ts";
import type { MachineSpec, PortOpening } from "#providers/provider.ts";
import { startTestCluster, type TestCluster } from "#test/kube/driver-cluster.ts";
import { mayReach, policyOf, type End } from "#test/kube/network.ts";
import { sampleSpec } from "#test/kube/sample-spec.ts";

import { KubevirtProvider } from "./provider.ts";

/** Generous, because the machine that runs this may be busy. */
const patience = { timeout: 60_000, interval: 50 };
const call = { signal: new AbortController().signal };
const office = outside("203.0.113.7");
const home = outside("198.51.100.1");
const https: PortOpening = { protocol: "tcp", port: 443, sources: ["203.0.113.0/24"] };

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

function driver(): KubevirtProvider {
  const { server, settings } = cluster;
  const provider = new KubevirtProvider({
    settings: { ...settings, clusterCidrs: ["10.0.0.0/8"] },
    cluster: server.cluster(),
    now: Date.now,
    upkeepEveryMs: 250,
  });
  open.add(provider);
  return provider;
}

async function rent(provider: KubevirtProvider, of: Partial<MachineSpec> = {}) {
  const spec = sampleSpec(of);
  await provider.create({ ...call, operationId: randomUUID(), owner: spec.owner }, spec);
  return spec;
}

/** Another lease of the same project. */
function beside({ owner, network }: MachineSpec): Partial<MachineSpec> {
  return { owner: { ...owner, resourceId: randomUUID() }, network };
}

function outside(ip: string): End {
  return { namespace: undefined, namespaceLabels: {}, labels: {}, ip, ports: {} };
}

/** The pod of a machine, as the cluster has it. */
function podOf({ id, owner }: MachineSpec): End {
  const { store } = cluster.server.objects;
  const namespace = namespaceName(owner.projectId);
  const pod = present(
    store
      .all(kinds.pod, namespace)
      .find(({ metadata }) => metadata.labels?.[labelKeys.machine] === id),
    "the machine's pod",
  );
  const named = { "kubernetes.io/metadata.name": namespace };
  const { labels = {} } = present(
    store.get(kinds.namespace, { name: namespace }),
    namespace,
  ).metadata;
  return {
    namespace,
    namespaceLabels: { ...labels, ...named },
    labels: pod.metadata.labels ?? {},
    ip: "10.1.2.3",
    ports: {},
  };
}

function reaches(from: End, to: MachineSpec, port: number, protocol: "TCP" | "UDP" = "TCP") {
  const policies = cluster.server.objects.store
    .all(kinds.networkPolicy)
    .map((object) => policyOf(object, ""));
  return mayReach(policies, { from, to: podOf(to), port, protocol });
}

async function started(...specs: readonly MachineSpec[]): Promise<void> {
  await vi.waitFor(() => specs.forEach(podOf), patience);
}

function told(provider: KubevirtProvider, { owner }: MachineSpec, ...all: readonly PortOpening[]) {
  const project = { openings: all, serviceClass: "standard" } as const;
  return provider.tellProjects(call, new Map([[owner.projectId, project]]));
}

test("I-VM-03: a port that a customer opens is reached from where he said and from nowhere else, until he closes it", async () => {
  const provider = driver();
  const mine = await rent(provider);
  const second = await rent(provider, beside(mine));
  const theirs = await rent(provider);
  await started(mine, second, theirs);
  expect(reaches(office, mine, 443)).toBe(false);
  const dns: PortOpening = { protocol: "udp", port: 53, sources: ["0.0.0.0/0", "::/0"] };
  await told(provider, mine, https, dns);
  await vi.waitFor(() => {
    for (const machine of [mine, second]) expect(reaches(office, machine, 443)).toBe(true);
    expect(reaches(home, mine, 53, "UDP")).toBe(true);
    expect(reaches(outside("2001:db8::1"), mine, 53, "UDP")).toBe(true);
  }, patience);
  expect(reaches(home, mine, 443)).toBe(false);
  expect(reaches(office, mine, 443, "UDP")).toBe(false);
  expect(reaches(office, mine, 80)).toBe(false);
  // Another customer's machine neither becomes open, nor gets out to this one inside of the cluster.
  expect(reaches(office, theirs, 443)).toBe(false);
  expect(reaches(podOf(theirs), mine, 53, "UDP")).toBe(false);
  await told(provider, mine, dns);
  await vi.waitFor(() => expect(reaches(office, mine, 443)).toBe(false), patience);
  expect(reaches(home, mine, 53, "UDP")).toBe(true);
  expect(reaches(office, mine, 22)).toBe(true);
});

test("I-VM-03: a port of one lease is open on no other machine", async () => {
  const provider = driver();
  const mine = await rent(provider);
  const second = await rent(provider, beside(mine));
  await started(mine, second);
  await told(provider, mine, { ...https, resourceId: mine.owner.resourceId });
  await vi.waitFor(() => expect(reaches(office, mine, 443)).toBe(true), patience);
  expect(reaches(office, second, 443)).toBe(false);
});

test("I-VM-03: what is open stays so over a restart, until it is told anew what is to be", async () => {
  const first = driver();
  const mine = await rent(first);
  await started(mine);
  await told(first, mine, https);
  await vi.waitFor(() => expect(reaches(office, mine, 443)).toBe(true), patience);
  await first.close();
  open.delete(first);
  const second = driver();
  const next = await rent(second, { ...beside(mine), network: "another" });
  await started(next);
  const { store } = cluster.server.objects;
  const walls = () => store.all(kinds.networkPolicy, namespaceName(mine.owner.projectId));
  const nobodys = present(
    walls().find(({ metadata }) => metadata.name === "open-tcp-443-all"),
    "the opening",
  );
  // Passes have been since: a wall that nobody wants went.
  cluster.server.objects.create(
    kinds.networkPolicy,
    nobodys.metadata.namespace,
    {
      metadata: { name: "network-nobodys", labels: nobodys.metadata.labels ?? {} },
      spec: nobodys["spec"],
    },
    { manager: "kubectl", validation: "Strict" },
  );
  await vi.waitFor(() => {
    expect(walls().map(({ metadata }) => metadata.name)).not.toContain("network-nobodys");
  }, patience);
  for (const machine of [mine, next]) expect(reaches(office, machine, 443)).toBe(true);
  await second.tellProjects(call, new Map());
  await vi.waitFor(() => expect(reaches(office, mine, 443)).toBe(false), patience);
});

test("who opens and closes a port often is not taken for somebody who works against it", async () => {
  const provider = driver();
  const mine = await rent(provider);
  await started(mine);
  for (let round = 0; round < 5; round += 1) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await told(provider, mine, https);
    // oxlint-disable-next-line no-await-in-loop -- as above
    await vi.waitFor(() => expect(reaches(office, mine, 443)).toBe(true), patience);
    // oxlint-disable-next-line no-await-in-loop -- as above
    await told(provider, mine);
    // oxlint-disable-next-line no-await-in-loop -- as above
    await vi.waitFor(() => expect(reaches(office, mine, 443)).toBe(false), patience);
  }
  const { findings = [] } = await provider.info(call);
  expect(findings.map(({ message }) => message).join()).not.toContain("again and again");
});

function classOf({ owner }: MachineSpec): string | undefined {
  const name = namespaceName(owner.projectId);
  const { store } = cluster.server.objects;
  return store.get(kinds.namespace, { name })?.metadata.labels?.[labelKeys.serviceClass];
}

test("I-DES-02: whose customer is strict gets strict projects in a cluster that is not, also over a restart", async () => {
  const first = driver();
  const mine = await rent(first, { serviceClass: "core" });
  const theirs = await rent(first);
  const core = new Map([[mine.owner.projectId, { openings: [], serviceClass: "core" } as const]]);
  await first.tellProjects(call, core);
  await vi.waitFor(() => expect(classOf(mine)).toBe("core"), patience);
  expect(classOf(theirs)).toBe("standard");
  await first.close();
  open.delete(first);
  const second = driver();
  // This process fills it anew, without having been told of whom it is.
  const next = { ...beside(mine), serviceClass: "core", network: "another" } as const;
  await rent(second, next);
  expect(classOf(mine)).toBe("core");
  await second.tellProjects(call, new Map());
  await vi.waitFor(() => expect(classOf(mine)).toBe("standard"), patience);
});
