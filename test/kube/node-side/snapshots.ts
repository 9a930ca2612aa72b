/** Snapshots and restores, as KubeVirt's snapshot controller: what a storage class cannot is left out. */
import { kinds } from "#providers/kubevirt/objects/kinds.ts";
import { isFinal } from "#test/kube/api/actions.ts";
import type { Document } from "#test/kube/api/document.ts";
import { at, listAt, objectAt, textAt } from "#test/kube/api/json.ts";
import type { JsonObject } from "#test/kube/schema-node.ts";

import type { Controllers } from "./controllers.ts";
import { byController, ownerOf, setStatus } from "./writing.ts";

/** `canSnapshot` is asked for each claim. */
export function runSnapshots(
  controllers: Controllers,
  canSnapshot: (claim: Document) => boolean,
): void {
  const { objects } = controllers;

  controllers.on(kinds.snapshot, (snapshot) => {
    if (at(snapshot, "status", "readyToUse") === true) return;
    const { namespace, name, uid } = snapshot.metadata;
    const source = { namespace, name: textAt(snapshot, "spec", "source", "name") };
    const machine = objects.store.get(kinds.machine, source);
    if (machine === undefined) {
      setStatus(objects, kinds.snapshot, snapshot.metadata, { phase: "InProgress" });
      return;
    }
    const volumes = listAt(machine, "spec", "template", "spec", "volumes");
    const sorted = volumes.map((volume) => ({ name: textAt(volume, "name"), in: covers(volume) }));
    const names = (included: boolean): string[] =>
      sorted.filter((each) => each.in === included).map((each) => each.name);
    const content = `vmsnapshot-content-${uid}`;
    const metadata = { name: content, ownerReferences: [ownerOf(snapshot)] };
    const volumeBackups = names(true).map((volumeName) => ({
      volumeName,
      volumeSnapshotName: `vmsnapshot-${uid}-volume-${volumeName}`,
      persistentVolumeClaim: { metadata: {}, spec: {} },
    }));
    const spec = {
      virtualMachineSnapshotName: name,
      volumeBackups,
      source: { virtualMachine: { metadata: {}, spec: machine["spec"] } },
    };
    if (objects.store.get(kinds.snapshotContent, { namespace, name: content }) === undefined) {
      objects.create(kinds.snapshotContent, namespace, { metadata, spec }, byController);
    }
    const instance = objects.store.get(kinds.machineInstance, source);
    setStatus(objects, kinds.snapshot, snapshot.metadata, {
      phase: "Succeeded",
      readyToUse: true,
      creationTime: objects.now(),
      sourceUID: machine.metadata.uid,
      virtualMachineSnapshotContentName: content,
      snapshotVolumes: { includedVolumes: names(true), excludedVolumes: names(false) },
      ...(instance === undefined ? {} : { indications: ["Online", "NoGuestAgent"] }),
    });

    function covers(volume: unknown): boolean {
      const claim =
        textAt(volume, "dataVolume", "name") ||
        textAt(volume, "persistentVolumeClaim", "claimName");
      const found = objects.store.get(kinds.claim, { namespace, name: claim });
      return found !== undefined && canSnapshot(found);
    }
  });

  controllers.concerns.add((kind, { metadata: { namespace, name } }) => {
    if (kind !== kinds.machineInstance) return;
    for (const restore of objects.store.all(kinds.restore, namespace)) {
      if (textAt(restore, "spec", "target", "name") === name) {
        controllers.look(kinds.restore, restore.metadata);
      }
    }
  });

  controllers.on(kinds.restore, (restore) => {
    if (at(restore, "status", "complete") === true) return;
    const { namespace } = restore.metadata;
    const target = { namespace, name: textAt(restore, "spec", "target", "name") };
    const from = { namespace, name: textAt(restore, "spec", "virtualMachineSnapshotName") };
    const instance = objects.store.get(kinds.machineInstance, target);
    const snapshot = objects.store.get(kinds.snapshot, from);
    const waits = instance !== undefined && !isFinal(instance);
    if (waits || at(snapshot, "status", "readyToUse") !== true) {
      const message = waits ? "Waiting for target VM to be stopped" : "Waiting for the snapshot";
      const condition = { type: "Ready", status: "False", reason: message };
      const status = { complete: false, conditions: [condition] };
      setStatus(objects, kinds.restore, restore.metadata, status);
      return;
    }
    const content = textAt(snapshot, "status", "virtualMachineSnapshotContentName");
    const kept = objects.store.get(kinds.snapshotContent, { namespace, name: content });
    const spec = at(kept, "spec", "source", "virtualMachine", "spec");
    if (at(spec, "template") !== undefined) {
      const before = objects.store.get(kinds.machine, target);
      objects.patch(kinds.machine, target, { spec: restored(spec, restore) }, byController);
      // The disks that it had are not its own any more.
      for (const disk of listAt(before, "spec", "dataVolumeTemplates")) {
        const place = { namespace, name: textAt(disk, "metadata", "name") };
        for (const kind of [kinds.dataVolume, kinds.claim]) {
          const had = objects.store.get(kind, place);
          if (had !== undefined) objects.store.remove(kind, had);
        }
      }
    }
    const status = { complete: true, restoreTime: objects.now() };
    setStatus(objects, kinds.restore, restore.metadata, status);
  });
}

/** The machine as it was, with new disks in the places of the old, which KubeVirt names after the restore. */
function restored(spec: unknown, { metadata: { uid } }: Document): JsonObject {
  const names = new Map(
    listAt(spec, "template", "spec", "volumes").map((volume) => [
      textAt(volume, "dataVolume", "name"),
      `restore-${uid}-${textAt(volume, "name")}`,
    ]),
  );
  const template = objectAt(spec, "template");
  const body = objectAt(template, "spec");
  const volumes = listAt(body, "volumes").map((volume) => {
    const name = names.get(textAt(volume, "dataVolume", "name"));
    const isDisk = at(volume, "dataVolume") !== undefined && name !== undefined;
    return isDisk ? { name: textAt(volume, "name"), dataVolume: { name } } : volume;
  });
  const dataVolumeTemplates = listAt(spec, "dataVolumeTemplates").map((disk) => {
    const metadata = objectAt(disk, "metadata");
    const had = textAt(disk, "metadata", "name");
    return { spec: objectAt(disk, "spec"), metadata: { ...metadata, name: names.get(had) ?? had } };
  });
  return { template: { ...template, spec: { ...body, volumes } }, dataVolumeTemplates };
}
