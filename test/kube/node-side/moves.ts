/**
 * Live migrations, and what evictions of a machine's pod lead to: a move, a mark for whoever looks after
 * the machine (`External`), or the pod's end.
 */
import { kinds } from "#providers/kubevirt/objects/kinds.ts";
import type { Document } from "#test/kube/api/document.ts";
import { at, objectAt, textAt, textsAt } from "#test/kube/api/json.ts";
import type { Place } from "#test/kube/api/objects.ts";
import { forbidden, notFound, Refusal } from "#test/kube/api/refusal.ts";
import { remove } from "#test/kube/api/removal.ts";

import type { Controllers } from "./controllers.ts";
import { hasGpus, launcherOf, type Launchers } from "./instances.ts";
import { avoidAnnotation } from "./pods.ts";
import { byController, ownerName, setStatus } from "./writing.ts";

export function runMoves(controllers: Controllers, launchers: Launchers): void {
  const { objects } = controllers;
  const instanceOf = (migration: Document): Document | undefined => {
    const name = textAt(migration, "spec", "vmiName");
    return objects.store.get(kinds.machineInstance, {
      namespace: migration.metadata.namespace,
      name,
    });
  };

  objects.admissions.add((kind, { before, after }) => {
    if (kind !== kinds.migration || before !== undefined) return;
    const instance = instanceOf(after);
    const name = textAt(after, "spec", "vmiName");
    if (instance === undefined) throw notFound(kinds.machineInstance, name);
    if (!hasGpus(instance)) return;
    const why =
      "Cannot migrate VMI, Reason: HostDeviceNotLiveMigratable, Message: VMI uses a PCI host devices";
    throw forbidden(kinds.migration, after.metadata.name, why);
  });

  controllers.concerns.add((kind, pod) => {
    const of = kind === kinds.pod ? pod.metadata.annotations?.["kubevirt.io/migrationJobName"] : "";
    const { namespace } = pod.metadata;
    if (of !== undefined && of !== "") controllers.look(kinds.migration, { namespace, name: of });
  });

  controllers.on(kinds.migration, (migration) => {
    const phase = textAt(migration, "status", "phase");
    if (phase === "Succeeded" || phase === "Failed") return;
    const instance = instanceOf(migration);
    if (instance === undefined || textAt(instance, "status", "phase") !== "Running") {
      return enter(migration, "Failed");
    }
    const { namespace, name } = migration.metadata;
    const target = objects.store
      .all(kinds.pod, namespace)
      .find((pod) => pod.metadata.annotations?.["kubevirt.io/migrationJobName"] === name);
    if (target === undefined) {
      const annotations = {
        "kubevirt.io/migrationJobName": name,
        [avoidAnnotation]: textAt(instance, "status", "nodeName"),
      };
      const pod = launcherOf(instance, annotations);
      const wanted = textsAt(migration, "spec", "addedNodeSelector");
      const spec = { ...pod.spec, nodeSelector: { ...pod.spec.nodeSelector, ...wanted } };
      objects.create(kinds.pod, namespace, { ...pod, spec }, byController);
      return enter(migration, "Scheduling");
    }
    const node = textAt(target, "spec", "nodeName");
    if (node !== "") move(migration, instance, { target, node });
  });

  const enter = (migration: Document, phase: string): void => {
    setStatus(objects, kinds.migration, migration.metadata, { phase });
  };

  const move = (
    migration: Document,
    instance: Document,
    { target, node }: { target: Document; node: string },
  ): void => {
    const { namespace } = instance.metadata;
    const { uid } = instance.metadata;
    const source = { namespace, name: launchers.get(uid) ?? "" };
    launchers.set(uid, target.metadata.name);
    const now = objects.now();
    const known = Object.keys(objectAt(instance, "status", "activePods"));
    const left = Object.fromEntries(known.map((pod) => [pod, null]));
    setStatus(objects, kinds.machineInstance, instance.metadata, {
      nodeName: node,
      activePods: { ...left, [target.metadata.uid]: node },
      evacuationNodeName: null,
      migrationState: {
        migrationUid: migration.metadata.uid,
        sourceNode: textAt(instance, "status", "nodeName"),
        targetNode: node,
        startTimestamp: now,
        endTimestamp: now,
        completed: true,
      },
    });
    remove(objects, kinds.pod, source, { propagation: "Background" });
    enter(migration, "Succeeded");
  };

  objects.evictions.add((place: Place) => {
    const pod = objects.store.get(kinds.pod, place);
    const name = pod === undefined ? undefined : ownerName(pod, "VirtualMachineInstance");
    if (pod === undefined || name === undefined) return;
    const { namespace } = place;
    const instance = objects.store.get(kinds.machineInstance, { namespace, name });
    if (instance === undefined) return;
    const strategy = textAt(instance, "spec", "evictionStrategy");
    const moves = strategy === "LiveMigrate" || strategy === "LiveMigrateIfPossible";
    if (strategy === "LiveMigrate" && hasGpus(instance)) {
      throw busy(`VMI ${name} is configured with an eviction strategy but is not live-migratable`);
    }
    const movable = moves && !hasGpus(instance);
    if (!movable && strategy !== "External") return;
    if (at(instance, "status", "evacuationNodeName") === undefined) {
      const from = textAt(pod, "spec", "nodeName");
      setStatus(objects, kinds.machineInstance, instance.metadata, { evacuationNodeName: from });
      const migration = {
        metadata: { generateName: "kubevirt-evacuation-" },
        spec: { vmiName: name },
      };
      if (movable) objects.create(kinds.migration, namespace, migration, byController);
    }
    throw busy(`Eviction triggered evacuation of VMI "${namespace}/${name}"`);
  });
}

function busy(message: string): Refusal {
  return new Refusal({ code: 429, reason: "TooManyRequests", message });
}
