/**
 * How fields merge: by the structural schemas where the folder of facts is, else by the little that is
 * known without them. Without a schema an object merges field by field and a list is one value, but
 * for the keyed lists that ours write.
 */
import type { Kind } from "#providers/kubevirt/client/kind.ts";
import { apiVersion } from "#providers/kubevirt/client/kind.ts";
import { readSchemas, type Schemas } from "#test/kube/schema.ts";
import { definitionsOf, nodeOf, type SchemaNode } from "#test/kube/schema-node.ts";

/** Field names of lists whose items are told apart by keys, in the groups of Kubernetes itself. */
const keyedLists: Readonly<Record<string, readonly string[]>> = {
  conditions: ["type"],
  containers: ["name"],
  initContainers: ["name"],
  env: ["name"],
  volumes: ["name"],
  volumeMounts: ["mountPath"],
  ports: ["port", "protocol"],
  resourceClaims: ["name"],
  topologySpreadConstraints: ["topologyKey", "whenUnsatisfiable"],
};

let read: Schemas | undefined;

export class MergeRules {
  /** Read once, for all servers of a test file. */
  get schemas(): Schemas {
    read ??= readSchemas();
    return read;
  }

  of(kind: Kind): SchemaNode {
    const known = this.schemas.find(apiVersion(kind), kind.kind)?.node;
    if (known !== undefined) return known;
    return kind.group.includes("kubevirt.io") ? loose({}) : loose(keyedLists);
  }
}

const open = nodeOf({ "x-kubernetes-preserve-unknown-fields": true }, definitionsOf({}));

/** A node of which only the field names above are known, at any depth. */
function loose(lists: Readonly<Record<string, readonly string[]>>): SchemaNode {
  const properties = new Map<string, () => SchemaNode>();
  const node: SchemaNode = { ...open, properties, each: () => node };
  const atomic: SchemaNode = { ...open };
  for (const [name, keys] of Object.entries(lists)) {
    properties.set(name, () => ({ ...open, listType: "map", listKeys: keys, each: () => node }));
  }
  properties.set("ownerReferences", () => ({
    ...open,
    listType: "map",
    listKeys: ["uid"],
    each: () => atomic,
  }));
  properties.set("finalizers", () => ({ ...open, listType: "set" }));
  return node;
}
