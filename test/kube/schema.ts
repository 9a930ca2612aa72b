/**
 * Checks objects against the structural schemas as strictly as the API server does with
 * `fieldValidation=Strict`: an unknown field, a missing one, a wrong type or value is a problem with
 * its path. What it does not do: rules in CEL (`x-kubernetes-validations`), and admission webhooks.
 */
import { readdirSync } from "node:fs";

import { factsHere, factsPath, readFacts } from "./facts.ts";
import { check, type SchemaProblem } from "./schema-check.ts";
import {
  definitionsOf,
  isList,
  isObject,
  type Json,
  type JsonObject,
  nodeOf,
  type SchemaNode,
} from "./schema-node.ts";

export type { SchemaProblem } from "./schema-check.ts";

export interface SchemaKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly scope: "Namespaced" | "Cluster";
  /** Names of its subresources, such as `status` and `scale`. */
  readonly subresources: readonly string[];
  readonly node: SchemaNode;
}

export interface Schemas {
  readonly kinds: readonly SchemaKind[];
  /** `apiVersion` is `v1` or `group/version`. */
  find(apiVersion: string, kind: string): SchemaKind | undefined;
  /** Everything that is wrong with an object; empty if nothing is. */
  problems(object: Json): readonly SchemaProblem[];
  /** A copy with the defaults that its schema names. */
  defaulted(object: JsonObject): JsonObject;
}

const clusterScoped = new Set([
  "ClusterRole",
  "ClusterRoleBinding",
  "DeviceClass",
  "Namespace",
  "Node",
  "PriorityClass",
  "ResourceSlice",
  "RuntimeClass",
  "StorageClass",
  "ValidatingAdmissionPolicy",
  "ValidatingAdmissionPolicyBinding",
]);

/** All schemas of the facts folder, none where it is absent; a megabyte, so read it once per file. */
export function readSchemas(): Schemas {
  const core = readFacts("schemas", "core.swagger.json");
  const definitions = definitionsOf(core);
  const kinds: SchemaKind[] = [];
  const all = isObject(core) && isObject(core["definitions"]) ? core["definitions"] : {};
  for (const [name, schema] of Object.entries(all)) {
    const node = definitions.get(name);
    const told = isObject(schema) ? schema["x-kubernetes-group-version-kind"] : undefined;
    if (node !== undefined && isList(told) && told.length === 1)
      kinds.push(coreKind(told[0], node()));
  }
  for (const file of factsHere ? readdirSync(factsPath("schemas")) : []) {
    const document = file.endsWith(".json") ? readFacts("schemas", file) : undefined;
    if (isObject(document) && document["kind"] === "CustomResourceDefinition") {
      kinds.push(...customKinds(document, definitions));
    }
  }
  return schemasOf(kinds);
}

function schemasOf(kinds: readonly SchemaKind[]): Schemas {
  const byKind = new Map(kinds.map((each) => [`${apiVersionOf(each)} ${each.kind}`, each]));
  const find = (apiVersion: string, kind: string) => byKind.get(`${apiVersion} ${kind}`);
  const kindOf = (object: JsonObject) => find(word(object["apiVersion"]), word(object["kind"]));
  return {
    kinds,
    find,
    problems(object) {
      const found = isObject(object) ? kindOf(object) : undefined;
      if (found !== undefined) return check(object, found.node);
      const message = "its apiVersion and kind are none that the schemas know";
      return [{ path: "", code: "unknown-kind", message }];
    },
    defaulted(object) {
      const node = kindOf(object)?.node;
      const filled = node === undefined ? object : fill(object, node);
      return isObject(filled) ? filled : object;
    },
  };
}

function apiVersionOf(kind: SchemaKind): string {
  return kind.group === "" ? kind.version : `${kind.group}/${kind.version}`;
}

function coreKind(told: Json, node: SchemaNode): SchemaKind {
  const { group, version, kind } = isObject(told) ? told : {};
  const name = word(kind);
  const lower = name.toLowerCase();
  let plural = `${lower}s`;
  if (lower.endsWith("y")) plural = `${lower.slice(0, -1)}ies`;
  else if (lower.endsWith("s")) plural = `${lower}es`;
  return {
    group: word(group),
    version: word(version),
    kind: name,
    plural,
    scope: clusterScoped.has(name) ? "Cluster" : "Namespaced",
    subresources: node.properties.has("status") ? ["status"] : [],
    node,
  };
}

function customKinds(
  document: JsonObject,
  definitions: Parameters<typeof nodeOf>[1],
): readonly SchemaKind[] {
  const spec = isObject(document["spec"]) ? document["spec"] : {};
  const names = isObject(spec["names"]) ? spec["names"] : {};
  const kinds: SchemaKind[] = [];
  for (const version of isList(spec["versions"]) ? spec["versions"] : []) {
    if (!isObject(version) || !isObject(version["schema"])) continue;
    const subresources = isObject(version["subresources"]) ? version["subresources"] : {};
    kinds.push({
      group: word(spec["group"]),
      version: word(version["name"]),
      kind: word(names["kind"]),
      plural: word(names["plural"]),
      scope: spec["scope"] === "Cluster" ? "Cluster" : "Namespaced",
      subresources: Object.keys(subresources),
      node: nodeOf(version["schema"]["openAPIV3Schema"], definitions),
    });
  }
  return kinds;
}

function fill(value: Json, node: SchemaNode): Json {
  const { each } = node;
  if (isList(value)) return each === undefined ? value : value.map((item) => fill(item, each()));
  if (!isObject(value)) return value;
  const filled: Record<string, Json> = {};
  for (const [name, inside] of Object.entries(value)) {
    const field = node.properties.get(name) ?? each;
    filled[name] = field === undefined ? inside : fill(inside, field());
  }
  for (const [name, field] of node.properties) {
    const told = field().default;
    if (filled[name] === undefined && told !== undefined) {
      filled[name] = fill(structuredClone(told), field());
    }
  }
  return filled;
}

function word(value: Json): string {
  return typeof value === "string" ? value : "";
}
