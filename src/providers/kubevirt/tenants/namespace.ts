/**
 * A namespace for each project. Its labels say whose it is: quotas, policies and network rules of all
 * kinds select by them. One that somebody else made is left alone.
 */
import { labelKeys, ourLabels, ownerOf } from "#providers/kubevirt/compile/labels.ts";
import { namespaceName } from "#providers/kubevirt/compile/names.ts";
import type { Refusal } from "#providers/kubevirt/compile/refusal.ts";
import type { Namespace } from "#providers/kubevirt/objects/core.ts";
import type { Labels } from "#providers/kubevirt/objects/meta.ts";

import type { ProjectAsk } from "./facts.ts";

export function projectLabels({ site, tenantId, projectId }: ProjectAsk): Labels {
  return {
    ...ourLabels(site.controlPlaneId),
    [labelKeys.tenant]: tenantId,
    [labelKeys.project]: projectId,
  };
}

export function projectNamespace(ask: ProjectAsk): Namespace {
  const { podSecurity } = ask.site;
  return {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: {
      name: namespaceName(ask.projectId),
      labels: {
        ...projectLabels(ask),
        [labelKeys.serviceClass]: ask.serviceClass,
        "pod-security.kubernetes.io/enforce": podSecurity,
        "pod-security.kubernetes.io/warn": "restricted",
        "pod-security.kubernetes.io/audit": "restricted",
      },
    },
  };
}

export interface SeenNamespace {
  readonly labels: Labels;
  readonly deleting: boolean;
}

/** Why a namespace that is there already cannot be the project's; `undefined` if it is ours, or absent. */
export function namespaceProblem(
  seen: SeenNamespace | undefined,
  ask: Pick<ProjectAsk, "projectId" | "tenantId"> & {
    readonly site: Pick<ProjectAsk["site"], "controlPlaneId">;
  },
): Refusal | undefined {
  if (seen === undefined) return undefined;
  const name = namespaceName(ask.projectId);
  const { labels } = seen;
  const plane = labels[labelKeys.controlPlane];
  const details = { namespace: name, labels };
  if (plane === undefined) {
    return {
      code: "namespace_of_somebody_else",
      for: "operator",
      message: `Namespace ${name} is there already, and nothing says that it is ours: it is left alone. Delete it or label it, if it is.`,
      details,
    };
  }
  if (plane !== ask.site.controlPlaneId) {
    return {
      code: "namespace_of_another_control_plane",
      for: "operator",
      message: `Namespace ${name} belongs to control plane ${plane}: two of them must not manage one project.`,
      details,
    };
  }
  const { tenantId, projectId } = ownerOf({ [labelKeys.resource]: "", ...labels }) ?? {};
  if (tenantId !== ask.tenantId || projectId !== ask.projectId) {
    return {
      code: "namespace_of_another_tenant",
      for: "operator",
      message: `Namespace ${name} is labeled as another tenant's or project's: somebody has edited it. Put its labels right.`,
      details,
    };
  }
  if (!seen.deleting) return undefined;
  return {
    code: "namespace_is_deleted",
    for: "operator",
    message: `Namespace ${name} is being deleted: wait until it is gone, then it is made anew.`,
    details,
  };
}
