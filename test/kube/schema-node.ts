/**
 * A structural schema as a tree of nodes: what a field may hold, and how server-side apply merges it.
 * References are followed when a node is asked for, so that a definition may contain itself.
 */

export type Json = unknown;
export type JsonObject = Readonly<Record<string, Json>>;

export function isObject(value: Json): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

export type NodeType = "object" | "array" | "string" | "integer" | "number" | "boolean" | "any";

export interface SchemaNode {
  readonly type: NodeType;
  /** A number or a string, such as a quantity or a port. */
  readonly intOrString: boolean;
  readonly quantity: boolean;
  readonly nullable: boolean;
  /** Fields that it does not name are kept, and are no error. */
  readonly open: boolean;
  readonly properties: ReadonlyMap<string, () => SchemaNode>;
  readonly required: readonly string[];
  /** Of what is in a list, or under any key of a map. */
  readonly each: (() => SchemaNode) | undefined;
  /** How server-side apply merges it: absent in a schema means `atomic` for lists. */
  readonly listType: "atomic" | "set" | "map";
  readonly listKeys: readonly string[];
  readonly mapType: "atomic" | "granular";
  readonly default: Json;
  readonly limits: JsonObject;
}

export type Definitions = ReadonlyMap<string, () => SchemaNode>;

const quantityName = "io.k8s.apimachinery.pkg.api.resource.Quantity";
const metaName = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";
/** Objects that the definitions leave empty because they hold anything. */
const openNames = new Set([
  "io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1",
  "io.k8s.apimachinery.pkg.runtime.RawExtension",
]);

/** Every definition of a swagger document, by name. */
export function definitionsOf(document: Json): Definitions {
  const found = new Map<string, () => SchemaNode>();
  const all = isObject(document) ? document["definitions"] : undefined;
  if (!isObject(all)) return found;
  for (const [name, schema] of Object.entries(all)) {
    found.set(
      name,
      once(() => named(name, schema, found)),
    );
  }
  return found;
}

function named(name: string, schema: Json, definitions: Definitions): SchemaNode {
  const node = nodeOf(schema, definitions);
  if (name === quantityName) return { ...node, type: "any", intOrString: true, quantity: true };
  return openNames.has(name) ? { ...node, open: true } : node;
}

export function nodeOf(schema: Json, definitions: Definitions): SchemaNode {
  if (!isObject(schema)) return anything;
  const ref = text(schema["$ref"]).replace("#/definitions/", "");
  if (ref !== "") return { ...(definitions.get(ref)?.() ?? anything), default: schema["default"] };
  const properties = new Map<string, () => SchemaNode>();
  for (const [name, field] of Object.entries(objectAt(schema, "properties"))) {
    properties.set(
      name,
      once(() => fieldNode(name, field, definitions)),
    );
  }
  const inside = schema["items"] ?? objectOr(schema["additionalProperties"]);
  const format = text(schema["format"]);
  const intOrString = schema["x-kubernetes-int-or-string"] === true || format === "int-or-string";
  return {
    type: intOrString ? "any" : typeOf(schema["type"]),
    intOrString,
    // Quantities of custom kinds are known by their pattern, which allows signs and exponents.
    quantity: intOrString && text(schema["pattern"]).includes("KMGTPE"),
    nullable: schema["nullable"] === true,
    open:
      schema["x-kubernetes-preserve-unknown-fields"] === true ||
      schema["additionalProperties"] === true,
    properties,
    required: texts(schema["required"]),
    each: inside === undefined ? undefined : once(() => nodeOf(inside, definitions)),
    listType: listTypeOf(schema),
    listKeys: texts(schema["x-kubernetes-list-map-keys"]),
    mapType: schema["x-kubernetes-map-type"] === "atomic" ? "atomic" : "granular",
    default: schema["default"],
    limits: schema,
  };
}

/** Metadata is left out of custom kinds' schemas, since it is the same for all. */
function fieldNode(name: string, schema: Json, definitions: Definitions): SchemaNode {
  const node = nodeOf(schema, definitions);
  const bare = node.type === "object" && node.properties.size === 0 && node.each === undefined;
  if (name !== "metadata" || !bare) return node;
  const meta = definitions.get(metaName)?.();
  return meta === undefined ? { ...node, open: true } : { ...meta, nullable: node.nullable };
}

const anything: SchemaNode = {
  type: "any",
  intOrString: false,
  quantity: false,
  nullable: true,
  open: true,
  properties: new Map(),
  required: [],
  each: undefined,
  listType: "atomic",
  listKeys: [],
  mapType: "granular",
  default: undefined,
  limits: {},
};

function listTypeOf(schema: JsonObject): SchemaNode["listType"] {
  const said = schema["x-kubernetes-list-type"];
  return said === "set" || said === "map" ? said : "atomic";
}

function typeOf(said: Json): NodeType {
  switch (said) {
    case "object":
    case "array":
    case "string":
    case "integer":
    case "number":
    case "boolean":
      return said;
    default:
      return "any";
  }
}

function objectAt(schema: JsonObject, key: string): JsonObject {
  const value = schema[key];
  return isObject(value) ? value : {};
}

function objectOr(value: Json): JsonObject | undefined {
  return isObject(value) ? value : undefined;
}

function text(value: Json): string {
  return typeof value === "string" ? value : "";
}

function texts(value: Json): readonly string[] {
  return isList(value) ? value.filter((each) => typeof each === "string") : [];
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
