/**
 * What is to be done about a project's namespace as it stands, at a moment. Pure. What must stay true: a
 * namespace of which it is not certain whose it is, is left alone; and only what this driver makes under
 * names that it knows is ever removed.
 */
import { z } from "zod";

import type { KubeObject } from "#providers/kubevirt/client/object.ts";
import { labelKeys } from "#providers/kubevirt/compile/labels.ts";
import { namespaceName } from "#providers/kubevirt/compile/names.ts";
import type { Refusal } from "#providers/kubevirt/compile/refusal.ts";
import type { ProjectAsk } from "#providers/kubevirt/tenants/facts.ts";
import {
  furniturePlan,
  projectFurniture,
  type FurniturePlan,
} from "#providers/kubevirt/tenants/furniture.ts";
import { namespaceProblem } from "#providers/kubevirt/tenants/namespace.ts";
import { networkPolicyName } from "#providers/kubevirt/tenants/network.ts";

/** So long whoever makes a namespace has to put all into it. */
const furnishingMs = 60_000;

export interface ProjectSight {
  readonly projectId: string;
  /** All that carries the project's label, of the kinds that furniture has. */
  readonly standing: readonly KubeObject[];
  readonly machines: readonly { readonly tenantId: string; readonly network: string }[];
  /** Networks for which this process has put a wall up already. */
  readonly furnished: readonly string[];
  readonly controlPlane: string;
  readonly now: number;
}

export type Upkeep =
  | { readonly to: "keep"; readonly tenantId: string; readonly networks: readonly string[] }
  | { readonly to: "wait" }
  /** Something says that there is such a project, but no namespace of ours does. */
  | { readonly to: "look-closer" }
  | { readonly to: "leave"; readonly because: Refusal };

export function upkeepOf(sight: ProjectSight): Upkeep {
  const { projectId, standing, machines, furnished, now, controlPlane } = sight;
  const namespace = standing.find(
    ({ kind, metadata }) => kind === "Namespace" && metadata.name === namespaceName(projectId),
  );
  if (namespace === undefined) return { to: "look-closer" };
  const { labels = {}, creationTimestamp, deletionTimestamp } = namespace.metadata;
  if (deletionTimestamp !== undefined) return { to: "wait" };
  // This process is through with filling it, and nobody else may be at it.
  const isFilled = furnished.length > 0;
  if (!isFilled && now - Date.parse(creationTimestamp) < furnishingMs) return { to: "wait" };
  const tenantId = labels[labelKeys.tenant] ?? "";
  // Whose machines are there decides, not what somebody wrote on the namespace.
  const other = machines.find((machine) => machine.tenantId !== tenantId);
  const because = namespaceProblem(
    { labels, deleting: false },
    { projectId, tenantId: other?.tenantId ?? tenantId, site: { controlPlaneId: controlPlane } },
  );
  if (because !== undefined) return { to: "leave", because };
  return { to: "keep", tenantId, networks: networksOf(sight) };
}

/** A network's wall stays as long as its project: only machines and the wall itself tell of it. */
function networksOf({ standing, machines, furnished }: ProjectSight): readonly string[] {
  const walls = standing.flatMap((object) => networkOf(object) ?? []);
  return [...new Set([...furnished, ...walls, ...machines.map(({ network }) => network)])]
    .filter((network) => network !== "")
    .toSorted();
}

const wall = z.object({
  kind: z.literal("NetworkPolicy"),
  metadata: z.object({ name: z.string() }),
  spec: z.object({
    podSelector: z.object({ matchLabels: z.object({ [labelKeys.network]: z.string() }) }),
  }),
});

function networkOf(object: KubeObject): string | undefined {
  const { data } = wall.safeParse(object);
  const network = data?.spec.podSelector.matchLabels[labelKeys.network];
  if (network === undefined || data?.metadata.name !== networkPolicyName(network)) return undefined;
  return network;
}

const removable: Readonly<Record<string, RegExp>> = {
  NetworkPolicy: /^(?:network-|open-|outbound$|from-gateways$|names$|disks-in$)/u,
  RoleBinding: /^(?:millrace-viewer$|clone-)/u,
};

/** A rule that lets others in through one port. */
export function isOpening({ kind, metadata }: KubeObject): boolean {
  return kind === "NetworkPolicy" && metadata.name.startsWith("open-");
}

/** What somebody changed or took away, and what of ours is wanted no more. */
export function mending(
  ask: ProjectAsk,
  standing: readonly KubeObject[],
): FurniturePlan<ReturnType<typeof projectFurniture>[number], KubeObject> {
  const { apply, remove } = furniturePlan(projectFurniture(ask), standing);
  return {
    apply,
    remove: remove.filter(
      ({ kind, metadata }) =>
        metadata.deletionTimestamp === undefined && removable[kind]?.test(metadata.name) === true,
    ),
  };
}
