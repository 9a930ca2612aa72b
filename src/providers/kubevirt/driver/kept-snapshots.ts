/**
 * Snapshots that outlive their machine. KubeVirt keeps a VirtualMachineSnapshot when its machine goes, with
 * the storage's own snapshot of each disk; a machine that begins as one has its first disk made of that.
 */
import { z } from "zod";

import type { KubeObject } from "#providers/kubevirt/client/object.ts";
import type { DiskSource, ExtraDisk } from "#providers/kubevirt/compile/facts.ts";
import { labelKeys, ourSelector, ownerOf } from "#providers/kubevirt/compile/labels.ts";
import { actName, namespaceName } from "#providers/kubevirt/compile/names.ts";
import { kinds } from "#providers/kubevirt/objects/kinds.ts";
import { read } from "#providers/kubevirt/observe/seen.ts";
import {
  ProviderError,
  type Call,
  type MachineSpec,
  type OperationRef,
  type Owner,
  type ReadCall,
} from "#providers/provider.ts";

import { refused } from "./errors.ts";
import type { Hands } from "./hands.ts";
import { bytesOf, type KeptMachine } from "./kept.ts";
import { snapshotStatus } from "./snapshots.ts";

/** On a snapshot that is to stay when its machine goes. */
const keptKey = "millrace.dev/kept";

const requests = z.object({ resources: z.object({ requests: z.object({ storage: z.string() }) }) });

const content = z.object({
  spec: z.object({
    volumeBackups: z
      .array(z.object({ volumeName: z.string(), volumeSnapshotName: z.string().optional() }))
      .default([]),
    source: z.object({
      virtualMachine: z.object({
        spec: z.object({
          dataVolumeTemplates: z
            .array(
              z.object({
                metadata: z.object({ name: z.string() }),
                spec: z.object({ storage: requests.optional() }),
              }),
            )
            .default([]),
          template: z.object({
            spec: z.object({
              volumes: z
                .array(
                  z.object({
                    name: z.string(),
                    dataVolume: z.object({ name: z.string() }).optional(),
                  }),
                )
                .default([]),
            }),
          }),
        }),
      }),
    }),
  }),
});

const named = z.object({
  status: z.object({ virtualMachineSnapshotContentName: z.string().optional() }).optional(),
});

export function isKept({ metadata }: KubeObject): boolean {
  return metadata.annotations?.[keptKey] !== undefined;
}

/** Throws `not_found` where the snapshot is not there, or holds less than the machine's disks. */
export async function markKept(
  hands: Hands,
  call: Call,
  { machine, snapshotId }: { readonly machine: KeptMachine; readonly snapshotId: string },
): Promise<void> {
  const name = actName("snapshot", snapshotId);
  const progress = await snapshotStatus(hands, call, { machine, name });
  if (progress?.state !== "done") throw missing(snapshotId);
  const { client } = hands;
  const at = { namespace: machine.namespace, name };
  const patch = { metadata: { annotations: { [keptKey]: "true" } } };
  await client.patch(call, kinds.snapshot, { name: at, patch });
}

/** What a machine's disks begin as: the first one as an image where nothing else is said. */
export interface Beginning {
  readonly root: DiskSource | undefined;
  readonly further: readonly ExtraDisk[];
}

/** Of a machine that begins as a snapshot: all disks that are in it, and no other. */
export async function beginningOf(
  hands: Hands,
  call: ReadCall,
  { fromSnapshot, owner, wants }: Pick<MachineSpec, "fromSnapshot" | "owner" | "wants">,
): Promise<Beginning> {
  if (fromSnapshot === undefined) return { root: undefined, further: wants?.disks ?? [] };
  const snapshot = await find(hands, call, { owner, snapshotId: fromSnapshot });
  if (snapshot === undefined || ownedBy(snapshot)?.tenantId !== owner.tenantId) {
    throw missing(fromSnapshot);
  }
  const { namespace = "" } = snapshot.metadata;
  if (namespace !== namespaceName(owner.projectId)) {
    throw refused(
      "That snapshot is of another project, and on a cluster a disk is made of one of its own project.",
    );
  }
  const held = named.parse(snapshot).status?.virtualMachineSnapshotContentName ?? "";
  const at = { namespace, name: held };
  const object = await hands.client.get(call, kinds.snapshotContent, at);
  if (object === undefined) throw missing(fromSnapshot);
  const { volumeBackups, source } = content.parse(object).spec;
  const disks = volumeBackups.map(({ volumeName: name, volumeSnapshotName }): ExtraDisk => {
    if (volumeSnapshotName === undefined) throw missing(fromSnapshot);
    const from = { kind: "volume-snapshot", namespace, name: volumeSnapshotName } as const;
    return { name, bytes: bytesIn(source.virtualMachine.spec, name), from };
  });
  const root = disks.find(({ name }) => name === "root")?.from;
  if (root === undefined) throw missing(fromSnapshot);
  return { root, further: disks.filter(({ name }) => name !== "root") };
}

/** What a disk was ordered with: only the first one grows. */
function bytesIn(
  {
    dataVolumeTemplates,
    template,
  }: z.infer<typeof content>["spec"]["source"]["virtualMachine"]["spec"],
  volume: string,
): number {
  const disk = template.spec.volumes.find(({ name }) => name === volume)?.dataVolume?.name;
  const made = dataVolumeTemplates.find(({ metadata }) => metadata.name === disk);
  return bytesOf(made?.spec.storage?.resources.requests.storage);
}

export async function dropKept(
  hands: Hands,
  call: Call,
  { machineId, snapshotId }: { readonly machineId: string; readonly snapshotId: string },
): Promise<OperationRef> {
  const ref = { id: call.operationId, machineId, native: "drop" };
  const snapshot = await find(hands, call, { owner: call.owner, snapshotId });
  if (snapshot === undefined) return ref;
  if (ownedBy(snapshot)?.tenantId !== call.owner.tenantId) {
    throw refused(`snapshot ${snapshotId} belongs to somebody else`);
  }
  const { namespace = "", name } = snapshot.metadata;
  await hands.client.delete(call, kinds.snapshot, { namespace, name });
  return ref;
}

/** In the namespace of its project, where it nearly always is, else in another one of its tenant. */
async function find(
  { client, settings }: Hands,
  { signal }: ReadCall,
  of: { readonly owner: Owner; readonly snapshotId: string },
): Promise<KubeObject | undefined> {
  const call = { signal };
  const name = actName("snapshot", of.snapshotId);
  const namespace = namespaceName(of.owner.projectId);
  const here = await client.get(call, kinds.snapshot, { namespace, name });
  if (here !== undefined) return here;
  const labels = `${ourSelector(settings.controlPlane)},${labelKeys.tenant}=${of.owner.tenantId}`;
  const { items } = await client.list(call, kinds.snapshot, { labels });
  return items.find(({ metadata }) => metadata.name === name);
}

function ownedBy(snapshot: KubeObject): Owner | undefined {
  return ownerOf(read.snapshot(snapshot).metadata.labels);
}

function missing(snapshotId: string): ProviderError {
  return new ProviderError("not_found", `there is no snapshot ${snapshotId} that was kept`, {
    effect: "none",
  });
}
