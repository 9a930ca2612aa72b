/** What machines on a cluster can do, and why not the rest: as KubeVirt is set up there. Pure. */
import type { StorageClassFacts } from "#providers/kubevirt/compile/facts.ts";
import type { Capabilities, Capability } from "#providers/provider.ts";

import type { SeenNode } from "./inventory.ts";
import type { ClusterSettings } from "./settings.ts";
import type { Site } from "./site.ts";

export const noNumaPinning =
  "which NUMA node is the kubelet's choice (Topology Manager), not the control plane's";
export const noDedicatedCpus =
  "the kubelet hands out no dedicated CPUs, or KubeVirt does not say so (cpuManagerPolicy: static on the kubelet, feature gate CPUManager in KubeVirt)";
const noSnapshots =
  "there is no VolumeSnapshotClass for the storage: a snapshot would hold no disk";
export const noGpuResize =
  "a GPU is added or taken at the next start only (KubeVirt says RestartRequired)";

/** Of a class of storage without `allowVolumeExpansion`. */
export function doesNotGrow(storageClass: string): string {
  return `storage class ${storageClass} lets no disk grow (allowVolumeExpansion)`;
}

const yes: Capability = { can: true };

function no(because: string): { readonly can: false; readonly because: string } {
  return { can: false, because };
}

export function capabilitiesOf(
  { facts, kubevirt }: Site,
  settings: ClusterSettings,
  nodes: Iterable<SeenNode>,
): Capabilities {
  const all = [...nodes];
  const { core, standard } = settings.classes;
  const storage = [core, standard].map(({ storageClass = facts.defaultStorageClass }) =>
    facts.storageClasses.get(storageClass),
  );
  const hasGpus =
    facts.gpus.size > 0 || settings.jobs?.flavors.some(({ gpu }) => gpu !== null) === true;
  const canSnapshot = storage.every((each) => each?.snapshots === true);
  const moves = moveLive(storage, all.length);
  const liveUpdate = "KubeVirt is not set up for it (LiveUpdate with the method LiveMigrate)";
  return {
    snapshotWithMemory: no("KubeVirt's snapshots hold disks, not memory"),
    snapshotDiskOnly: canSnapshot ? yes : no(noSnapshots),
    keepSnapshot: canSnapshot ? yes : no(noSnapshots),
    clone: canSnapshot ? yes : no(noSnapshots),
    resizeCpuLive: no(
      kubevirt.liveUpdate
        ? "CPUs change at the next start; only further sockets of core machines are plugged while they run"
        : liveUpdate,
    ),
    resizeMemoryLive: kubevirt.liveUpdate ? pluggedBy(moves) : no(liveUpdate),
    diskGrow: diskGrow(facts, settings),
    diskGrowLive: diskGrow(facts, settings),
    resizeGpus: no(noGpuResize),
    pause: yes,
    startElsewhere: startElsewhere(storage, settings, all.length),
    moveLive: moves,
    serialConsole: yes,
    vncConsole: yes,
    warmStart: no("a machine boots in a pod of its own"),
    tenantNetwork: yes,
    outboundNetwork: settings.outbound ? yes : no("the site's settings forbid it"),
    openings: yes,
    workloads: no("jobs are pods of the cluster, not machines"),
    gpus: hasGpus ? yes : no("no GPU is both named in the settings and permitted"),
    numaPinning: no(noNumaPinning),
    exclusiveCpus: all.some(({ dedicatedCpus }) => dedicatedCpus) ? yes : no(noDedicatedCpus),
    idempotency: "client-id",
  };
}

/** By service class: each may have storage of its own. */
function diskGrow(
  { storageClasses, defaultStorageClass }: Site["facts"],
  { classes }: ClusterSettings,
): Capability {
  const of = (["core", "standard"] as const).map((serviceClass) => {
    const { storageClass = defaultStorageClass } = classes[serviceClass];
    return { serviceClass, storageClass };
  });
  const fixed = of.filter(({ storageClass }) => storageClasses.get(storageClass)?.grows === false);
  if (fixed.length === 0) return yes;
  const names = [...new Set(fixed.map(({ storageClass }) => storageClass))];
  return {
    ...no(doesNotGrow(names.join(", "))),
    ...(fixed.length === of.length
      ? {}
      : { classes: fixed.map(({ serviceClass }) => serviceClass) }),
  };
}

/** What is plugged in gets into the guest's pod by a move to a larger one. */
function pluggedBy(moves: Capability): Capability {
  return moves.can ? yes : no(`memory is plugged in by a move: ${moves.because}`);
}

/** A machine with a GPU never does, whatever the site can. */
function moveLive(storage: readonly (StorageClassFacts | undefined)[], nodes: number): Capability {
  if (nodes < 2) return no("there is no second node");
  return storage.every((each) => each?.accessMode === "ReadWriteMany")
    ? yes
    : no("only one node may open a disk of this storage at a time (it has no ReadWriteMany)");
}

function startElsewhere(
  storage: readonly (StorageClassFacts | undefined)[],
  { disksFollow }: ClusterSettings,
  nodes: number,
): Capability {
  if (nodes < 2) return no("there is no second node");
  const shared = storage.every((each) => each?.accessMode === "ReadWriteMany");
  return (disksFollow ?? shared)
    ? yes
    : no(
        "nobody said that any node may open a disk of this storage (disksFollow in the site's settings)",
      );
}
