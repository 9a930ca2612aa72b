/**
 * CDI and a storage driver, as far as a disk without bytes goes: each DataVolume gets its claim, each
 * claim a volume that is nowhere, and is filled at once.
 */
import type { KubeClient } from "#providers/kubevirt/client/client.ts";
import { StatusError } from "#providers/kubevirt/client/errors.ts";
import type { KubeObject } from "#providers/kubevirt/client/object.ts";
import { kinds } from "#providers/kubevirt/objects/kinds.ts";
import { objectAt, textAt } from "#test/kube/api/json.ts";

import { type Followed, setStatus, soon } from "./follow.ts";
import { fakeLabel } from "./nodes.ts";

/** Of the namespaces of `of` only: other machines' disks are none of ours. */
export function storageControllers(
  client: KubeClient,
  of: (namespace: string) => boolean,
): readonly Followed[] {
  return [
    {
      kind: kinds.dataVolume,
      look: async (volume) => {
        const { namespace = "", name, deletionTimestamp } = volume.metadata;
        if (!of(namespace) || deletionTimestamp !== undefined) return;
        if (textAt(volume, "status", "phase") === "Succeeded") return;
        await client.create(soon(), kinds.claim, claimOf(volume)).catch((error: unknown) => {
          if (!(error instanceof StatusError) || error.reason !== "AlreadyExists") throw error;
        });
        const done = { phase: "Succeeded", progress: "100.0%", claimName: name };
        await setStatus(client, kinds.dataVolume, volume, done);
      },
    },
    {
      kind: kinds.claim,
      look: async (claim) => {
        const { namespace = "" } = claim.metadata;
        if (!of(namespace)) return;
        if (textAt(claim, "spec", "volumeName") !== "") return grow(client, claim);
        await client.apply({ ...soon(), force: "take-over" }, kinds.volume, volumeOf(claim));
      },
      gone: async ({ metadata }) => {
        if (!of(metadata.namespace ?? "")) return;
        await client.delete(soon(), kinds.volume, { name: volumeName(metadata.uid) });
      },
    },
  ];
}

/** Once it is bound: the volume first, then the claim. */
async function grow(client: KubeClient, claim: KubeObject): Promise<void> {
  const storage = textAt(claim, "spec", "resources", "requests", "storage");
  const has = textAt(claim, "status", "capacity", "storage");
  if (has === "" || has === storage) return;
  const name = { name: textAt(claim, "spec", "volumeName") };
  const patch = { spec: { capacity: { storage } } };
  await client.patch(soon(), kinds.volume, { name, patch });
  await setStatus(client, kinds.claim, claim, { capacity: { storage } });
}

function volumeName(uid: string): string {
  return `millrace-fake-${uid}`;
}

/** Of the same name and labels, as CDI makes it. */
function claimOf(volume: KubeObject) {
  const { namespace = "", name, uid, labels = {} } = volume.metadata;
  const { apiVersion, kind } = volume;
  const ownerReferences = [{ apiVersion, kind, name, uid, controller: true }];
  const wanted = objectAt(volume, "spec", "storage");
  const { storageClassName, accessModes = ["ReadWriteOnce"], volumeMode, resources } = wanted;
  return {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: { namespace, name, labels, ownerReferences },
    spec: { storageClassName, accessModes, volumeMode, resources },
  };
}

function volumeOf(claim: KubeObject) {
  const { namespace, name, uid } = claim.metadata;
  const { accessModes, volumeMode, storageClassName } = objectAt(claim, "spec");
  return {
    apiVersion: "v1",
    kind: "PersistentVolume",
    metadata: { name: volumeName(uid), labels: { [fakeLabel]: "true" } },
    spec: {
      capacity: objectAt(claim, "spec", "resources", "requests"),
      accessModes,
      volumeMode,
      storageClassName,
      persistentVolumeReclaimPolicy: "Retain",
      claimRef: { apiVersion: "v1", kind: "PersistentVolumeClaim", namespace, name, uid },
      csi: { driver: "fake.millrace.dev", volumeHandle: uid },
    },
  };
}
