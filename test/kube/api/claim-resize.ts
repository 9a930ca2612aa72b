/**
 * The admission PersistentVolumeClaimResize, which Kubernetes has on: a claim becomes larger only where
 * its storage class says `allowVolumeExpansion`. It answers 403, as if a permission were missing.
 */
import { parseUnits } from "#providers/kubevirt/compile/quantity.ts";
import { kinds } from "#providers/kubevirt/objects/kinds.ts";

import type { Document } from "./document.ts";
import { at, textAt } from "./json.ts";
import type { Admission, Objects } from "./objects.ts";
import { forbidden, invalid } from "./refusal.ts";

export function claimResize(objects: Objects): Admission {
  return (kind, { before, after }) => {
    if (kind.plural !== kinds.claim.plural || before === undefined) return;
    if (sizeOf(after) < sizeOf(before)) {
      throw invalid(kind, after.metadata.name, [
        {
          reason: "FieldValueForbidden",
          message: "Forbidden: field can not be less than status.capacity",
          field: "spec.resources.requests.storage",
        },
      ]);
    }
    if (sizeOf(after) === sizeOf(before)) return;
    const name = textAt(after, "spec", "storageClassName");
    const storage = objects.store.get(kinds.storageClass, { name });
    if (storage !== undefined && at(storage, "allowVolumeExpansion") === true) return;
    throw forbidden(
      kind,
      after.metadata.name,
      "only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize",
    );
  };
}

function sizeOf(claim: Document): bigint {
  return parseUnits(textAt(claim, "spec", "resources", "requests", "storage")) ?? 0n;
}
