/** How controllers write: statuses, conditions, owners. */
import type { Kind } from "#providers/kubevirt/client/kind.ts";
import type { Document, OwnerReference } from "#test/kube/api/document.ts";
import { at, listAt, textAt } from "#test/kube/api/json.ts";
import type { Objects, Place, Write } from "#test/kube/api/objects.ts";
import type { JsonObject } from "#test/kube/schema-node.ts";

export const byController: Write = { manager: "node-side", validation: "none" };

/** Merged into the status that is there; null takes a field away. */
export function setStatus(
  objects: Objects,
  kind: Kind,
  place: Place,
  status: JsonObject,
): Document {
  const write: Write = { ...byController, subresource: "status" };
  return objects.patch(kind, place, { status }, write).document;
}

export interface Condition {
  readonly type: string;
  readonly status: "True" | "False" | "Unknown";
  readonly reason?: string;
  readonly message?: string;
}

/**
 * The conditions with these in place of those of the same types; a time only where one turned, or its reason.
 * Of a guest's agent KubeVirt tells when it looked, and no time of a transition.
 */
export function withConditions(
  document: Document,
  wanted: readonly Condition[],
  now: string,
): readonly unknown[] {
  const known = listAt(document, "status", "conditions");
  const kept = known.filter((each) => !wanted.some(({ type }) => type === textAt(each, "type")));
  const set = wanted.map((condition) => {
    const before = known.find((each) => textAt(each, "type") === condition.type);
    const same =
      textAt(before, "status") === condition.status &&
      textAt(before, "reason") === (condition.reason ?? "");
    if (condition.type === "AgentConnected") {
      const since = same ? at(before, "lastProbeTime") : now;
      return { ...condition, lastProbeTime: since ?? now, lastTransitionTime: null };
    }
    const since = same ? at(before, "lastTransitionTime") : now;
    return { ...condition, lastTransitionTime: since ?? now };
  });
  return [...kept, ...set];
}

export function hasCondition(document: Document, type: string): boolean {
  return listAt(document, "status", "conditions").some(
    (each) => textAt(each, "type") === type && textAt(each, "status") === "True",
  );
}

export function ownerOf(document: Document): OwnerReference {
  const { apiVersion, kind, metadata } = document;
  const { name, uid } = metadata;
  return { apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: true };
}

/** The name of the owner of that kind. */
export function ownerName(document: Document, kind: string): string | undefined {
  return document.metadata.ownerReferences?.find((owner) => owner.kind === kind)?.name;
}
