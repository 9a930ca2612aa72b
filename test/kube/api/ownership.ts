/**
 * Who owns which field, and server-side apply upon it: an applied field that somebody else owns with
 * another value is a conflict; a field that is no longer applied, and that nobody else owns, goes.
 */
import type { Kind } from "#providers/kubevirt/client/kind.ts";
import { apiVersion } from "#providers/kubevirt/client/kind.ts";
import { isObject, type JsonObject, type SchemaNode } from "#test/kube/schema-node.ts";

import type { ManagedFields } from "./document.ts";
import {
  fieldName,
  type FieldPath,
  fieldsOf,
  fromTree,
  isWithin,
  mergeInto,
  toTree,
  without,
} from "./fields.ts";
import { equal } from "./json.ts";
import { applyConflict } from "./refusal.ts";

/** Who writes, in which way, and to which part. */
export interface Writer {
  readonly manager: string;
  readonly operation: "Apply" | "Update";
  readonly subresource?: string;
  readonly time: string;
}

interface Owner extends Omit<ManagedFields, "fieldsV1" | "fieldsType"> {
  fields: Set<FieldPath>;
}

export interface Outcome {
  readonly object: JsonObject;
  readonly managedFields: readonly ManagedFields[];
}

export interface ApplyAsked {
  readonly kind: Kind;
  readonly node: SchemaNode;
  readonly live: JsonObject;
  readonly liveOwners: readonly ManagedFields[];
  readonly applied: JsonObject;
  readonly writer: Writer;
  readonly force: boolean;
}

/** Throws `Refusal` 409 with each field and its owner. */
export function applied(asked: ApplyAsked): Outcome {
  const { kind, node, live, writer } = asked;
  const owners = asked.liveOwners.map(toOwner);
  const ours = owners.find((owner) => isSame(owner, writer));
  const others = owners.filter((owner) => owner !== ours);
  const wanted = fieldsOf(asked.applied, node);
  const liveFields = fieldsOf(live, node);

  const differs = new Set(
    [...wanted].flatMap(([path, value]) =>
      equal(liveFields.get(path), value) || isFull(liveFields, path, value) ? [] : [path],
    ),
  );
  const conflicts = others.flatMap((owner) =>
    [...differs].filter((path) => owner.fields.has(path)).map((path) => ({ owner, path })),
  );
  if (conflicts.length > 0 && !asked.force) {
    throw applyConflict(conflicts.map(({ owner, path }) => ({ ...owner, field: fieldName(path) })));
  }
  for (const { owner, path } of conflicts) owner.fields.delete(path);

  const given = new Set<FieldPath>();
  for (const path of ours?.fields ?? []) {
    if (!wanted.has(path) && !others.some((owner) => owner.fields.has(path))) given.add(path);
  }
  const merged = mergeInto(live, asked.applied, node);
  const object = without(isObject(merged) ? merged : {}, node, given);
  const mine = newOwner(kind, writer, new Set(wanted.keys()));
  const unchanged = ours !== undefined && sameSet(ours.fields, mine.fields) && differs.size === 0;
  const left = unchanged ? owners : replaced(owners, ours, mine);
  return { object, managedFields: toManaged(left) };
}

export interface UpdateAsked {
  readonly kind: Kind;
  readonly node: SchemaNode;
  readonly before: JsonObject;
  readonly owners: readonly ManagedFields[];
  readonly after: JsonObject;
  readonly writer: Writer;
}

/** A plain write takes what it changed, and asks nobody. */
export function updatedOwners(asked: UpdateAsked): readonly ManagedFields[] {
  const { kind, node, writer } = asked;
  const before = fieldsOf(asked.before, node);
  const after = fieldsOf(asked.after, node);
  const changed = new Set(
    [...after].flatMap(([path, value]) => (equal(before.get(path), value) ? [] : [path])),
  );
  const owners = asked.owners.map(toOwner);
  for (const owner of owners) {
    owner.fields = new Set(
      [...owner.fields].filter((path) => after.has(path) && !changed.has(path)),
    );
  }
  if (changed.size === 0) return toManaged(owners);
  const ours = owners.find((owner) => isSame(owner, writer));
  const fields = new Set([...(ours?.fields ?? []), ...changed]);
  return toManaged(replaced(owners, ours, newOwner(kind, writer, fields)));
}

/** In the place of the one before, if there was one. */
function replaced(owners: readonly Owner[], ours: Owner | undefined, by: Owner): Owner[] {
  if (ours === undefined) return [...owners, by];
  return owners.map((owner) => (owner === ours ? by : owner));
}

/** An empty map that is applied over a full one changes nothing of it. */
function isFull(live: ReadonlyMap<FieldPath, unknown>, path: FieldPath, value: unknown): boolean {
  if (!isObject(value) || Object.keys(value).length > 0) return false;
  return [...live.keys()].some((each) => isWithin(each, path));
}

function toOwner(managed: ManagedFields): Owner {
  const { manager, operation, apiVersion: version, time, subresource, fieldsV1 } = managed;
  const part = subresource === undefined ? {} : { subresource };
  return { manager, operation, apiVersion: version, time, ...part, fields: fromTree(fieldsV1) };
}

function toManaged(owners: readonly Owner[]): ManagedFields[] {
  return owners
    .filter(({ fields }) => fields.size > 0)
    .map(({ fields, ...rest }) => ({
      ...rest,
      fieldsType: "FieldsV1",
      fieldsV1: toTree(fields),
    }));
}

function newOwner(kind: Kind, writer: Writer, fields: Set<FieldPath>): Owner {
  return { ...writer, apiVersion: apiVersion(kind), fields };
}

function isSame(owner: Owner, writer: Writer): boolean {
  return (
    owner.manager === writer.manager &&
    owner.operation === writer.operation &&
    owner.subresource === writer.subresource
  );
}

function sameSet(left: ReadonlySet<FieldPath>, right: ReadonlySet<FieldPath>): boolean {
  return left.size === right.size && [...left].every((path) => right.has(path));
}
