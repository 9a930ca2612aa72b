/** Holds a value against a node of a schema: everything that is wrong with it, each with its path. */
import { isList, isObject, type Json, type JsonObject, type SchemaNode } from "./schema-node.ts";

export interface SchemaProblem {
  /** As the API server writes it: `spec.template.spec.domain.cpu`, `spec.volumes[0].name`. */
  readonly path: string;
  readonly code: "unknown-kind" | "unknown-field" | "required" | "type" | "value";
  readonly message: string;
}

export function check(value: Json, node: SchemaNode, path = ""): SchemaProblem[] {
  if (value === undefined) return [];
  if (value === null) {
    // A null of a field that may not be null is dropped by the API server; ours never write one.
    return node.nullable ? [] : [{ path, code: "type", message: `${path} must not be null` }];
  }
  const type = typeProblem(value, node);
  if (type !== undefined) return [{ path, code: "type", message: `${path} must be ${type}` }];
  const wrong = valueProblem(value, node);
  const found: SchemaProblem[] =
    wrong === undefined ? [] : [{ path, code: "value", message: `${path} ${wrong}` }];
  const { each } = node;
  if (isList(value) && each !== undefined) {
    for (const [index, item] of value.entries()) {
      found.push(...check(item, each(), `${path}[${index}]`));
    }
    found.push(...keyProblems(value, node, path));
  }
  if (isObject(value)) found.push(...fieldProblems(value, node, path));
  return found;
}

function fieldProblems(value: JsonObject, node: SchemaNode, path: string): SchemaProblem[] {
  const found: SchemaProblem[] = [];
  const at = (name: string) => (path === "" ? name : `${path}.${name}`);
  for (const [name, inside] of Object.entries(value)) {
    const field = node.properties.get(name) ?? node.each;
    if (field !== undefined) found.push(...check(inside, field(), at(name)));
    else if (!node.open && inside !== undefined) {
      const message = `unknown field "${at(name)}"`;
      found.push({ path: at(name), code: "unknown-field", message });
    }
  }
  for (const name of node.required) {
    // The API server fills in a default before it asks for what is required.
    if (value[name] !== undefined || node.properties.get(name)?.().default !== undefined) continue;
    found.push({ path: at(name), code: "required", message: `${at(name)} is required` });
  }
  return found;
}

/** Two items of a keyed list with the same key are one item to the API server. */
function keyProblems(list: readonly Json[], node: SchemaNode, path: string): SchemaProblem[] {
  if (node.listType === "atomic") return [];
  const seen = new Set<string>();
  const found: SchemaProblem[] = [];
  for (const item of list) {
    const keys = isObject(item) ? node.listKeys.map((key) => item[key] ?? null) : [item];
    const key = JSON.stringify(node.listType === "set" ? [item] : keys);
    if (seen.has(key)) found.push({ path, code: "value", message: `${path} names ${key} twice` });
    seen.add(key);
  }
  return found;
}

const quantityPattern =
  /^[+-]?(?:[0-9]+|[0-9]+\.[0-9]*|\.[0-9]+)(?:[KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]+)?$/;

/** What it must be, if it is not. */
function typeProblem(value: Json, node: SchemaNode): string | undefined {
  if (node.intOrString) {
    const number = typeof value === "number" && (node.quantity || Number.isInteger(value));
    return number || typeof value === "string" ? undefined : "a number or a string";
  }
  switch (node.type) {
    case "object":
      return isObject(value) ? undefined : "an object";
    case "array":
      return isList(value) ? undefined : "a list";
    case "string":
      return typeof value === "string" ? undefined : "a string";
    case "boolean":
      return typeof value === "boolean" ? undefined : "true or false";
    case "integer":
      return Number.isInteger(value) ? undefined : "a whole number";
    case "number":
      return typeof value === "number" ? undefined : "a number";
    case "any":
      return undefined;
  }
}

function valueProblem(value: Json, { limits, quantity }: SchemaNode): string | undefined {
  const { enum: oneOf, pattern, format } = limits;
  if (isList(oneOf) && !oneOf.includes(value)) return `must be one of ${oneOf.join(", ")}`;
  if (typeof value === "string") {
    if (quantity && !quantityPattern.test(value)) return "is not a quantity";
    if (typeof pattern === "string" && !quantity && !new RegExp(pattern, "u").test(value)) {
      return `must match ${pattern}`;
    }
    if (format === "date-time" && Number.isNaN(Date.parse(value))) return "is not a date and time";
    if (format === "byte" && !/^[A-Za-z0-9+/]*={0,2}$/.test(value)) return "is not base64";
    return sizeProblem(value.length, limits["minLength"], limits["maxLength"], "characters");
  }
  if (typeof value === "number") {
    const int32 = format === "int32" && Math.abs(value) > 2 ** 31 - 1;
    if (int32) return "does not fit 32 bits";
    return sizeProblem(value, limits["minimum"], limits["maximum"], "");
  }
  if (isList(value))
    return sizeProblem(value.length, limits["minItems"], limits["maxItems"], "items");
  if (!isObject(value)) return undefined;
  const size = Object.keys(value).length;
  return sizeProblem(size, limits["minProperties"], limits["maxProperties"], "fields");
}

function sizeProblem(size: number, least: Json, most: Json, unit: string): string | undefined {
  const said = (bound: number) => (unit === "" ? String(bound) : `${bound} ${unit}`);
  if (typeof least === "number" && size < least) return `must have at least ${said(least)}`;
  if (typeof most === "number" && size > most) return `must have at most ${said(most)}`;
  return undefined;
}
