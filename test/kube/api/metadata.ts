/** The metadata of an object after a write: what a writer may say, and what only the server says. */
import { isList, isObject, type Json, type JsonObject } from "#test/kube/schema-node.ts";

import type { ManagedFields, Metadata, OwnerReference } from "./document.ts";
import { at, listAt, objectAt, textAt, textsAt, withAt } from "./json.ts";

export function readMetadata(
  server: Metadata,
  said: Json,
  managedFields: readonly ManagedFields[],
): Metadata {
  const labels = textsAt(said, "labels");
  const annotations = textsAt(said, "annotations");
  const finalizers = listAt(said, "finalizers").filter((each) => typeof each === "string");
  const ownerReferences = owners(at(said, "ownerReferences"));
  const { name, namespace, uid, resourceVersion, generation, creationTimestamp } = server;
  const { deletionTimestamp } = server;
  return {
    name,
    ...(namespace === undefined ? {} : { namespace }),
    uid,
    resourceVersion,
    generation,
    creationTimestamp,
    ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }),
    ...(Object.keys(labels).length === 0 ? {} : { labels }),
    ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
    ...(finalizers.length === 0 ? {} : { finalizers }),
    ...(ownerReferences.length === 0 ? {} : { ownerReferences }),
    ...(managedFields.length === 0 ? {} : { managedFields }),
  };
}

function owners(said: Json): OwnerReference[] {
  return (isList(said) ? said : []).filter(isObject).map((each) => ({
    apiVersion: textAt(each, "apiVersion"),
    kind: textAt(each, "kind"),
    name: textAt(each, "name"),
    uid: textAt(each, "uid"),
    ...(each["controller"] === true ? { controller: true } : {}),
    ...(each["blockOwnerDeletion"] === true ? { blockOwnerDeletion: true } : {}),
  }));
}

/** What a namespace has from its first moment. */
export function newNamespace(name: string, input: JsonObject): JsonObject {
  const labels = { ...objectAt(input, "metadata", "labels"), "kubernetes.io/metadata.name": name };
  const labeled = withAt(input, ["metadata", "labels"], labels);
  return { ...labeled, spec: { finalizers: ["kubernetes"] }, status: { phase: "Active" } };
}
