/**
 * What a cluster is and has, read when the driver opens and now and then after: KubeVirt's own settings,
 * storage, priorities, what its nodes offer. The compiler is told this and looks nothing up itself.
 */
import { z } from "zod";

import type { KubeClient } from "#providers/kubevirt/client/client.ts";
import type { KubeObject } from "#providers/kubevirt/client/object.ts";
import type {
  DiskSource,
  GpuResource,
  SiteFacts,
  StorageClassFacts,
} from "#providers/kubevirt/compile/facts.ts";
import type { ApiGroups } from "#providers/kubevirt/observe/platform.ts";
import { kinds } from "#providers/kubevirt/objects/kinds.ts";

import { refused } from "./errors.ts";
import { keepsSource } from "./endpoints.ts";
import type { ClusterSettings } from "./settings.ts";

/** Of KubeVirt's own object, what its rules follow from. */
export interface KubevirtFacts {
  readonly version: string;
  readonly cpuAllocationRatio: number;
  readonly overheadPercent: number;
  /** Resource names that machines may be given. */
  readonly permitted: ReadonlySet<string>;
  /** Changes of CPUs and memory reach a machine that runs, by moving it. */
  readonly liveUpdate: boolean;
  /** Features that are on by default, and were turned off. */
  readonly disabledGates: ReadonlySet<string>;
  /** `useEmulation`: a machine gets no `/dev/kvm`, whether its node has one or not. */
  readonly emulated: boolean;
}

const device = z.object({ resourceName: z.string() });
const kubevirtObject = z.object({
  spec: z.object({
    workloadUpdateStrategy: z
      .object({ workloadUpdateMethods: z.array(z.string()).default([]) })
      .optional(),
    configuration: z
      .object({
        vmRolloutStrategy: z.string().optional(),
        developerConfiguration: z
          .object({
            cpuAllocationRatio: z.number().optional(),
            useEmulation: z.boolean().optional(),
            disabledFeatureGates: z.array(z.string()).default([]),
          })
          .optional(),
        additionalGuestMemoryOverheadRatio: z.string().optional(),
        permittedHostDevices: z
          .object({
            pciHostDevices: z.array(device).default([]),
            mediatedDevices: z.array(device).default([]),
          })
          .optional(),
      })
      .optional(),
  }),
  status: z
    .object({ observedKubeVirtVersion: z.string().optional(), phase: z.string().optional() })
    .optional(),
});

/** KubeVirt's own default, which sells each CPU ten times where a machine does not say what it requests. */
const defaultAllocationRatio = 10;

export function kubevirtFacts(object: KubeObject): KubevirtFacts {
  const { spec, status } = kubevirtObject.parse(object);
  const { configuration, workloadUpdateStrategy } = spec;
  const devices = configuration?.permittedHostDevices;
  const ratio = Number(configuration?.additionalGuestMemoryOverheadRatio ?? "1");
  const methods = workloadUpdateStrategy?.workloadUpdateMethods ?? [];
  return {
    version: status?.observedKubeVirtVersion ?? "unknown",
    cpuAllocationRatio:
      configuration?.developerConfiguration?.cpuAllocationRatio ?? defaultAllocationRatio,
    overheadPercent: Number.isFinite(ratio) ? Math.round(ratio * 100) : 100,
    permitted: new Set(
      [...(devices?.pciHostDevices ?? []), ...(devices?.mediatedDevices ?? [])].map(
        ({ resourceName }) => resourceName,
      ),
    ),
    // In code the default is LiveUpdate; the documentation says Stage.
    liveUpdate:
      (configuration?.vmRolloutStrategy ?? "LiveUpdate") === "LiveUpdate" &&
      methods.includes("LiveMigrate"),
    emulated: configuration?.developerConfiguration?.useEmulation === true,
    disabledGates: new Set(configuration?.developerConfiguration?.disabledFeatureGates),
  };
}

const storageClass = z.object({
  metadata: z.object({
    name: z.string(),
    annotations: z.record(z.string(), z.string()).optional(),
  }),
  provisioner: z.string(),
  allowVolumeExpansion: z.boolean().optional(),
});
const snapshotClass = z.object({ driver: z.string() });
const storageProfile = z.object({
  metadata: z.object({ name: z.string() }),
  status: z
    .object({
      claimPropertySets: z
        .array(
          z.object({
            accessModes: z.array(z.string()).default([]),
            volumeMode: z.string().optional(),
          }),
        )
        .default([]),
    })
    .optional(),
});

const defaultClassKey = "storageclass.kubernetes.io/is-default-class";

export interface Storage {
  readonly classes: ReadonlyMap<string, StorageClassFacts>;
  readonly defaultClass: string | undefined;
}

/** What each class can do, as CDI's storage profiles say it; a class without one is taken for the least. */
export function storageFacts(
  classes: readonly KubeObject[],
  snapshotClasses: readonly KubeObject[],
  profiles: readonly KubeObject[],
): Storage {
  const drivers = new Set(snapshotClasses.map((each) => snapshotClass.parse(each).driver));
  const sets = new Map(
    profiles.map((each) => {
      const { metadata, status } = storageProfile.parse(each);
      return [metadata.name, status?.claimPropertySets[0]] as const;
    }),
  );
  const parsed = classes.map((each) => storageClass.parse(each));
  const isDefault = parsed.find(
    ({ metadata }) => metadata.annotations?.[defaultClassKey] === "true",
  );
  return {
    classes: new Map(
      parsed.map(({ metadata: { name }, provisioner, allowVolumeExpansion }) => {
        const set = sets.get(name);
        const shared = set?.accessModes.includes("ReadWriteMany") === true;
        return [
          name,
          {
            accessMode: shared ? "ReadWriteMany" : "ReadWriteOnce",
            volumeMode: set?.volumeMode === "Block" ? "Block" : "Filesystem",
            snapshots: drivers.has(provisioner),
            grows: allowVolumeExpansion === true,
          },
        ];
      }),
    ),
    defaultClass: isDefault?.metadata.name,
  };
}

/** Configured, and permitted: what is only configured is `unpermitted`, and said by `doctor`. */
export function gpuFacts(
  settings: ClusterSettings,
  { permitted }: KubevirtFacts,
): { readonly gpus: ReadonlyMap<string, GpuResource>; readonly unpermitted: readonly string[] } {
  const gpus = new Map<string, GpuResource>();
  const unpermitted: string[] = [];
  for (const [resource, { model, kind, deviceClass }] of Object.entries(settings.gpus)) {
    if (deviceClass !== undefined) gpus.set(resource, { model, kind, by: { deviceClass } });
    else if (permitted.has(resource)) gpus.set(resource, { model, kind, by: { plugin: true } });
    else unpermitted.push(resource);
  }
  return { gpus, unpermitted };
}

export interface Site {
  readonly facts: SiteFacts;
  readonly kubevirt: KubevirtFacts;
  readonly kubernetesVersion: string;
  /** GPUs of the settings that KubeVirt does not permit. */
  readonly unpermitted: readonly string[];
  /** What its API has. */
  readonly groups: ApiGroups;
  /** The value of the lowest PriorityClass that machines have: jobs stay below. */
  readonly machinePriorityMin: number;
}

const named = z.object({ metadata: z.object({ name: z.string() }) });
const priorityClass = named.extend({
  value: z.number(),
  globalDefault: z.boolean().default(false),
});

/** A class that says none has the cluster's default, and without one zero. */
export function machinePriorityMin(
  { classes }: ClusterSettings,
  all: readonly KubeObject[],
): number {
  const known = all.map((each) => priorityClass.parse(each));
  const byDefault = known.find(({ globalDefault }) => globalDefault)?.value ?? 0;
  const values = [classes.core, classes.standard].map(({ priorityClass: name }) =>
    name === undefined
      ? byDefault
      : (known.find(({ metadata }) => metadata.name === name)?.value ?? 0),
  );
  return Math.min(...values);
}

export async function readSite(
  client: KubeClient,
  settings: ClusterSettings,
  nodes: { readonly cpuModels: ReadonlySet<string>; readonly vcpusMax: number },
  signal: AbortSignal,
): Promise<Site> {
  const call = { signal };
  const kubevirt = await readKubevirt(client, signal);
  const [classes, snapshotClasses, profiles, priorities, kubernetesVersion, groups] =
    await Promise.all([
      client.list(call, kinds.storageClass),
      listIfServed(client, kinds.volumeSnapshotClass, signal),
      listIfServed(client, kinds.storageProfile, signal),
      client.list(call, kinds.priorityClass),
      client.version(call),
      client.groups(call),
    ]);
  const storage = storageFacts(classes.items, snapshotClasses, profiles);
  const { gpus, unpermitted } = gpuFacts(settings, kubevirt);
  const defaultStorageClass = settings.storageClass ?? storage.defaultClass;
  if (defaultStorageClass === undefined) {
    throw refused(
      "The cluster has no default StorageClass. Mark one, or name one as `storageClass` in the settings of the site.",
    );
  }
  return {
    kubevirt,
    kubernetesVersion,
    unpermitted,
    groups,
    machinePriorityMin: machinePriorityMin(settings, priorities.items),
    facts: {
      controlPlaneId: settings.controlPlane,
      rules: {
        cpuAllocationRatio: kubevirt.cpuAllocationRatio,
        overheadPercent: kubevirt.overheadPercent,
      },
      gpus,
      storageClasses: storage.classes,
      defaultStorageClass,
      images: new Map(
        Object.entries(settings.images).map(([name, image]) => [name, sourceOf(image)]),
      ),
      priorityClasses: new Set(priorities.items.map((each) => named.parse(each).metadata.name)),
      cpuModels: nodes.cpuModels,
      vcpusMax: nodes.vcpusMax,
      sshService: settings.sshService,
      sshKeepsSource: keepsSource(settings),
    },
  };
}

async function readKubevirt(client: KubeClient, signal: AbortSignal): Promise<KubevirtFacts> {
  const served = await client.served({ signal }, kinds.machine);
  if (!served.has(kinds.machine.plural)) {
    throw refused(
      "The cluster has no KubeVirt (kubevirt.io/v1 is not served). Install KubeVirt 1.9 or later, then `millrace doctor` looks again.",
    );
  }
  const disks = await client.served({ signal }, kinds.dataVolume);
  if (!disks.has(kinds.dataVolume.plural)) {
    throw refused(
      "The cluster has no CDI (cdi.kubevirt.io/v1beta1 is not served), so no machine would get a disk. Install CDI.",
    );
  }
  const { items } = await client.list({ signal }, kinds.kubevirt);
  const [object] = items;
  if (object === undefined) {
    throw refused(
      "The cluster has KubeVirt's definitions but no KubeVirt object: its operator has nothing to install. Create one.",
    );
  }
  return kubevirtFacts(object);
}

/** Nothing, where the cluster does not have the kind: what rests on it is then said to be missing. */
async function listIfServed(
  client: KubeClient,
  kind: (typeof kinds)[keyof typeof kinds],
  signal: AbortSignal,
): Promise<readonly KubeObject[]> {
  const served = await client.served({ signal }, kind);
  return served.has(kind.plural) ? (await client.list({ signal }, kind)).items : [];
}

function sourceOf(image: ClusterSettings["images"][string]): DiskSource {
  if ("dataSource" in image) {
    return { kind: "data-source", namespace: image.namespace, name: image.dataSource };
  }
  if ("claim" in image) return { kind: "claim", namespace: image.namespace, name: image.claim };
  if ("volumeSnapshot" in image) {
    return { kind: "volume-snapshot", namespace: image.namespace, name: image.volumeSnapshot };
  }
  if ("registry" in image) return { kind: "registry", url: image.registry };
  return { kind: "http", url: image.http };
}
