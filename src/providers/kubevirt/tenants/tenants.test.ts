import { readFileSync } from "node:fs";

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parse as parseYaml } from "yaml";
import { z } from "zod";

import type { MachineAsk } from "#providers/kubevirt/compile/facts.ts";
import { labelKeys } from "#providers/kubevirt/compile/labels.ts";
import { compileMachine } from "#providers/kubevirt/compile/machine.ts";
import { parseMilli, parseUnits } from "#providers/kubevirt/compile/quantity.ts";
import { quotaUse } from "#providers/kubevirt/compile/quota-use.ts";
import { a100, gib, testAsk } from "#providers/kubevirt/compile/test-ask.ts";
import { factsNote } from "#test/kube/facts.ts";
import { readSchemas } from "#test/kube/schema.ts";

import { cloneRoles } from "./access.ts";
import type { ProjectAsk } from "./facts.ts";
import { furniturePlan, projectFurniture } from "./furniture.ts";
import { projectLimitRange, projectQuota } from "./limits.ts";
import { namespaceProblem, projectNamespace } from "./namespace.ts";
import { sitePolicies } from "./policies.ts";
import { projectRemoval, removalLeftovers } from "./removal.ts";

const largest = { vcpus: 16, memoryBytes: 64 * gib, diskBytes: 200 * gib };
const project: ProjectAsk = {
  tenantId: "00000000-0000-4000-8000-0000000000cc",
  projectId: "00000000-0000-4000-8000-0000000000aa",
  serviceClass: "core",
  quota: {
    machinesMax: 10,
    vcpusMax: 64,
    memoryBytesMax: 256 * gib,
    storageBytesMax: 1024 * gib,
    gpusMax: { [a100]: 4 },
    hugePageBytesMax: { "2Mi": 128 * gib },
    storageClasses: ["ceph-block"],
    largest,
    extraCpus: 1,
  },
  networks: ["net-1"],
  outbound: true,
  openings: [{ protocol: "TCP", port: 443, from: ["203.0.113.0/24"] }],
  viewers: [{ kind: "Group", name: "team-a" }],
  site: {
    controlPlaneId: "cp-1",
    storageClasses: ["ceph-block", "ceph-core"],
    gpuResources: [a100, "nvidia.com/GH100_H100_PCIE"],
    deviceClasses: ["vfio.gpu.nvidia.com"],
    imageNamespaces: ["millrace-images"],
    gateways: ["millrace", "kubevirt"],
    storageNamespace: "cdi",
    dnsNamespace: "kube-system",
    dnsAddresses: [],
    clusterCidrs: ["10.0.0.0/8", "fd00::/8"],
    podSecurity: "baseline",
  },
};
const furniture = projectFurniture(project);
const kind = (name: string) => furniture.filter((object) => object.kind === name);
const policy = (name: string, of = furniture) => of.find(({ metadata }) => metadata.name === name);

test("I-TEN-02: a project has a namespace of its own, labeled with whose it is", () => {
  expect(projectNamespace(project).metadata).toMatchObject({
    name: `p-${project.projectId}`,
    labels: {
      [labelKeys.tenant]: project.tenantId,
      [labelKeys.serviceClass]: "core",
      "pod-security.kubernetes.io/enforce": "baseline",
    },
  });
  const inside = furniture.filter(
    ({ metadata }) => metadata.namespace === `p-${project.projectId}`,
  );
  // All but the namespace itself, and what lets it clone images where they are.
  expect(furniture.length - inside.length).toBe(2);
});

test("a namespace that somebody else owns is left alone", () => {
  const ours = projectNamespace(project).metadata.labels ?? {};
  const seen = (labels: Readonly<Record<string, string>>, deleting = false) =>
    namespaceProblem({ labels, deleting }, project)?.code;
  expect(namespaceProblem(undefined, project)).toBeUndefined();
  expect(seen(ours)).toBeUndefined();
  expect(seen({})).toBe("namespace_of_somebody_else");
  expect(seen({ ...ours, [labelKeys.controlPlane]: "cp-2" })).toBe(
    "namespace_of_another_control_plane",
  );
  expect(seen({ ...ours, [labelKeys.tenant]: "x" })).toBe("namespace_of_another_tenant");
  expect(seen(ours, true)).toBe("namespace_is_deleted");
});

test("I-TEN-04: people look, and write nothing; nobody is bound to edit or admin", () => {
  const writes = new Set(["create", "update", "patch", "delete", "deletecollection", "*"]);
  const roles = [...kind("Role"), ...cloneRoles(project.site)].flatMap((role) =>
    role.kind === "Role" ? [role] : [],
  );
  const written = roles
    .flatMap(({ rules }) => rules)
    .filter(({ verbs }) => verbs.some((verb) => writes.has(verb)));
  expect(written).toEqual([
    { apiGroups: ["cdi.kubevirt.io"], resources: ["datavolumes/source"], verbs: ["create"] },
  ]);
  const read = roles.flatMap(({ rules }) => rules.flatMap(({ resources }) => resources));
  expect(read).not.toContain("secrets");
  expect(JSON.stringify(roles)).not.toContain("subresources.kubevirt.io");
  for (const binding of kind("RoleBinding")) {
    expect(binding).toMatchObject({
      roleRef: { kind: "Role", name: expect.stringMatching(/^millrace-/) },
    });
  }
  for (const account of kind("ServiceAccount")) {
    expect(account).toMatchObject({ automountServiceAccountToken: false });
  }
});

const rights = z.object({
  rules: z.array(
    z.object({
      group: z.string(),
      resources: z.array(z.string()),
      with: z.string().optional(),
      verbs: z.object({ work: z.array(z.string()).default([]) }),
    }),
  ),
});

test("no Role hands out more than the chart gives: Kubernetes would refuse it", () => {
  const file = "deploy/helm/millrace/files/permissions.yaml";
  const { rules } = rights.parse(parseYaml(readFileSync(file, "utf8")));
  const held = new Set(
    rules
      // What comes only with Kueue or Volcano is not held everywhere.
      .filter((rule) => rule.with === undefined)
      .flatMap(({ group, resources, verbs }) =>
        resources.flatMap((resource) => verbs.work.map((verb) => `${verb} ${group}/${resource}`)),
      ),
  );
  const handedOut = [...kind("Role"), ...cloneRoles(project.site)].flatMap((role) =>
    role.kind !== "Role"
      ? []
      : role.rules.flatMap(({ apiGroups, resources, verbs }) =>
          apiGroups.flatMap((group) =>
            resources.flatMap((resource) => verbs.map((verb) => `${verb} ${group}/${resource}`)),
          ),
        ),
  );
  expect(handedOut.length).toBeGreaterThan(20);
  expect(handedOut.filter((each) => !held.has(each))).toEqual([]);
});

test("I-TEN-05: images are cloned by the namespace's own account, storage by its classes only", () => {
  const bindings = kind("RoleBinding").filter(
    ({ metadata }) => metadata.namespace === "millrace-images",
  );
  expect(bindings).toMatchObject([
    {
      roleRef: { name: "millrace-clone-cp-1" },
      subjects: [{ kind: "ServiceAccount", name: "default", namespace: `p-${project.projectId}` }],
    },
  ]);
  const { hard } = projectQuota(project).spec;
  expect(hard["ceph-core.storageclass.storage.k8s.io/requests.storage"]).toBe("0");
  expect(
    parseUnits(hard["ceph-block.storageclass.storage.k8s.io/requests.storage"] ?? ""),
  ).toBeGreaterThan(BigInt(1024 * gib));
});

test("I-TEN-03, M-VM-03, R-GPU-06: GPUs by resource name, none that was not given", () => {
  const { hard } = projectQuota(project).spec;
  expect(hard[`requests.${a100}`]).toBe("4");
  expect(hard["requests.nvidia.com/GH100_H100_PCIE"]).toBe("0");
  expect(hard["vfio.gpu.nvidia.com.deviceclass.resource.k8s.io/devices"]).toBe("0");
});

test("I-TEN-06: no quota and no default that would change the pods of machines", () => {
  const { hard } = projectQuota(project).spec;
  expect(Object.keys(hard).filter((key) => key.startsWith("limits."))).toEqual([]);
  for (const limit of projectLimitRange(project).spec.limits)
    expect(limit).not.toHaveProperty("default");
});

const gpu = (index: number) => ({
  deviceId: `${index}`,
  model: "A100",
  slice: 1,
  resource: a100,
});

/** A machine as large as it may be or smaller, of every make. */
const machines = fc
  .record({
    cores: fc.integer({ min: 1, max: largest.vcpus }),
    memoryGib: fc.integer({ min: 1, max: 64 }),
    gpus: fc.integer({ min: 0, max: 2 }),
    core: fc.boolean(),
    pages: fc.constantFrom("none", "2Mi"),
    overcommitPercent: fc.constantFrom(100, 150),
  })
  .map(({ cores, memoryGib, gpus, core, pages, overcommitPercent }): MachineAsk => {
    return testAsk({
      spec: {
        cpu: { sockets: 1, cores, threads: 1 },
        memoryBytes: memoryGib * gib,
        gpus: Array.from({ length: gpus }, (_, index) => gpu(index)),
        serviceClass: core ? "core" : "standard",
      },
      policy: {
        isolateEmulator: core,
        hugePages: pages === "2Mi" ? "2Mi" : "none",
        overcommitPercent: core ? 100 : overcommitPercent,
      },
    });
  });

test("R-MEM-08, R-CPU-12: the backstop never blocks what the ledger allows, nor one machine's move", () => {
  const { quota } = project;
  const hard = Object.entries(projectQuota(project).spec.hard);
  fc.assert(
    fc.property(fc.array(machines, { minLength: 1, maxLength: 10 }), (asks) => {
      const sold = { vcpus: 0, bytes: 0, gpus: 0, pages: 0, disk: 0 };
      const uses: ReadonlyMap<string, bigint>[] = [];
      for (const ask of asks) {
        const { spec, policy: wants } = ask;
        const next = {
          vcpus: sold.vcpus + spec.cpu.cores,
          bytes: sold.bytes + spec.memoryBytes,
          gpus: sold.gpus + spec.gpus.length,
          pages: sold.pages + (wants.hugePages === "none" ? 0 : spec.memoryBytes),
          disk: sold.disk + spec.diskBytes,
        };
        // What the ledger would not have allowed is not asked of the cluster.
        if (
          next.vcpus > quota.vcpusMax ||
          next.bytes > quota.memoryBytesMax ||
          next.gpus > (quota.gpusMax[a100] ?? 0) ||
          next.pages > (quota.hugePageBytesMax["2Mi"] ?? 0) ||
          next.disk > quota.storageBytesMax
        ) {
          continue;
        }
        const compiled = compileMachine(ask);
        if ("refusals" in compiled) throw new Error(compiled.refusals[0]?.message ?? "refused");
        Object.assign(sold, next);
        uses.push(quotaUse(compiled.machine.spec, compiled.size));
        // Any of those without a GPU may be the one that moves.
        if (spec.gpus.length > 0) continue;
        for (const [key, most] of hard) {
          const used = uses.reduce((sum, use) => sum + (use.get(key) ?? 0n), 0n);
          const second = /cpu|memory|hugepages/u.test(key) ? (uses.at(-1)?.get(key) ?? 0n) : 0n;
          const limit = (key.endsWith("cpu") ? parseMilli(most) : parseUnits(most)) ?? 0n;
          expect({ key, over: used + second > limit }).toEqual({ key, over: false });
        }
      }
    }),
  );
});

describe("I-VM-03: the network", () => {
  test("nothing in or out, but what is said", () => {
    expect(policy("default-deny")).toMatchObject({
      spec: { podSelector: {}, policyTypes: ["Ingress", "Egress"] },
    });
    expect(kind("NetworkPolicy").map(({ metadata }) => metadata.name)).toEqual([
      "default-deny",
      "network-net-1",
      "from-gateways",
      "names",
      "outbound",
      "disks-in",
      "open-tcp-443-all",
    ]);
  });

  test("names are asked of the cluster's resolvers, and of those that are no pods where there are such", () => {
    const pods = {
      namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "kube-system" } },
    };
    expect(policy("names")).toMatchObject({ spec: { egress: [{ to: [pods] }] } });
    const dnsAddresses = ["169.254.20.10/32"];
    const local = projectFurniture({ ...project, site: { ...project.site, dnsAddresses } });
    expect(policy("names", local)).toMatchObject({
      spec: {
        egress: [
          {
            to: [pods, { ipBlock: { cidr: "169.254.20.10/32" } }],
            ports: [{ port: 53 }, { port: 53 }],
          },
        ],
      },
    });
  });

  test("a network of one name of another tenant is another network", () => {
    const from = { namespaceSelector: { matchLabels: { [labelKeys.tenant]: project.tenantId } } };
    expect(policy("network-net-1")).toMatchObject({ spec: { ingress: [{ from: [from] }] } });
  });

  test("outbound reaches the world, not the cluster and no metadata service", () => {
    expect(policy("outbound")).toMatchObject({
      spec: {
        egress: [
          {
            to: [
              { ipBlock: { cidr: "0.0.0.0/0", except: ["10.0.0.0/8", "169.254.0.0/16"] } },
              { ipBlock: { cidr: "::/0", except: ["fd00::/8", "fe80::/10"] } },
            ],
          },
        ],
      },
    });
    const inside = projectFurniture({ ...project, outbound: false });
    expect(policy("outbound", inside)).toBeUndefined();
  });

  test("a port open from nowhere is closed, and one opened twice is one rule", () => {
    const opening = { resourceId: "l1", protocol: "TCP", port: 80 } as const;
    const of = (openings: ProjectAsk["openings"]) =>
      policy("open-tcp-80-l1", projectFurniture({ ...project, openings }));
    expect(of([{ ...opening, from: [] }])).toBeUndefined();
    const twice = of([
      { ...opening, from: ["192.0.2.1/32"] },
      { ...opening, from: ["192.0.2.2/32"] },
    ]);
    expect(twice).toMatchObject({
      spec: {
        podSelector: { matchLabels: { [labelKeys.resource]: "l1" } },
        ingress: [
          { from: [{ ipBlock: { cidr: "192.0.2.1/32" } }, { ipBlock: { cidr: "192.0.2.2/32" } }] },
        ],
      },
    });
    const alone = projectFurniture({ ...project, site: { ...project.site, gateways: [] } });
    expect(policy("from-gateways", alone)).toBeUndefined();
  });
});

test("I-DES-02: strict for core projects, told to others, each control plane for its own", () => {
  const bindings = sitePolicies(project.site).flatMap((object) =>
    object.kind === "ValidatingAdmissionPolicyBinding" ? [object] : [],
  );
  const said = bindings.map(({ spec }) => [
    spec.policyName.split("-").at(-1),
    spec.validationActions,
    spec.matchResources.namespaceSelector.matchLabels?.[labelKeys.serviceClass],
  ]);
  expect(said).toEqual([
    ["owner", ["Deny"], undefined],
    ["core", ["Deny"], "core"],
    ["shared", ["Warn", "Audit"], "standard"],
  ]);
  const other = sitePolicies({ ...project.site, controlPlaneId: "cp-2" });
  const names = new Set(sitePolicies(project.site).map(({ metadata }) => metadata.name));
  expect(other.filter(({ metadata }) => names.has(metadata.name))).toEqual([]);
});

test("what is edited by hand is put back, what is wanted no more goes, what is right is left", () => {
  expect(furniturePlan(furniture, furniture)).toEqual({ apply: [], remove: [] });
  const told = furniture.map((object) => ({
    ...object,
    metadata: { ...object.metadata, uid: "u", resourceVersion: "9" },
  }));
  expect(furniturePlan(furniture, told).apply).toEqual([]);
  const edited = told.map((object) =>
    object.kind === "ResourceQuota" ? { ...object, spec: { hard: {} } } : object,
  );
  expect(furniturePlan(furniture, edited).apply.map((object) => object.kind)).toEqual([
    "ResourceQuota",
  ]);
  const closed = projectFurniture({ ...project, openings: [] });
  const plan = furniturePlan(closed, told);
  expect(plan.apply).toEqual([]);
  expect(plan.remove.map(({ metadata }) => metadata.name)).toEqual(["open-tcp-443-all"]);
});

test("removing a project takes its machines' traces, its namespace, and at last what stands outside", () => {
  const removal = projectRemoval(project);
  const namespace = `p-${project.projectId}`;
  expect(removal.map((step) => ("kind" in step ? `${step.do} ${step.kind}` : step.do))).toEqual([
    "wait VirtualMachinePool",
    "wait VirtualMachine",
    "wait VirtualMachineInstance",
    "wait Job",
    "wait Job",
    "delete VirtualMachineSnapshot",
    "release Pod",
    "delete-namespace",
    "delete RoleBinding",
  ]);
  const outside = furniture.filter(
    ({ metadata, kind: what }) => metadata.namespace !== namespace && what !== "Namespace",
  );
  // Found by their labels in whichever namespace they stand, also one that is no namespace of images any more.
  expect(new Set(outside.map(({ kind: what }) => what))).toEqual(new Set(["RoleBinding"]));
  const selector = `${labelKeys.controlPlane}=cp-1,${labelKeys.project}=${project.projectId}`;
  expect(removal.at(-1)).toMatchObject({ selector });
  for (const { metadata } of outside) {
    expect(metadata.labels).toMatchObject({ [labelKeys.project]: project.projectId });
  }
  expect(removalLeftovers(project).map(({ kind: what }) => what)).toEqual([
    "PersistentVolume",
    "VolumeSnapshotContent",
  ]);
});

const schemas = readSchemas();

test.skipIf(schemas.kinds.length === 0)(`all of it is as the schemas want${factsNote}`, () => {
  const relaxed = projectFurniture({
    ...project,
    serviceClass: "standard",
    openings: [{ resourceId: "l1", protocol: "UDP", port: 53, from: ["192.0.2.1/32"] }],
  });
  const objects = [
    ...furniture,
    ...relaxed,
    ...cloneRoles(project.site),
    ...sitePolicies(project.site),
  ];
  expect(objects.flatMap((object) => schemas.problems(object))).toEqual([]);
});
