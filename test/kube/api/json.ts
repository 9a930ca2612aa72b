/** Reading and changing plain JSON by path, without ever changing what somebody else holds. */
import { isList, isObject, type Json, type JsonObject } from "#test/kube/schema-node.ts";

/** What is at a path of field names; `undefined` where the way ends. */
export function at(value: Json, ...path: readonly string[]): Json {
  let here = value;
  for (const field of path) {
    if (!isObject(here)) return undefined;
    here = here[field];
  }
  return here;
}

export function textAt(value: Json, ...path: readonly string[]): string {
  const found = at(value, ...path);
  return typeof found === "string" ? found : "";
}

export function objectAt(value: Json, ...path: readonly string[]): JsonObject {
  const found = at(value, ...path);
  return isObject(found) ? found : {};
}

export function listAt(value: Json, ...path: readonly string[]): readonly Json[] {
  const found = at(value, ...path);
  return isList(found) ? found : [];
}

/** The strings of a map such as labels. */
export function textsAt(value: Json, ...path: readonly string[]): Record<string, string> {
  const texts: Record<string, string> = {};
  for (const [name, text] of Object.entries(objectAt(value, ...path))) {
    if (typeof text === "string") texts[name] = text;
  }
  return texts;
}

/** A copy in which the value at the path is another; `undefined` takes the field away. */
export function withAt(object: JsonObject, path: readonly string[], value: Json): JsonObject {
  const [field, ...rest] = path;
  if (field === undefined) return isObject(value) ? value : {};
  const inside = rest.length === 0 ? value : withAt(objectAt(object, field), rest, value);
  if (inside !== undefined) return { ...object, [field]: inside };
  const { [field]: _, ...others } = object;
  return others;
}

/** Equal as JSON: a field that is `undefined` is not there. */
export function equal(left: Json, right: Json): boolean {
  if (left === right) return true;
  if (isList(left) && isList(right)) {
    return left.length === right.length && left.every((each, index) => equal(each, right[index]));
  }
  if (!isObject(left) || !isObject(right)) return false;
  for (const field of Object.keys(left)) if (!equal(left[field], right[field])) return false;
  for (const field of Object.keys(right)) {
    if (left[field] === undefined && right[field] !== undefined) return false;
  }
  return true;
}

/** RFC 7386. */
export function mergePatch(target: Json, patch: Json): Json {
  if (!isObject(patch)) return patch;
  const merged: Record<string, Json> = isObject(target) ? { ...target } : {};
  for (const [field, value] of Object.entries(patch)) {
    if (value === null) delete merged[field];
    else merged[field] = mergePatch(merged[field], value);
  }
  return merged;
}
