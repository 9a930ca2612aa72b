/**
 * Deletion: at once, or marked and held by finalizers, with what it owns before it (Foreground), after
 * it (Background) or left alone (Orphan). A pod on a node is only marked: its node ends it.
 */
import type { Kind } from "#providers/kubevirt/client/kind.ts";
import { isList, isObject, type Json } from "#test/kube/schema-node.ts";

import type { Document } from "./document.ts";
import { at, textAt } from "./json.ts";
import type { Objects, Place } from "./objects.ts";
import { conflict, notFound } from "./refusal.ts";

export interface Removal {
  readonly propagation: "Background" | "Foreground" | "Orphan";
  readonly graceSeconds?: number;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly dryRun?: boolean;
}

export const foregroundFinalizer = "foregroundDeletion";
export const orphanFinalizer = "orphan";

/** The body of a DELETE. */
export function readRemoval(body: Json): Removal {
  const said = textAt(body, "propagationPolicy");
  const grace = at(body, "gracePeriodSeconds");
  const uid = textAt(body, "preconditions", "uid");
  const resourceVersion = textAt(body, "preconditions", "resourceVersion");
  const dryRun = isObject(body) && isList(body["dryRun"]) && body["dryRun"].includes("All");
  return {
    propagation: said === "Foreground" || said === "Orphan" ? said : "Background",
    ...(typeof grace === "number" ? { graceSeconds: grace } : {}),
    ...(uid === "" ? {} : { uid }),
    ...(resourceVersion === "" ? {} : { resourceVersion }),
    ...(dryRun ? { dryRun } : {}),
  };
}

/** As it was last. Throws `Refusal` 404 and 409. */
export function remove(objects: Objects, kind: Kind, place: Place, removal: Removal): Document {
  const { store } = objects;
  const found = store.get(kind, place);
  if (found === undefined) throw notFound(kind, place.name);
  const { uid, resourceVersion, finalizers = [] } = found.metadata;
  if (removal.uid !== undefined && removal.uid !== uid) {
    const why = `Precondition failed: UID in precondition: ${removal.uid}, UID in object meta: ${uid}`;
    throw conflict(kind, place.name, why);
  }
  if (removal.resourceVersion !== undefined && removal.resourceVersion !== resourceVersion) {
    throw conflict(kind, place.name, "the ResourceVersion in the precondition does not match");
  }
  if (removal.dryRun === true) return found;
  const held = [...finalizers, ...finalizersOf(removal)];
  const graceful = isHeldByItself(found, removal);
  if (held.length === 0 && !graceful) {
    store.remove(kind, found);
    return found;
  }
  if (found.metadata.deletionTimestamp !== undefined) return found;
  return store.put(kind, {
    ...found,
    ...(kind.kind === "Namespace" ? { status: { phase: "Terminating" } } : {}),
    metadata: {
      ...found.metadata,
      generation: found.metadata.generation + 1,
      deletionTimestamp: objects.now(),
      ...(held.length === 0 ? {} : { finalizers: [...new Set(held)] }),
    },
  });
}

function finalizersOf({ propagation }: Removal): readonly string[] {
  if (propagation === "Foreground") return [foregroundFinalizer];
  return propagation === "Orphan" ? [orphanFinalizer] : [];
}

/** A namespace waits for what is in it, a pod for its node. */
function isHeldByItself(found: Document, removal: Removal): boolean {
  if (found.kind === "Namespace") return true;
  if (found.kind !== "Pod" || removal.graceSeconds === 0) return false;
  const phase = textAt(found, "status", "phase");
  return textAt(found, "spec", "nodeName") !== "" && phase !== "Succeeded" && phase !== "Failed";
}
