/**
 * Everything that a project needs in a cluster, in the order in which it is applied: the namespace, who
 * may what there, quotas, the network. The same project gives the same objects; what stands there
 * besides, of ours, is to go.
 */
import { parseMilli } from "#providers/kubevirt/compile/quantity.ts";
import type {
  LimitRange,
  Namespace,
  NetworkPolicy,
  ResourceQuota,
  Role,
  RoleBinding,
  ServiceAccount,
} from "#providers/kubevirt/objects/core.ts";
import { covers } from "#providers/kubevirt/objects/covers.ts";

import { cloneBindings, projectAccess } from "./access.ts";
import type { ProjectAsk } from "./facts.ts";
import { projectLimitRange, projectQuota } from "./limits.ts";
import { projectNamespace } from "./namespace.ts";
import { projectNetwork } from "./network.ts";

export type Furnishing =
  | Namespace
  | ServiceAccount
  | Role
  | RoleBinding
  | ResourceQuota
  | LimitRange
  | NetworkPolicy;

/** Network first after the namespace: nothing runs there that is not walled in. */
export function projectFurniture(ask: ProjectAsk): readonly Furnishing[] {
  return [
    projectNamespace(ask),
    ...projectNetwork(ask),
    ...projectAccess(ask),
    projectQuota(ask),
    projectLimitRange(ask),
    ...cloneBindings(ask),
  ];
}

/** What names an object among all of a cluster. */
export interface ObjectKey {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string | undefined };
}

export interface FurniturePlan<Wanted extends ObjectKey, Seen extends ObjectKey> {
  /** Missing, or not as it should be: an edit by hand is undone. */
  readonly apply: readonly Wanted[];
  /** Of ours, and wanted no more: a port that was closed again. */
  readonly remove: readonly Seen[];
}

/** `seen` are all objects with this project's labels, of the kinds that furniture has. */
export function furniturePlan<Wanted extends ObjectKey, Seen extends ObjectKey>(
  wanted: readonly Wanted[],
  seen: readonly Seen[],
): FurniturePlan<Wanted, Seen> {
  const there = new Map(seen.map((object) => [keyOf(object), object]));
  const keys = new Set(wanted.map(keyOf));
  return {
    apply: wanted.filter((object) => !isAsWanted(there.get(keyOf(object)), object)),
    remove: seen.filter((object) => !keys.has(keyOf(object))),
  };
}

const withAmounts = new Set(["ResourceQuota", "LimitRange", "ClusterQueue", "Cohort", "Queue"]);

function isAsWanted(seen: ObjectKey | undefined, wanted: ObjectKey): boolean {
  if (covers(seen, wanted)) return true;
  return withAmounts.has(wanted.kind) && covers(evened(seen), evened(wanted));
}

/** The server prints an amount its own way: `1` for `1000m`, `1Gi` for `1024Mi`. */
function evened(value: unknown): unknown {
  if (typeof value === "string") return String(parseMilli(value) ?? value);
  if (Array.isArray(value)) return value.map(evened);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, evened(each)]));
}

function keyOf({ apiVersion, kind, metadata }: ObjectKey): string {
  return `${apiVersion} ${kind} ${metadata.namespace ?? ""} ${metadata.name}`;
}
