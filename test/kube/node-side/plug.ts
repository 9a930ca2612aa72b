/** What KubeVirt plugs into a machine that runs, where it is set up for it: memory, but not into one with a GPU. */
import { kinds } from "#providers/kubevirt/objects/kinds.ts";
import type { Document } from "#test/kube/api/document.ts";
import { at, equal, listAt, textAt } from "#test/kube/api/json.ts";
import type { Objects } from "#test/kube/api/objects.ts";
import type { Json } from "#test/kube/schema-node.ts";

import { byController, setStatus } from "./writing.ts";

export function plugMemory(objects: Objects, machine: Document): void {
  const place = machine.metadata;
  const instance = objects.store.get(kinds.machineInstance, place);
  const guest = guestIn(at(machine, "spec", "template", "spec"));
  const had = guestIn(at(instance, "spec"));
  const isUp = textAt(instance, "status", "phase") === "Running";
  if (!isUp || guest === had) return;
  if (listAt(instance, "spec", "domain", "devices", "gpus").length > 0) return;
  // Beside what it requests of CPUs nothing is plugged: all of it waits for a restart.
  const wanted = requestsIn(at(machine, "spec", "template", "spec"));
  if (!equal(wanted, requestsIn(at(instance, "spec")))) return;
  const ways = objects.store
    .all(kinds.kubevirt)
    .flatMap((each) => listAt(each, "spec", "workloadUpdateStrategy", "workloadUpdateMethods"));
  if (!ways.includes("LiveMigrate")) return;
  const spec = { domain: { memory: { guest } } };
  objects.patch(kinds.machineInstance, place, { spec }, byController);
  const memory = { guestAtBoot: had, guestRequested: guest, guestCurrent: guest };
  setStatus(objects, kinds.machineInstance, place, { memory });
}

function guestIn(spec: Json): string {
  return textAt(spec, "domain", "memory", "guest");
}

function requestsIn(spec: Json): Json {
  return at(spec, "domain", "resources");
}
