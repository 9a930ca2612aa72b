/**
 * A project's namespace and what belongs into it, there before the first machine is: walls first. Applied
 * once by each process, and again where a network is new in it. What somebody else owns is left alone.
 */
import { z } from "zod";

import type { Kind } from "#providers/kubevirt/client/kind.ts";
import { apiVersion } from "#providers/kubevirt/client/kind.ts";
import type { NamespaceFacts } from "#providers/kubevirt/compile/facts.ts";
import { kinds } from "#providers/kubevirt/objects/kinds.ts";
import type { ProjectAsk, ProjectQuota } from "#providers/kubevirt/tenants/facts.ts";
import { projectFurniture, type Furnishing } from "#providers/kubevirt/tenants/furniture.ts";
import { namespaceProblem } from "#providers/kubevirt/tenants/namespace.ts";
import type { Call, MachineSpec } from "#providers/provider.ts";

import { refusedBecause } from "./errors.ts";
import type { Hands } from "./hands.ts";
import type { Site } from "./site.ts";

/** What this process has applied: the networks by namespace. */
export class Furnished {
  readonly #networks = new Map<string, Set<string>>();
  readonly #turns = new Map<string, Promise<void>>();

  has(namespace: string, network: string): boolean {
    return this.#networks.get(namespace)?.has(network) === true;
  }

  networks(namespace: string): readonly string[] {
    return [...(this.#networks.get(namespace) ?? [])];
  }

  add(namespace: string, network: string): void {
    const networks = this.#networks.get(namespace) ?? new Set();
    this.#networks.set(namespace, networks.add(network));
  }

  /** It turned out not to be there any more. */
  forget(namespace: string): void {
    this.#networks.delete(namespace);
  }

  /** One at a time in a namespace. */
  async inTurn(namespace: string, work: () => Promise<void>): Promise<void> {
    const before = this.#turns.get(namespace) ?? Promise.resolve();
    const turn = before.catch(() => undefined).then(work);
    this.#turns.set(namespace, turn);
    try {
      await turn;
    } finally {
      if (this.#turns.get(namespace) === turn) this.#turns.delete(namespace);
    }
  }
}

export async function ensureNamespace(
  hands: Hands,
  call: Call,
  { spec, facts }: { readonly spec: MachineSpec; readonly facts: NamespaceFacts },
): Promise<void> {
  const { furnished } = hands;
  const { name } = facts;
  if (furnished.has(name, spec.network)) return;
  await furnished.inTurn(name, async () => {
    if (furnished.has(name, spec.network)) return;
    const site = await hands.site();
    const networks = [...furnished.networks(name), spec.network];
    const ask = projectAsk(hands, { spec, site, networks });
    const problem = namespaceProblem(await seenNamespace(hands, call, name), ask);
    if (problem !== undefined) throw refusedBecause([problem]);
    const [namespace, ...rest] = projectFurniture(ask);
    if (namespace !== undefined) await apply(hands, call, namespace);
    await Promise.all(rest.map((object) => apply(hands, call, object)));
    furnished.add(name, spec.network);
  });
}

async function apply(hands: Hands, call: Call, object: Furnishing): Promise<void> {
  await hands.client.apply({ ...call, force: "take-over" }, kindOf(object), object);
}

const byName: ReadonlyMap<string, Kind> = new Map(
  Object.entries(kinds)
    .filter(([key]) => key !== "machineAction" && key !== "machineInstanceAction")
    .map(([, kind]) => [`${apiVersion(kind)} ${kind.kind}`, kind]),
);

function kindOf(object: { readonly apiVersion: string; readonly kind: string }): Kind {
  const kind = byName.get(`${object.apiVersion} ${object.kind}`);
  if (kind === undefined) throw new Error(`no kind ${object.apiVersion} ${object.kind}`);
  return kind;
}

const namespaceObject = z.object({
  metadata: z.object({
    labels: z.record(z.string(), z.string()).default({}),
    deletionTimestamp: z.string().optional(),
  }),
});

async function seenNamespace(hands: Hands, call: Call, name: string) {
  const object = await hands.client.get(call, kinds.namespace, { name });
  if (object === undefined) return undefined;
  const { labels, deletionTimestamp } = namespaceObject.parse(object).metadata;
  return { labels, deleting: deletionTimestamp !== undefined };
}

function projectAsk(
  hands: Hands,
  at: { readonly spec: MachineSpec; readonly site: Site; readonly networks: readonly string[] },
): ProjectAsk {
  const { settings } = hands;
  const { spec, site, networks } = at;
  const { tenantId, projectId } = spec.owner;
  const { facts } = site;
  const gpus = [...facts.gpus];
  const imageNamespaces = [...facts.images.values()].flatMap((image) =>
    "namespace" in image ? image.namespace : [],
  );
  return {
    tenantId,
    projectId,
    serviceClass: settings.projects,
    quota: backstop(hands, facts.storageClasses.keys()),
    networks,
    outbound: settings.outbound,
    openings: [{ protocol: "TCP", port: 22, from: settings.sshFrom }],
    viewers: [],
    site: {
      controlPlaneId: settings.controlPlane,
      storageClasses: [...facts.storageClasses.keys()],
      gpuResources: gpus.flatMap(([resource, { by }]) => ("plugin" in by ? resource : [])),
      deviceClasses: gpus.flatMap(([, { by }]) => ("deviceClass" in by ? by.deviceClass : [])),
      imageNamespaces: [...new Set(imageNamespaces)],
      gateways: settings.gateways,
      storageNamespace: settings.storageNamespace,
      dnsNamespace: settings.dnsNamespace,
      clusterCidrs: settings.clusterCidrs,
      podSecurity: settings.podSecurity,
    },
  };
}

/** What the cluster has at all: our own ledger decides, this only stops what went past it. */
function backstop(hands: Hands, storageClasses: Iterable<string>): ProjectQuota {
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
