/**
 * What KubeVirt's own addresses do (`subresources.kubevirt.io`): they change the run strategy or leave a
 * request for the controller, as virt-api does, and refuse what the machine's state does not allow.
 */
import { kinds } from "#providers/kubevirt/objects/kinds.ts";
import type { JsonObject } from "#test/kube/schema-node.ts";

import type { Document } from "./document.ts";
import { at, listAt, objectAt, textAt } from "./json.ts";
import type { Objects, Place } from "./objects.ts";
import { badRequest, conflict, internalError, noSuchResource, notFound } from "./refusal.ts";

export interface Action {
  readonly place: Place;
  readonly action: string;
  readonly body: JsonObject;
}

const write = { manager: "virt-api", validation: "none" } as const;

/** To a VirtualMachine. Throws `Refusal`. */
export function actOnMachine(objects: Objects, { place, action, body }: Action): void {
  const machine = existing(objects, place, "machine");
  const instance = objects.store.get(kinds.machineInstance, place);
  const runs = instance !== undefined && !isFinal(instance);
  const refuse = (why: string): never => {
    throw conflict(kinds.machine, place.name, why);
  };
  const strategy = textAt(machine, "spec", "runStrategy");
  const requests = (...asked: readonly JsonObject[]): void => {
    const part = { ...write, subresource: "status" } as const;
    objects.patch(kinds.machine, place, { status: { stateChangeRequests: asked } }, part);
  };
  const uid = instance?.metadata.uid ?? "";
  switch (action) {
    case "start":
      if (runs || strategy === "Always") return refuse("VM is already running");
      if (listAt(machine, "status", "stateChangeRequests").length > 0) {
        throw internalError("unable to complete request: stop/start already underway");
      }
      if (strategy !== "Halted") return requests({ action: "Start" });
      objects.patch(kinds.machine, place, { spec: { runStrategy: "Always" } }, write);
      return;
    case "stop":
      if (!runs) return refuse("VM is not running");
      if (strategy !== "Always") return requests({ action: "Stop", uid });
      objects.patch(kinds.machine, place, { spec: { runStrategy: "Halted" } }, write);
      return;
    case "restart":
      if (!runs) return refuse("VM is not running");
      return requests({ action: "Stop", uid }, { action: "Start" });
    case "migrate":
      if (instance === undefined || !runs) return refuse("VM is not running");
      return migrate(objects, instance);
    case "addvolume":
    case "removevolume":
      return changeVolumes(objects, { place, action, body });
    case "evacuate/cancel":
      return cancelEvacuation(objects, place);
    default:
      throw noSuchResource();
  }
}

/** To a VirtualMachineInstance. Throws `Refusal`. */
export function actOnInstance(objects: Objects, { place, action }: Action): void {
  const instance = existing(objects, place, "machineInstance");
  const { name } = place;
  if (textAt(instance, "status", "phase") !== "Running") {
    throw conflict(kinds.machineInstance, name, "VMI is not running");
  }
  const paused = isPaused(instance);
  switch (action) {
    case "pause":
      if (paused) throw conflict(kinds.machineInstance, name, "VMI is already paused");
      return setPaused(objects, { place, instance, to: "paused" });
    case "unpause":
      if (!paused) throw conflict(kinds.machineInstance, name, "VMI is not paused");
      return setPaused(objects, { place, instance, to: "running" });
    case "softreboot":
    case "reset":
    case "freeze":
    case "unfreeze":
      return;
    case "evacuate/cancel":
      return cancelEvacuation(objects, place);
    default:
      throw noSuchResource();
  }
}

/** What is told of a machine or of what runs in it. Throws `Refusal`. */
export function askOf(objects: Objects, of: "machine" | "machineInstance", asked: Action): unknown {
  const found = existing(objects, asked.place, of);
  switch (asked.action) {
    case "expand-spec":
      return found;
    case "guestosinfo":
      return { hostname: asked.place.name, os: { id: "millrace-test" }, guestAgentVersion: "9.0" };
    case "userlist":
    case "filesystemlist":
      return { items: [], metadata: {} };
    default:
      throw noSuchResource();
  }
}

export function isFinal(instance: Document): boolean {
  const phase = textAt(instance, "status", "phase");
  return phase === "Succeeded" || phase === "Failed";
}

export function isPaused(instance: Document): boolean {
  return listAt(instance, "status", "conditions").some(
    (each) => textAt(each, "type") === "Paused" && textAt(each, "status") === "True",
  );
}

function existing(objects: Objects, place: Place, of: "machine" | "machineInstance"): Document {
  const found = objects.store.get(kinds[of], place);
  if (found === undefined) throw notFound(kinds[of], place.name);
  return found;
}

function migrate(objects: Objects, instance: Document): void {
  const { namespace, name } = instance.metadata;
  const migration = {
    metadata: { generateName: "kubevirt-migrate-vm-" },
    spec: { vmiName: name },
  };
  objects.create(kinds.migration, namespace, migration, write);
}

function setPaused(
  objects: Objects,
  { place, instance, to }: { place: Place; instance: Document; to: "paused" | "running" },
): void {
  const others = listAt(instance, "status", "conditions").filter(
    (each) => textAt(each, "type") !== "Paused",
  );
  const lastTransitionTime = objects.now();
  const paused = { type: "Paused", status: "True", reason: "PausedByUser", lastTransitionTime };
  const conditions = to === "paused" ? [...others, paused] : others;
  const part = { ...write, subresource: "status" } as const;
  objects.patch(kinds.machineInstance, place, { status: { conditions } }, part);
}

function changeVolumes(objects: Objects, { place, action, body }: Action): void {
  const name = textAt(body, "name");
  if (name === "") throw badRequest("the volume needs a name");
  const machine = existing(objects, place, "machine");
  const spec = objectAt(machine, "spec", "template", "spec");
  const volumes = listAt(spec, "volumes").filter((each) => textAt(each, "name") !== name);
  const disks = listAt(spec, "domain", "devices", "disks").filter(
    (each) => textAt(each, "name") !== name,
  );
  if (action === "addvolume") {
    volumes.push({ name, ...objectAt(body, "volumeSource") });
    disks.push({ name, ...objectAt(body, "disk") });
  } else if (volumes.length === listAt(spec, "volumes").length) {
    throw conflict(
      kinds.machine,
      place.name,
      `Unable to remove volume [${name}]: it does not exist`,
    );
  }
  const changed = { template: { spec: { volumes, domain: { devices: { disks } } } } };
  objects.patch(kinds.machine, place, { spec: changed }, write);
}

function cancelEvacuation(objects: Objects, place: Place): void {
  const instance = existing(objects, place, "machineInstance");
  if (at(instance, "status", "evacuationNodeName") === undefined) return;
  const part = { ...write, subresource: "status" } as const;
  objects.patch(kinds.machineInstance, place, { status: { evacuationNodeName: null } }, part);
}
