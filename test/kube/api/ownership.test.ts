import { expect, test } from "vitest";

import { kinds } from "#providers/kubevirt/objects/kinds.ts";
import { definitionsOf, type JsonObject, nodeOf } from "#test/kube/schema-node.ts";

import type { ManagedFields } from "./document.ts";
import { applied, updatedOwners } from "./ownership.ts";
import { Refusal } from "./refusal.ts";

const keyed = {
  type: "array",
  "x-kubernetes-list-type": "map",
  "x-kubernetes-list-map-keys": ["name"],
  items: {
    type: "object",
    properties: { name: { type: "string" }, a: { type: "string" }, b: { type: "string" } },
  },
};
const node = nodeOf(
  {
    type: "object",
    properties: {
      spec: {
        type: "object",
        properties: {
          items: keyed,
          set: { type: "array", "x-kubernetes-list-type": "set", items: { type: "string" } },
          whole: { type: "array", items: { type: "string" } },
          map: { type: "object", additionalProperties: { type: "string" } },
          one: { type: "object", "x-kubernetes-map-type": "atomic" },
        },
      },
    },
  },
  definitionsOf({}),
);

interface State {
  readonly object: JsonObject;
  readonly managedFields: readonly ManagedFields[];
}

const nothing: State = { object: {}, managedFields: [] };

function apply(state: State, manager: string, spec: JsonObject, force = false): State {
  return applied({
    kind: kinds.configMap,
    node,
    live: state.object,
    liveOwners: state.managedFields,
    applied: { spec },
    writer: { manager, operation: "Apply", time: "2026-11-21T12:00:00Z" },
    force,
  });
}

function conflictOf(work: () => unknown): string[] {
  try {
    work();
  } catch (error) {
    if (error instanceof Refusal)
      return JSON.stringify(error.status).match(/"field":"(?:[^"\\]|\\.)*"/g) ?? [];
    throw error;
  }
  return [];
}

test("each manager has its items and fields in a keyed list, and takes only its own away", () => {
  const first = apply(nothing, "a", { items: [{ name: "x", a: "1" }] });
  const both = apply(first, "b", {
    items: [
      { name: "x", b: "1" },
      { name: "y", a: "1" },
    ],
  });
  expect(both.object["spec"]).toEqual({
    items: [
      { name: "x", a: "1", b: "1" },
      { name: "y", a: "1" },
    ],
  });
  const less = apply(both, "b", { items: [{ name: "y", a: "1" }] });
  expect(less.object["spec"]).toEqual({
    items: [
      { name: "x", a: "1" },
      { name: "y", a: "1" },
    ],
  });
  expect(apply(less, "a", {}).object["spec"]).toEqual({ items: [{ name: "y", a: "1" }] });
});

test("a conflict names the field within the item", () => {
  const first = apply(nothing, "a", { items: [{ name: "x", a: "1" }] });
  const again = () => apply(first, "b", { items: [{ name: "x", a: "2" }] });
  expect(conflictOf(again)).toEqual(['"field":".spec.items[name=\\"x\\"].a"']);
});

test("a list that is one value is owned as one, a set by its values, a map by its keys", () => {
  const first = apply(nothing, "a", { whole: ["1"], set: ["1"], map: { a: "1" }, one: { a: "1" } });
  const clash = () => apply(first, "b", { whole: ["1", "2"], one: { b: "1" } });
  expect(conflictOf(clash)).toEqual(['"field":".spec.whole"', '"field":".spec.one"']);
  const both = apply(first, "b", { set: ["2"], map: { b: "2" } });
  expect(both.object["spec"]).toMatchObject({ set: ["1", "2"], map: { a: "1", b: "2" } });
  const without = apply(both, "a", { whole: ["3"] });
  expect(without.object["spec"]).toEqual({ whole: ["3"], set: ["2"], map: { b: "2" } });
});

test("what two own stays until neither applies it", () => {
  const first = apply(nothing, "a", { map: { x: "1" } });
  const both = apply(first, "b", { map: { x: "1" } });
  const one = apply(both, "a", {});
  expect(one.object["spec"]).toEqual({ map: { x: "1" } });
  expect(apply(one, "b", {}).object["spec"] ?? {}).toEqual({});
});

test("a map that was empty keeps what came into it", () => {
  const empty = apply(nothing, "a", { map: {} });
  expect(empty.object["spec"]).toEqual({ map: {} });
  expect(apply(empty, "a", { map: { x: "1" } }).object["spec"]).toEqual({ map: { x: "1" } });
});

test("force takes the field; a plain write takes it without asking", () => {
  const first = apply(nothing, "a", { map: { x: "1" } });
  const taken = apply(first, "b", { map: { x: "2" } }, true);
  expect(conflictOf(() => apply(taken, "a", { map: { x: "1" } }))).toHaveLength(1);

  const after = { spec: { map: { x: "3" } } };
  const managedFields = updatedOwners({
    kind: kinds.configMap,
    node,
    before: taken.object,
    owners: taken.managedFields,
    after,
    writer: { manager: "kubectl-edit", operation: "Update", time: "2026-11-21T12:00:00Z" },
  });
  expect(managedFields.map(({ manager }) => manager)).toEqual(["kubectl-edit"]);
  const again = () => apply({ object: after, managedFields }, "b", { map: { x: "2" } });
  expect(conflictOf(again)).toHaveLength(1);
});

test("the same again changes nothing", () => {
  const first = apply(nothing, "a", { items: [{ name: "x", a: "1" }], map: { x: "1" } });
  expect(apply(first, "a", { items: [{ name: "x", a: "1" }], map: { x: "1" } })).toEqual(first);
});
