/**
 * Sets of fields, as managedFields notes who owns what. A field is a path of steps: `f:name` of a map,
 * `k:{…}` an item of a keyed list, `v:…` a value of a set. Ownership is of leaves: scalars, lists that
 * are one value, empty maps, and items as such (`.`).
 */
import {
  isList,
  isObject,
  type Json,
  type JsonObject,
  type SchemaNode,
} from "#test/kube/schema-node.ts";

/** Steps joined by a character that is in none of them. */
export type FieldPath = string;
const joint = "\u001f";
const self = ".";

/** What no manager owns: the server sets it, or it is the object's address. */
const unowned = new Set(
  [
    ["apiVersion"],
    ["kind"],
    ...[
      "name",
      "namespace",
      "uid",
      "resourceVersion",
      "generation",
      "creationTimestamp",
      "deletionTimestamp",
      "deletionGracePeriodSeconds",
      "managedFields",
    ].map((name) => ["metadata", name]),
  ].map((path) => path.map((name) => `f:${name}`).join(joint)),
);

export function fieldsOf(object: JsonObject, node: SchemaNode): Map<FieldPath, Json> {
  const found = new Map<FieldPath, Json>();
  collect(object, node, { path: [], found });
  for (const path of found.keys()) {
    const [first, second] = path.split(joint);
    if (unowned.has(first ?? "") || unowned.has([first, second].join(joint))) found.delete(path);
  }
  return found;
}

interface Collected {
  readonly path: readonly string[];
  readonly found: Map<FieldPath, Json>;
}

function collect(value: Json, node: SchemaNode, { path, found }: Collected): void {
  if (isObject(value) && node.mapType === "granular") {
    const fields = Object.entries(value).filter(([, inside]) => inside !== undefined);
    if (fields.length === 0 && path.length > 0) found.set(path.join(joint), value);
    for (const [name, inside] of fields) {
      collect(inside, fieldNode(node, name), { path: [...path, `f:${name}`], found });
    }
  } else if (isList(value) && node.listType === "map") {
    for (const item of value) {
      const here = [...path, keyStep(item, node)];
      // Its keys are its own: who owns the item owns them.
      found.set([...here, self].join(joint), keyStep(item, node));
      collect(item, node.each?.() ?? node, { path: here, found });
    }
  } else if (isList(value) && node.listType === "set") {
    for (const item of value) found.set([...path, `v:${JSON.stringify(item)}`].join(joint), item);
  } else {
    found.set(path.join(joint), value);
  }
}

export function isWithin(path: FieldPath, outer: FieldPath): boolean {
  return path.startsWith(outer + joint);
}

export function fieldNode(node: SchemaNode, name: string): SchemaNode {
  return node.properties.get(name)?.() ?? node.each?.() ?? { ...node, properties: new Map() };
}

/** Which item of a keyed list it is; the default of a port's protocol is TCP. */
export function keyStep(item: Json, node: SchemaNode): string {
  const keys = node.listKeys.map((key) => {
    const value = isObject(item) ? item[key] : undefined;
    return [key, value ?? (key === "protocol" ? "TCP" : null)];
  });
  return `k:${JSON.stringify(Object.fromEntries(keys))}`;
}

/** As managedFields has it: a tree of steps. */
export function toTree(paths: Iterable<FieldPath>): JsonObject {
  const tree: Record<string, Json> = {};
  for (const path of paths) {
    let here = tree;
    for (const step of path.split(joint)) {
      const next = here[step];
      const inside: Record<string, Json> = isTree(next) ? next : {};
      here[step] = inside;
      here = inside;
    }
  }
  return tree;
}

function isTree(value: Json): value is Record<string, Json> {
  return isObject(value);
}

export function fromTree(tree: JsonObject): Set<FieldPath> {
  const paths = new Set<FieldPath>();
  const visit = (here: JsonObject, path: readonly string[]): void => {
    const steps = Object.entries(here);
    if (steps.length === 0 && path.length > 0) paths.add(path.join(joint));
    for (const [step, inside] of steps) visit(isObject(inside) ? inside : {}, [...path, step]);
  };
  visit(tree, []);
  return paths;
}

/** As a conflict names it: `.spec.ports[port=22,protocol="TCP"].targetPort`. */
export function fieldName(path: FieldPath): string {
  return path
    .split(joint)
    .filter((step) => step !== self)
    .map((step) => {
      const rest = step.slice(2);
      if (step.startsWith("f:")) return `.${rest}`;
      if (step.startsWith("v:")) return `[=${rest}]`;
      const keys: unknown = JSON.parse(rest);
      const said = Object.entries(isObject(keys) ? keys : {});
      return `[${said.map(([key, value]) => `${key}=${JSON.stringify(value)}`).join(",")}]`;
    })
    .join("");
}

/** Without the fields at these paths; an item goes when its `.` is named. */
export function without(
  object: JsonObject,
  node: SchemaNode,
  paths: ReadonlySet<FieldPath>,
): JsonObject {
  const pruned = prune(object, node, { path: [], paths });
  return isObject(pruned) ? pruned : {};
}

interface Pruned {
  readonly path: readonly string[];
  readonly paths: ReadonlySet<FieldPath>;
}

/** `undefined` if nothing of it is left that was there before. */
function prune(value: Json, node: SchemaNode, { path, paths }: Pruned): Json {
  // A map that was owned as an empty one may have fields of its own by now: then those decide.
  const full = isObject(value) && node.mapType === "granular" && Object.keys(value).length > 0;
  if (path.length > 0 && !full && paths.has(path.join(joint))) return undefined;
  if (isObject(value) && node.mapType === "granular") {
    const kept: Record<string, Json> = {};
    let dropped = false;
    for (const [name, inside] of Object.entries(value)) {
      const next = prune(inside, fieldNode(node, name), { path: [...path, `f:${name}`], paths });
      if (next === undefined) dropped = true;
      else kept[name] = next;
    }
    // A map that was emptied by this goes with its last field.
    return dropped && Object.keys(kept).length === 0 && path.length > 0 ? undefined : kept;
  }
  if (!isList(value)) return value;
  if (node.listType === "map") {
    const kept = value.flatMap((item) => {
      const here = [...path, keyStep(item, node)];
      if (paths.has([...here, self].join(joint))) return [];
      const next = prune(item, node.each?.() ?? node, { path: here, paths });
      return next === undefined ? [] : [next];
    });
    return kept.length === 0 && value.length > 0 ? undefined : kept;
  }
  if (node.listType === "set") {
    const kept = value.filter(
      (item) => !paths.has([...path, `v:${JSON.stringify(item)}`].join(joint)),
    );
    return kept.length === 0 && value.length > 0 ? undefined : kept;
  }
  return value;
}

/** What is applied over what is there: maps by field, keyed lists by key, all else replaced. */
export function mergeInto(live: Json, applied: Json, node: SchemaNode): Json {
  if (isObject(live) && isObject(applied) && node.mapType === "granular") {
    const merged: Record<string, Json> = { ...live };
    for (const [name, value] of Object.entries(applied)) {
      merged[name] = mergeInto(live[name], value, fieldNode(node, name));
    }
    return merged;
  }
  if (!isList(live) || !isList(applied)) return applied;
  if (node.listType === "set") {
    const known = new Set(live.map((item) => JSON.stringify(item)));
    return [...live, ...applied.filter((item) => !known.has(JSON.stringify(item)))];
  }
  if (node.listType !== "map") return applied;
  const merged = [...live];
  for (const item of applied) {
    const key = keyStep(item, node);
    const index = merged.findIndex((each) => keyStep(each, node) === key);
    if (index === -1) merged.push(item);
    else merged[index] = mergeInto(merged[index], item, node.each?.() ?? node);
  }
  return merged;
}
