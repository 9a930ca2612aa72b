/** Disks of a machine: each a DataVolume of its own that lives and dies with it, by virtio. */
import type { DataVolumeTemplate, Disk, Volume } from "#providers/kubevirt/objects/machine.ts";
import type { DataVolumeSpec } from "#providers/kubevirt/objects/storage.ts";

import type { DiskSource, MachineAsk } from "./facts.ts";
import { machineLabels } from "./labels.ts";
import { machineName, partName } from "./names.ts";
import { printBytes } from "./quantity.ts";

export interface MachineDisks {
  readonly disks: readonly Disk[];
  readonly volumes: readonly Volume[];
  readonly templates: readonly DataVolumeTemplate[];
}

export interface PlannedDisk {
  readonly name: string;
  readonly bytes: number;
  readonly storageClass: string;
  /** Nothing: it begins empty. */
  readonly source: DiskSource | undefined;
}

/** The first one first. An image that the site does not know leaves it without a source. */
export function plannedDisks({ spec, site, policy, rootFrom }: MachineAsk): readonly PlannedDisk[] {
  const storageClass = policy.storageClass ?? site.defaultStorageClass;
  const source = rootFrom ?? site.images.get(spec.image);
  return [
    { name: "root", bytes: spec.diskBytes, storageClass, source },
    ...policy.extraDisks.map((disk) => ({
      name: disk.name,
      bytes: disk.bytes,
      storageClass: disk.storageClass ?? storageClass,
      source: disk.from,
    })),
  ];
}

export function machineDisks(ask: MachineAsk): MachineDisks {
  const machine = machineName(ask.spec.id);
  const labels = machineLabels(ask.site.controlPlaneId, ask.spec);
  const planned = plannedDisks(ask);
  return {
    disks: planned.map(({ name }) => ({
      name,
      disk: { bus: "virtio" },
      cache: "none",
      io: "native",
      ...(name === "root" ? { bootOrder: 1 } : { dedicatedIOThread: true, serial: name }),
    })),
    volumes: planned.map(({ name }) => ({ name, dataVolume: { name: partName(machine, name) } })),
    templates: planned.map((disk) => ({
      metadata: { name: partName(machine, disk.name), labels },
      spec: dataVolume(disk, ask),
    })),
  };
}

function dataVolume(disk: PlannedDisk, { site }: MachineAsk): DataVolumeSpec {
  const facts = site.storageClasses.get(disk.storageClass);
  return {
    ...sourceOf(disk.source),
    storage: {
      storageClassName: disk.storageClass,
      ...(facts === undefined
        ? {}
        : { accessModes: [facts.accessMode], volumeMode: facts.volumeMode }),
      resources: { requests: { storage: printBytes(BigInt(disk.bytes)) } },
    },
  };
}

function sourceOf(source: DiskSource | undefined): Pick<DataVolumeSpec, "source" | "sourceRef"> {
  if (source === undefined) return { source: { blank: {} } };
  switch (source.kind) {
    case "data-source": {
      const { namespace, name } = source;
      return { sourceRef: { kind: "DataSource", namespace, name } };
    }
    case "claim":
      return { source: { pvc: { namespace: source.namespace, name: source.name } } };
    case "volume-snapshot":
      return { source: { snapshot: { namespace: source.namespace, name: source.name } } };
    case "registry":
      return { source: { registry: { url: source.url } } };
    case "http":
      return { source: { http: { url: source.url } } };
  }
}
