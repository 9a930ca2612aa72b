/** What is done to machines, and what is made of flavors: snapshots, clones, moves, pools, types. */
import { expect, test } from "vitest";

import type { Shape } from "#kernel/shape.ts";
import { factsNote } from "#test/kube/facts.ts";
import { readSchemas } from "#test/kube/schema.ts";

import { cloneName, machineClone } from "./clone.ts";
import { compileFlavor } from "./instancetype.ts";
import { labelKeys } from "./labels.ts";
import { migration, migrationRefusals } from "./migration.ts";
import { actName, machineIdOf } from "./names.ts";
import { machinePool, type PoolAsk, poolRefusals } from "./pool.ts";
import { sshService } from "./service.ts";
import { machineRestore, machineSnapshot, snapshotRefusals } from "./snapshot.ts";
import { a100, testAsk, testSite, trainingAsk } from "./test-ask.ts";

const { spec, namespace } = testAsk();
const act = {
  id: "00000000-0000-4000-8000-0000000000d1",
  operationId: "00000000-0000-4000-8000-0000000000d2",
  machineId: spec.id,
  namespace: namespace.name,
  owner: spec.owner,
  site: testSite,
};

const shape: Shape = {
  flavor: "gpu-a100-2",
  vcpus: 16,
  cpu: { sockets: 1, cores: 8, threads: 2 },
  memoryMiB: 128 * 1024,
  diskGiB: 100,
  gpu: { model: "A100", count: 2, slice: 1, nvlink: false },
  serviceClass: "core",
  overcommitPercent: 100,
  hugePages: "2Mi",
  hostLabels: {},
  antiAffinity: true,
  tolerations: ["gpu"],
  pool: null,
  numa: false,
};
const poolAsk: PoolAsk = {
  groupId: "00000000-0000-4000-8000-0000000000e1",
  machine: trainingAsk(),
  replicasMin: 2,
  replicasMax: 8,
  cpuPercent: 70,
  memoryPercent: 80,
};
const copyId = "00000000-0000-4000-8000-0000000000f1";
const clone = machineClone({
  fromMachineId: spec.id,
  toMachineId: copyId,
  namespace: namespace.name,
  owner: spec.owner,
  site: testSite,
});

test("the way in leads to the guest, and not to CDI's pods, which bear its disk's labels", () => {
  const { selector } = sshService(testAsk()).spec;
  expect(selector).toEqual({ "kubevirt.io": "virt-launcher", [labelKeys.machine]: spec.id });
});

test("I-VM-03: where senders are judged by their address, no node puts its own into what it passes on", () => {
  const ask = testAsk();
  expect(sshService(ask).spec).not.toHaveProperty("externalTrafficPolicy");
  const site = { ...ask.site, sshService: "NodePort", sshKeepsSource: true } as const;
  expect(sshService({ ...ask, site }).spec).toMatchObject({
    type: "NodePort",
    externalTrafficPolicy: "Local",
  });
});

test("H-29: a snapshot that would hold no disk is refused", () => {
  const ceph = { name: "root", storageClass: "ceph-block" };
  const local = { name: "log", storageClass: "local" };
  expect(snapshotRefusals([ceph], testSite)).toEqual([]);
  expect(snapshotRefusals([ceph, local], testSite)).toMatchObject([
    { code: "snapshot_without_disk", details: { disks: ["log"] } },
  ]);
  expect(snapshotRefusals([], testSite)).toMatchObject([{ code: "snapshot_without_disk" }]);
});

test("H-29: a machine with a GPU, or a disk of one node, does not move", () => {
  const plain = testAsk();
  const body = { gpus: [] };
  const gpu = { gpus: [a100] };
  const disks = [{ name: "root", storageClass: plain.site.defaultStorageClass }];
  const local = [{ name: "root", storageClass: "local" }];
  expect(migrationRefusals(body, disks, testSite)).toEqual([]);
  expect(migrationRefusals(gpu, disks, testSite)).toMatchObject([{ code: "gpu_cannot_migrate" }]);
  expect(migrationRefusals(body, local, testSite)).toMatchObject([{ code: "disk_on_one_node" }]);
});

test("a clone gets its own owner, id and serial number, and does not start by itself", () => {
  const patched = clone.spec.patches.map((text) => parsed(text));
  expect(patched).toContainEqual({ op: "replace", path: "/spec/runStrategy", value: "Halted" });
  expect(patched).toContainEqual({
    op: "replace",
    path: "/spec/template/spec/domain/firmware/uuid",
    value: copyId,
  });
  expect(clone.spec.labelFilters).toContain(`!${labelKeys.machine}`);
  expect(machineIdOf(cloneName(copyId))).toBe(copyId);
});

test("R-PROF-05, S-02: a pool of machines is scaled by their CPU and memory", () => {
  const { pool, autoscaler } = machinePool(poolAsk);
  expect(autoscaler.spec).toMatchObject({
    scaleTargetRef: { kind: "VirtualMachinePool", name: pool.metadata.name },
    minReplicas: 2,
    maxReplicas: 8,
  });
  // Written by the autoscaler alone.
  expect("replicas" in pool.spec).toBe(false);
  const { metadata, spec: member } = pool.spec.virtualMachineTemplate;
  expect(metadata.labels).toMatchObject(pool.spec.selector.matchLabels ?? { missing: "" });
  // No two members with one id.
  expect(member.template.spec.domain.firmware).toBeUndefined();
  expect(member.template.metadata?.labels).not.toHaveProperty(labelKeys.machine);
  expect(poolRefusals(poolAsk)).toEqual([]);
  expect(poolRefusals({ ...poolAsk, replicasMin: 0 })).toMatchObject([{ code: "replicas" }]);
});

test("a flavor as an instance type and a preference", () => {
  const result = compileFlavor({ controlPlaneId: "cp-1", shape, gpuResource: a100 });
  expect(result).toMatchObject({
    instancetype: {
      spec: {
        cpu: { guest: 16, dedicatedCPUPlacement: true },
        memory: { guest: "128Gi", hugepages: { pageSize: "2Mi" } },
        gpus: [{ name: "gpu-0" }, { name: "gpu-1" }],
      },
    },
    preference: { spec: { cpu: { preferredCPUTopology: "spread", spreadOptions: { ratio: 2 } } } },
  });
});

test("a flavor that an instance type cannot say is not published", () => {
  const ask = { controlPlaneId: "cp-1", shape: { ...shape, overcommitPercent: 150 } };
  expect(compileFlavor(ask)).toMatchObject({
    refusals: [{ code: "flavor_overcommits" }, { code: "gpu_without_resource" }],
  });
});

const schemas = readSchemas();

test.skipIf(schemas.kinds.length === 0)(`all of these are as the schemas want${factsNote}`, () => {
  const flavor = compileFlavor({ controlPlaneId: "cp-1", shape, gpuResource: a100 });
  const objects = [
    machineSnapshot(act),
    machineRestore(act),
    clone,
    migration(act),
    migration({ ...act, hostId: "node-2" }),
    ...Object.values(machinePool(poolAsk)),
    ...Object.values(flavor),
  ];
  expect(objects.flatMap((object) => schemas.problems(object))).toEqual([]);
});

function parsed(text: string): unknown {
  return JSON.parse(text);
}

test("what is done is named by the id of what asked for it; one that is no name is told apart by its hash", () => {
  expect(actName("restore", act.id)).toBe(`restore-${act.id}`);
  const ids = [`${act.id}~2`, `${act.id}-2`, `${act.id}:create`, `${act.id}:delete:${act.id}`];
  const names = ids.map((id) => actName("migration", id));
  expect(new Set(names).size).toBe(ids.length);
  for (const name of names) expect(name).toMatch(/^[a-z](?:[a-z0-9-]{0,61}[a-z0-9])$/);
  expect(ids.map((id) => actName("migration", id))).toEqual(names);
});
