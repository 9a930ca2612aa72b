/**
 * What the driver asks of a project's namespace: as the settings say, as large as the cluster is, and open
 * and strict where its customer and the operator said so.
 */
import { labelKeys } from "#providers/kubevirt/compile/labels.ts";
import type { Labels } from "#providers/kubevirt/objects/meta.ts";
import type { ProjectAsk, ProjectQuota, TenancyFacts } from "#providers/kubevirt/tenants/facts.ts";

import type { Hands } from "./hands.ts";
import type { Site } from "./site.ts";

type Asked = Pick<Hands, "settings" | "view" | "told">;

export function projectAsk(
  hands: Asked,
  at: {
    readonly owner: { readonly tenantId: string; readonly projectId: string };
    readonly site: Site;
    readonly networks: readonly string[];
    /** Of its namespace, if there is one. */
    readonly labels: Labels | undefined;
  },
): ProjectAsk {
  const { settings, told } = hands;
  const { owner, site, networks, labels } = at;
  const { facts } = site;
  return {
    tenantId: owner.tenantId,
    projectId: owner.projectId,
    serviceClass: serviceClassOf(hands, { projectId: owner.projectId, labels }),
    quota: backstop(hands, facts.storageClasses.keys()),
    networks,
    outbound: settings.outbound,
    openings: [
      { protocol: "TCP", port: 22, from: settings.sshFrom },
      ...told.openingsOf(owner.projectId),
    ],
    viewers: [],
    site: tenancyFacts(hands, site),
  };
}

/** As the site's settings say of all, or as was told; until that was, a strict one stays as it stands. */
function serviceClassOf(
  { settings, told }: Asked,
  { projectId, labels }: { readonly projectId: string; readonly labels: Labels | undefined },
): ProjectAsk["serviceClass"] {
  if (settings.projects === "core") return "core";
  const stands = labels?.[labelKeys.serviceClass] === "core" ? "core" : "standard";
  return told.serviceClassOf(projectId) ?? stands;
}

/** Of every project of the site. */
export function tenancyFacts({ settings }: Pick<Hands, "settings">, { facts }: Site): TenancyFacts {
  const gpus = [...facts.gpus];
  const imageNamespaces = [...facts.images.values()].flatMap((image) =>
    "namespace" in image ? image.namespace : [],
  );
  return {
    controlPlaneId: settings.controlPlane,
    storageClasses: [...facts.storageClasses.keys()],
    gpuResources: gpus.flatMap(([resource, { by }]) => ("plugin" in by ? resource : [])),
    deviceClasses: gpus.flatMap(([, { by }]) => ("deviceClass" in by ? by.deviceClass : [])),
    imageNamespaces: [...new Set(imageNamespaces)],
    gateways: settings.gateways,
    storageNamespace: settings.storageNamespace,
    dnsNamespace: settings.dnsNamespace,
    dnsAddresses: settings.dnsAddresses,
    clusterCidrs: settings.clusterCidrs,
    podSecurity: settings.podSecurity,
  };
}

/** What the cluster has at all: our own ledger decides, this only stops what went past it. */
function backstop(hands: Asked, storageClasses: Iterable<string>): ProjectQuota {
  const hosts = [...hands.view.nodes()].map(({ host }) => host);
  const sum = (of: (host: (typeof hosts)[number]) => number): number =>
    hosts.reduce((all, host) => all + of(host), 0);
  const most = (of: (host: (typeof hosts)[number]) => number): number =>
    Math.max(1, ...hosts.map(of));
  const gpus: Record<string, number> = {};
  for (const resource of Object.keys(hands.settings.gpus)) {
    gpus[resource] = sum(({ gpus: devices }) =>
      devices.reduce(
        (count, { resource: whole, sliceResource, slicesMax }) =>
          count + (whole === resource ? 1 : sliceResource === resource ? slicesMax : 0),
        0,
      ),
    );
  }
  const { machinesMax, storageGibMax } = hands.settings;
  const storageBytesMax = storageGibMax * 1024 ** 3;
  return {
    machinesMax,
    vcpusMax: Math.max(1, Math.floor((sum(({ cpus }) => cpus) * 3) / 2)),
    memoryBytesMax: Math.max(
      1,
      sum(({ memoryBytes }) => memoryBytes),
    ),
    storageBytesMax,
    gpusMax: gpus,
    hugePageBytesMax: {
      "2Mi": sum(({ hugePages }) => (hugePages["2Mi"] ?? 0) * 2 * 1024 ** 2),
      "1Gi": sum(({ hugePages }) => (hugePages["1Gi"] ?? 0) * 1024 ** 3),
    },
    storageClasses: [...storageClasses],
    largest: {
      vcpus: most(({ cpus }) => cpus),
      memoryBytes: most(({ memoryBytes }) => memoryBytes),
      diskBytes: Math.floor(storageBytesMax / 10),
    },
    extraCpus: 1,
  };
}
