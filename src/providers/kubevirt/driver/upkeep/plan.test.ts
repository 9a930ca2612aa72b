import { expect, test } from "vitest";

import type { KubeObject } from "#providers/kubevirt/client/object.ts";
import { labelKeys } from "#providers/kubevirt/compile/labels.ts";
import { namespaceName } from "#providers/kubevirt/compile/names.ts";
import type { ProjectAsk } from "#providers/kubevirt/tenants/facts.ts";
import { projectFurniture } from "#providers/kubevirt/tenants/furniture.ts";

import { mending, upkeepOf, type ProjectSight } from "./plan.ts";

const gib = 1024 ** 3;
const now = Date.parse("2026-11-01T12:00:00Z");
const ask: ProjectAsk = {
  tenantId: "00000000-0000-4000-8000-0000000000cc",
  projectId: "00000000-0000-4000-8000-0000000000aa",
  serviceClass: "standard",
  quota: {
    machinesMax: 10,
    vcpusMax: 64,
    memoryBytesMax: 256 * gib,
    storageBytesMax: 1024 * gib,
    gpusMax: {},
    hugePageBytesMax: {},
    storageClasses: ["ceph"],
    largest: { vcpus: 16, memoryBytes: 64 * gib, diskBytes: 200 * gib },
    extraCpus: 1,
  },
  networks: ["net-1"],
  outbound: true,
  openings: [],
  viewers: [],
  site: {
    controlPlaneId: "cp-1",
    storageClasses: ["ceph", "other"],
    gpuResources: [],
    deviceClasses: [],
    imageNamespaces: ["images"],
    gateways: ["millrace"],
    storageNamespace: "cdi",
    dnsNamespace: "kube-system",
    dnsAddresses: [],
    clusterCidrs: ["10.0.0.0/8"],
    podSecurity: "baseline",
  },
};

/** As the server shows them. */
const standing: readonly KubeObject[] = projectFurniture(ask).map((object) => ({
  ...object,
  metadata: {
    ...object.metadata,
    uid: object.metadata.name,
    resourceVersion: "7",
    creationTimestamp: "2026-11-01T11:00:00Z",
  },
}));

function withNamespace(change: Partial<KubeObject["metadata"]>): readonly KubeObject[] {
  return standing.map((object) =>
    object.kind === "Namespace"
      ? { ...object, metadata: { ...object.metadata, ...change } }
      : object,
  );
}

function decided(change: Partial<ProjectSight> = {}) {
  return upkeepOf({
    projectId: ask.projectId,
    standing,
    machines: [],
    furnished: [],
    controlPlane: "cp-1",
    now,
    ...change,
  });
}

test("networks are those of machines, of walls that stand, and of what is being made", () => {
  const { tenantId } = ask;
  expect(decided()).toEqual({ to: "keep", tenantId, networks: ["net-1"] });
  const machines = [
    { tenantId, network: "net-2" },
    { tenantId, network: "" },
  ];
  expect(decided({ machines, furnished: ["net-3"] })).toMatchObject({
    networks: ["net-1", "net-2", "net-3"],
  });
  // A wall that somebody turned to another network does not make that one the project's.
  const turned = standing.map((object) =>
    object.metadata.name === "network-net-1"
      ? { ...object, spec: { podSelector: { matchLabels: { [labelKeys.network]: "net-9" } } } }
      : object,
  );
  expect(decided({ standing: turned })).toMatchObject({ networks: [] });
});

test("one that is being filled, or goes, is left to who does that", () => {
  const young = withNamespace({ creationTimestamp: "2026-11-01T11:59:30Z" });
  expect(decided({ standing: young })).toEqual({ to: "wait" });
  const going = withNamespace({ deletionTimestamp: "2026-11-01T11:59:30Z" });
  expect(decided({ standing: going })).toEqual({ to: "wait" });
  expect(decided({ standing: standing.slice(1) })).toEqual({ to: "look-closer" });
});

test("whose machines are there decides whose it is, not what somebody wrote on it", () => {
  const machines = [{ tenantId: "another", network: "net-1" }];
  expect(decided({ machines })).toMatchObject({
    to: "leave",
    because: { code: "namespace_of_another_tenant" },
  });
  expect(decided({ controlPlane: "cp-2" })).toMatchObject({
    because: { code: "namespace_of_another_control_plane" },
  });
});

test("as it should be, nothing is done; an amount that the server prints its own way is the same", () => {
  expect(mending(ask, standing)).toEqual({ apply: [], remove: [] });
  const printed = standing.map((object) =>
    object.kind === "LimitRange"
      ? {
          ...object,
          spec: {
            limits: [
              { type: "Container", defaultRequest: { cpu: "0.1", memory: "134217728" } },
              { type: "PersistentVolumeClaim", max: { storage: "225280Mi" } },
            ],
          },
        }
      : object,
  );
  expect(mending(ask, printed)).toEqual({ apply: [], remove: [] });
  const [namespace] = standing;
  expect(namespace?.metadata.name).toBe(namespaceName(ask.projectId));
  const without = standing.filter(({ kind }) => kind !== "LimitRange");
  expect(mending(ask, without).apply.map(({ kind }) => kind)).toEqual(["LimitRange"]);
});
