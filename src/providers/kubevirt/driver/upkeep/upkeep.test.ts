/** What stands in a cluster is kept: by the driver, on the test cluster, against hands that change it. */
import { randomUUID } from "node:crypto";

import { afterEach, beforeEach, expect, test, vi } from "vitest";

import type { Kind } from "#providers/kubevirt/client/kind.ts";
import { labelKeys } from "#providers/kubevirt/compile/labels.ts";
import { machineName, namespaceName } from "#providers/kubevirt/compile/names.ts";
import { KubevirtProvider, type KubevirtOptions } from "#providers/kubevirt/driver/provider.ts";
import { kinds } from "#providers/kubevirt/objects/kinds.ts";
import { ProviderError, type MachineSpec } from "#providers/provider.ts";
import type { Document } from "#test/kube/api/document.ts";
import { forbidden } from "#test/kube/api/refusal.ts";
import { remove as removeObject } from "#test/kube/api/removal.ts";
import { startTestCluster, type TestCluster } from "#test/kube/driver-cluster.ts";
import { sampleSpec } from "#test/kube/sample-spec.ts";

import { claimName, installationKey } from "./claim.ts";
import type { Mended } from "./upkeep.ts";

/** Generous, because the machine that runs this may be busy. */
const patience = { timeout: 60_000, interval: 50 };
const byHand = { manager: "kubectl", validation: "Strict" } as const;

let cluster: TestCluster;
let ahead = 0;
const now = (): number => Date.now() + ahead;
const open = new Set<KubevirtProvider>();
const mended: Mended[] = [];

beforeEach(async () => {
  ahead = 0;
  mended.length = 0;
  cluster = await startTestCluster({ now });
});

afterEach(async () => {
  await Promise.all([...open].map((each) => each.close()));
  open.clear();
  await cluster.close();
});

function driver(options: Partial<KubevirtOptions> = {}): KubevirtProvider {
  const provider = new KubevirtProvider({
    settings: cluster.settings,
    cluster: cluster.server.cluster(),
    now,
    upkeepEveryMs: 250,
    onMended: (each) => mended.push(each),
    ...options,
  });
  open.add(provider);
  return provider;
}

const call = { signal: new AbortController().signal };
async function rent(provider: KubevirtProvider, spec = sampleSpec()): Promise<MachineSpec> {
  await provider.create({ ...call, operationId: `${spec.id}:create`, owner: spec.owner }, spec);
  return spec;
}

function there(kind: Kind, namespace: string | undefined, name: string): Document | undefined {
  return cluster.server.objects.store.get(kind, { namespace, name });
}

function namesIn(kind: Kind, namespace: string): readonly string[] {
  const all = cluster.server.objects.store.all(kind, namespace);
  return all.map(({ metadata }) => metadata.name).toSorted();
}

function takeAway(kind: Kind, namespace: string, name: string): void {
  removeObject(cluster.server.objects, kind, { namespace, name }, { propagation: "Background" });
}

test("I-TEN-02: what somebody edits or deletes in a project's namespace is put right, and told", async () => {
  const provider = driver();
  const { owner } = await rent(provider);
  const namespace = namespaceName(owner.projectId);
  const { objects } = cluster.server;
  ahead += 120_000;
  const walls = namesIn(kinds.networkPolicy, namespace);
  expect(walls).toEqual([
    "default-deny",
    "disks-in",
    "from-gateways",
    "names",
    `network-${owner.tenantId}`,
    "open-tcp-22-all",
    "outbound",
  ]);
  const wasHard = there(kinds.resourceQuota, namespace, "millrace")?.["spec"];
  takeAway(kinds.networkPolicy, namespace, "default-deny");
  takeAway(kinds.networkPolicy, namespace, `network-${owner.tenantId}`);
  takeAway(kinds.role, namespace, "millrace-viewer");
  const quota = { namespace, name: "millrace" };
  objects.patch(
    kinds.resourceQuota,
    quota,
    {
      spec: {
        hard: {
          "requests.cpu": "1",
          "ceph-block.storageclass.storage.k8s.io/requests.storage": "0",
        },
      },
    },
    byHand,
  );
  const label = "pod-security.kubernetes.io/enforce";
  objects.patch(
    kinds.namespace,
    { name: namespace },
    { metadata: { labels: { [label]: null } } },
    byHand,
  );
  // Without our label it is not found by it either.
  const off = { metadata: { labels: { [labelKeys.controlPlane]: null } } };
  objects.patch(kinds.limitRange, quota, off, byHand);
  await vi.waitFor(() => {
    expect(namesIn(kinds.networkPolicy, namespace)).toEqual(walls);
    expect(there(kinds.role, namespace, "millrace-viewer")).toBeDefined();
    expect(there(kinds.resourceQuota, namespace, "millrace")?.["spec"]).toEqual(wasHard);
    const labels = there(kinds.namespace, undefined, namespace)?.metadata.labels;
    expect(labels?.[label]).toBe("privileged");
    const range = there(kinds.limitRange, namespace, "millrace")?.metadata.labels;
    expect(range?.[labelKeys.controlPlane]).toBe("millrace");
  }, patience);
  await vi.waitFor(() => {
    expect(mended).toContainEqual({
      how: "applied",
      kind: "NetworkPolicy",
      namespace,
      name: "default-deny",
    });
  }, patience);
});

test("a restart knows a namespace's networks; a wall that nobody wants goes, one it does not know stays", async () => {
  const first = driver();
  const spec = await rent(first);
  const namespace = namespaceName(spec.owner.projectId);
  await first.close();
  open.delete(first);
  ahead += 120_000;
  takeAway(kinds.networkPolicy, namespace, `network-${spec.network}`);
  const { objects } = cluster.server;
  const labels = there(kinds.networkPolicy, namespace, "names")?.metadata.labels ?? {};
  const wall = (name: string) => ({
    metadata: { name, namespace, labels },
    spec: { podSelector: {}, policyTypes: ["Ingress"], ingress: [{}] },
  });
  objects.create(kinds.networkPolicy, namespace, wall("open-tcp-80-all"), byHand);
  objects.create(kinds.networkPolicy, namespace, wall("somebody-elses"), byHand);
  objects.create(kinds.networkPolicy, namespace, wall("network-nobodys"), byHand);
  const second = driver();
  await vi.waitFor(() => {
    const names = namesIn(kinds.networkPolicy, namespace);
    expect(names).toContain(`network-${spec.network}`);
    expect(names).not.toContain("network-nobodys");
  }, patience);
  // Which ports are open it was not told yet; then it closes those that are not.
  expect(namesIn(kinds.networkPolicy, namespace)).toContain("open-tcp-80-all");
  await second.tellProjects(call, new Map());
  await vi.waitFor(() => {
    const names = namesIn(kinds.networkPolicy, namespace);
    expect(names).not.toContain("open-tcp-80-all");
    expect(names).toContain("somebody-elses");
  }, patience);
});

test("nothing is asked of the cluster while nothing changes", async () => {
  const provider = driver();
  await rent(provider);
  ahead += 120_000;
  await vi.waitFor(() => {
    expect(cluster.server.objects.store.all(kinds.admissionPolicy)).toHaveLength(3);
    expect(cluster.server.objects.store.all(kinds.admissionPolicyBinding)).toHaveLength(3);
    expect(there(kinds.role, "millrace-images", "millrace-clone-millrace")).toBeDefined();
  }, patience);
  let passes = 0;
  const written: string[] = [];
  let read = 0;
  // What the site is set up as is read now and then; of what upkeep keeps at most each watch is begun.
  cluster.server.faults.onRequest = ({ verb, resource }) => {
    if (resource === "storageclasses.storage.k8s.io") passes += 1;
    if (!/namespaces|accounts|role|quotas|limitranges|polic/u.test(resource)) return;
    if (verb === "GET") read += 1;
    else written.push(`${verb} ${resource}`);
  };
  await vi.waitFor(() => {
    ahead += 61_000;
    expect(passes).toBeGreaterThan(4);
  }, patience);
  expect(written).toEqual([]);
  const kindsKept = 9;
  expect(read).toBeLessThanOrEqual(2 * kindsKept);
});

test("a namespace that somebody else owns, or relabeled, is left alone and told", async () => {
  const provider = driver();
  const [spec, other] = [await rent(provider), await rent(provider)];
  const [namespace, beside] = [spec, other].map(({ owner }) => namespaceName(owner.projectId));
  ahead += 120_000;
  const { objects } = cluster.server;
  const labels = { [labelKeys.tenant]: randomUUID() };
  objects.patch(kinds.namespace, { name: namespace ?? "" }, { metadata: { labels } }, byHand);
  await vi.waitFor(async () => {
    const { findings = [] } = await provider.info(call);
    expect(findings.map(({ message }) => message).join()).toContain("labeled as another tenant's");
  }, patience);
  takeAway(kinds.role, namespace ?? "", "millrace-viewer");
  // What happened after it, of the same kind, was seen and put right.
  takeAway(kinds.role, beside ?? "", "millrace-viewer");
  await vi.waitFor(() => {
    expect(there(kinds.role, beside, "millrace-viewer")).toBeDefined();
  }, patience);
  expect(there(kinds.role, namespace, "millrace-viewer")).toBeUndefined();
  const foreign = sampleSpec();
  const name = namespaceName(foreign.owner.projectId);
  objects.create(kinds.namespace, undefined, { metadata: { name } }, byHand);
  await expect(rent(provider, foreign)).rejects.toThrow(/nothing says that it is ours/);
  expect(namesIn(kinds.networkPolicy, name)).toEqual([]);
  expect(namesIn(kinds.machine, name)).toEqual([]);
});

test("who changes the same again and again is put right ever more seldom, and said", async () => {
  const provider = driver();
  const { owner } = await rent(provider);
  const namespace = namespaceName(owner.projectId);
  ahead += 120_000;
  await vi.waitFor(async () => {
    if (there(kinds.networkPolicy, namespace, "names") !== undefined) {
      takeAway(kinds.networkPolicy, namespace, "names");
    } else {
      ahead += 11_000;
    }
    const { findings = [] } = await provider.info(call);
    expect(findings.map(({ message }) => message).join()).toContain("again and again");
  }, patience);
});

test("I-TEN-05: the site's policies and the right to clone stand, are put right, and are missed when forbidden", async () => {
  const { server } = cluster;
  server.faults.refuse(
    10_000,
    () => forbidden(kinds.admissionPolicy, "", "no right to that"),
    ({ verb, resource }) => resource.startsWith("validatingadmission") && verb !== "GET",
  );
  const provider = driver();
  const spec = await rent(provider);
  const namespace = namespaceName(spec.owner.projectId);
  await vi.waitFor(async () => {
    const { findings = [] } = await provider.info(call);
    expect(findings.map(({ advice }) => advice).join()).toContain("deploy/kubevirt/policies.yaml");
    expect(there(kinds.role, "millrace-images", "millrace-clone-millrace")).toBeDefined();
  }, patience);
  // The rest works.
  expect(there(kinds.machine, namespace, machineName(spec.id))).toBeDefined();
  expect(there(kinds.roleBinding, "millrace-images", `clone-${namespace}`)).toBeDefined();
});

test("two control planes with names of their own neither see nor touch what is the other's", async () => {
  const one = driver({ installation: randomUUID() });
  const two = driver({
    installation: randomUUID(),
    settings: { ...cluster.settings, controlPlane: "second" },
  });
  const [a, b] = await Promise.all([rent(one), rent(two)]);
  ahead += 120_000;
  const bindings = [a, b].map(({ owner }) => `clone-${namespaceName(owner.projectId)}`);
  await vi.waitFor(() => {
    expect(cluster.server.objects.store.all(kinds.admissionPolicy)).toHaveLength(6);
    const roles = namesIn(kinds.role, "millrace-images");
    expect(roles).toEqual(["millrace-clone-millrace", "millrace-clone-second"]);
    expect(namesIn(kinds.roleBinding, "millrace-images")).toEqual(bindings.toSorted());
  }, patience);
  expect((await one.machines(call)).items.map(({ id }) => id)).toEqual([a.id]);
  expect((await two.machines(call)).items.map(({ id }) => id)).toEqual([b.id]);
  const end = { ...call, operationId: randomUUID(), owner: b.owner };
  await one.delete(end, b.id);
  await expect(rent(one, { ...b, id: randomUUID() })).rejects.toThrow(
    /belongs to control plane second/,
  );
  expect(there(kinds.machine, namespaceName(b.owner.projectId), machineName(b.id))).toBeDefined();
});

test("two installations with one name: the second does nothing, says so, and follows a handover", async () => {
  const ids = [randomUUID(), randomUUID()];
  const first = driver({ installation: ids[0] ?? "" });
  const spec = await rent(first);
  const second = driver({ installation: ids[1] ?? "" });
  const refused = expect.objectContaining({ code: "refused", effect: "none" });
  await expect(rent(second)).rejects.toEqual(refused);
  const end = { ...call, operationId: randomUUID(), owner: spec.owner };
  await expect(second.delete(end, spec.id)).rejects.toBeInstanceOf(ProviderError);
  // Nothing is concluded from a listing of its: no machine is lost, or billed, by it.
  await expect(second.machines(call)).rejects.toEqual(refused);
  await expect(second.hosts(call)).rejects.toEqual(refused);
  const { findings = [] } = await second.info(call);
  expect(findings).toContainEqual({
    severity: "problem",
    message: expect.stringContaining(ids[0] ?? ""),
    advice: expect.stringContaining(claimName("millrace")),
  });
  expect((await first.machines(call)).items.map(({ id }) => id)).toEqual([spec.id]);
  // The other process of an installation is no other installation.
  const replica = driver({ installation: ids[0] ?? "" });
  expect((await replica.machines(call)).complete).toBe(true);
  await Promise.all([first, replica].map((each) => each.close()));
  const annotations = { [installationKey]: ids[1] ?? "" };
  const name = claimName("millrace");
  cluster.server.objects.patch(kinds.namespace, { name }, { metadata: { annotations } }, byHand);
  const third = driver({ installation: ids[1] ?? "" });
  expect((await third.machines(call)).items.map(({ id }) => id)).toEqual([spec.id]);
});

test("of two installations with one name that begin at once, one holds it", async () => {
  const both = [driver({ installation: randomUUID() }), driver({ installation: randomUUID() })];
  const answers = await Promise.allSettled(both.map((each) => each.machines(call)));
  expect(answers.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
  const claims = cluster.server.objects.store.get(kinds.namespace, { name: claimName("millrace") });
  expect(claims).toBeDefined();
});
