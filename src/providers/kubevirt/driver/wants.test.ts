/** What a flavor wants beside its size reaches the cluster: disks of their own, pages, nodes, neighbors. */
import { expect, test } from "vitest";

import { labelKeys } from "#providers/kubevirt/compile/labels.ts";
import { kinds } from "#providers/kubevirt/objects/kinds.ts";
import type { MachineSpec, Provider } from "#providers/provider.ts";
import { at, listAt, objectAt, textAt } from "#test/kube/api/json.ts";
import { call, made, read, shown, startRig, stored, all, type Rig } from "#test/kube-faults/rig.ts";
import { sampleSpec } from "#test/kube/sample-spec.ts";

import { policyOf } from "./policy.ts";
import { clusterSettings } from "./settings.ts";

const gib = 1024 ** 3;
/** 20 GiB in all, of which the first disk has 12. */
const disks = [
  { name: "data", bytes: 6 * gib },
  { name: "log", bytes: 2 * gib },
];
const database = { diskBytes: 20 * gib, wants: { disks } };

/** What is written of it: its disks, and what it runs as. */
function written(rig: Rig, spec: MachineSpec) {
  const machine = stored(rig, spec);
  return {
    sources: listAt(machine, "spec", "dataVolumeTemplates").map((each) =>
      at(each, "spec", "source"),
    ),
    sizes: listAt(machine, "spec", "dataVolumeTemplates").map((each) =>
      sizeOf(at(each, "spec", "storage")),
    ),
    labels: objectAt(machine, "spec", "template", "metadata", "labels"),
    body: objectAt(machine, "spec", "template", "spec"),
  };
}

function sizeOf(of: unknown): string {
  return textAt(of, "resources", "requests", "storage");
}

async function over(provider: Provider, ref: Parameters<Provider["operation"]>[1]): Promise<void> {
  await expect.poll(async () => (await provider.operation(read(), ref)).state).toBe("done");
}

test("R-PROF-10, R-PROF-11: data and log are disks of their own, within what was sold; the first one grows, and all of them are in a snapshot and in what is made of it", async () => {
  const rig = await startRig();
  const { provider } = rig;
  const spec = sampleSpec(database);
  expect((await made(rig, spec)).diskBytes).toBe(20 * gib);
  expect(written(rig, spec).sizes).toEqual(["12Gi", "6Gi", "2Gi"]);
  expect(listAt(written(rig, spec).body, "domain", "devices", "disks").slice(0, 3)).toMatchObject([
    { name: "root" },
    { name: "data", serial: "data", dedicatedIOThread: true },
    { name: "log", serial: "log", dedicatedIOThread: true },
  ]);

  await over(provider, await provider.resize(call(spec, "grow"), spec.id, { diskBytes: 25 * gib }));
  expect((await shown(provider, spec)).diskBytes).toBe(25 * gib);
  const claims = all(rig, kinds.claim).map((claim) => [
    claim.metadata.name.split("-").at(-1),
    sizeOf(claim["spec"]),
  ]);
  expect(Object.fromEntries(claims)).toEqual({ root: "17Gi", data: "6Gi", log: "2Gi" });

  const snapshot = { id: sampleSpec().id, name: "s", withMemory: false };
  await over(provider, await provider.snapshot(call(spec, "take"), spec.id, snapshot));
  const copy = sampleSpec({
    owner: { ...spec.owner, resourceId: sampleSpec().id },
    diskBytes: 25 * gib,
    fromSnapshot: snapshot.id,
  });
  await made(rig, copy);
  expect(written(rig, copy).sizes).toEqual(["17Gi", "6Gi", "2Gi"]);
  expect(written(rig, copy).sources).toEqual(
    ["root", "data", "log"].map((name) => ({
      snapshot: {
        namespace: expect.stringContaining(spec.owner.projectId),
        name: expect.stringMatching(new RegExp(`-volume-${name}$`)),
      },
    })),
  );
});

test("disks of their own that leave nothing for the first one are refused", async () => {
  const rig = await startRig();
  const spec = sampleSpec({ diskBytes: 8 * gib, wants: { disks } });
  await expect(provision(rig, spec)).rejects.toMatchObject({ code: "refused", effect: "none" });
  expect(all(rig, kinds.machine)).toEqual([]);
});

function provision({ provider }: Rig, spec: MachineSpec): Promise<unknown> {
  return provider.create(call(spec, "create"), spec);
}

test("R-PROF-02, R-PROF-08, R-MEM-04: nodes, taints, neighbors, pages and the CPU's model are as the flavor says", async () => {
  const rig = await startRig();
  const { objects } = rig.cluster.server;
  const hand = { manager: "kubectl", validation: "Ignore" } as const;
  const labels = { workload: "database" };
  objects.patch(kinds.node, { name: "node-1" }, { metadata: { labels } }, hand);
  const wants = {
    hostLabels: labels,
    tolerations: ["database"],
    apart: true,
    cpuModel: "host-passthrough",
    hugePages: "2Mi",
  } as const;
  const spec = sampleSpec({ wants });
  await provision(rig, spec);
  const { body, labels: shownLabels } = written(rig, spec);
  expect(body).toMatchObject({
    nodeSelector: labels,
    tolerations: [{ key: "database", operator: "Exists" }],
    domain: { cpu: { model: "host-passthrough" }, memory: { hugepages: { pageSize: "2Mi" } } },
  });
  expect(JSON.stringify(at(body, "affinity", "podAntiAffinity"))).toContain(spec.owner.tenantId);
  expect(shownLabels[labelKeys.apart]).toBe("true");
});

test("what the site says of a class holds over a flavor: its pages, its model, its labels", () => {
  const core = {
    hugePages: "1Gi",
    cpuModel: "EPYC-Genoa",
    nodeLabels: { pool: "core" },
    tolerations: ["gpu"],
  };
  const settings = clusterSettings.parse({ site: "dc-1", classes: { core } });
  const wants = {
    hugePages: "2Mi",
    cpuModel: "host-passthrough",
    hostLabels: { pool: "any", rack: "7" },
    tolerations: ["gpu", "database"],
  } as const;
  expect(policyOf(settings, { serviceClass: "core", gpus: [], wants })).toMatchObject({
    hugePages: "1Gi",
    cpu: { model: "named", name: "EPYC-Genoa" },
    nodeLabels: { pool: "core", rack: "7" },
    tolerations: ["gpu", "database"],
  });
});
