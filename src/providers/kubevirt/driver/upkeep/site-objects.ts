/**
 * What stands once for a site: the admission policies, and the right to clone in each namespace of images.
 * Without the right to write them the rest works; the operator is told what is missing and what it means.
 */
import type { KubeObject } from "#providers/kubevirt/client/object.ts";
import { StatusError } from "#providers/kubevirt/client/errors.ts";
import { providerError } from "#providers/kubevirt/driver/errors.ts";
import type {
  AdmissionPolicy,
  AdmissionPolicyBinding,
  Role,
} from "#providers/kubevirt/objects/core.ts";
import { kinds } from "#providers/kubevirt/objects/kinds.ts";
import { cloneRoles } from "#providers/kubevirt/tenants/access.ts";
import type { TenancyFacts } from "#providers/kubevirt/tenants/facts.ts";
import { furniturePlan, type FurniturePlan } from "#providers/kubevirt/tenants/furniture.ts";
import { sitePolicies } from "#providers/kubevirt/tenants/policies.ts";
import type { SiteFinding } from "#providers/provider.ts";

export type SiteObject = Role | AdmissionPolicy | AdmissionPolicyBinding;

/** What of each sort is to be put right; `undefined` for a sort that cannot be looked at now. */
export function siteMending(
  facts: TenancyFacts,
  standing: readonly KubeObject[],
  can: { readonly roles: boolean; readonly policies: boolean },
): FurniturePlan<SiteObject, KubeObject> {
  const roles = can.roles ? cloneRoles(facts) : [];
  const policies = can.policies ? sitePolicies(facts) : [];
  const ours = standing.filter(
    ({ kind, metadata }) =>
      (can.roles && kind === "Role" && metadata.name.startsWith("millrace-clone-")) ||
      (can.policies &&
        kind.startsWith("ValidatingAdmissionPolicy") &&
        metadata.name.startsWith(`millrace-${facts.controlPlaneId}-`)),
  );
  const wanted: readonly SiteObject[] = [...roles, ...policies];
  return furniturePlan(wanted, ours);
}

const grant =
  "Give its account get, list, watch, create, patch and delete of them, as the chart's ClusterRole does, or apply them yourself (deploy/kubevirt/policies.yaml).";
const without =
  "Machines that are made past Millrace, with kubectl, are not refused by the cluster itself.";

/** Why policies cannot be kept, from what came of asking for them. */
export function policyFinding(error: unknown): SiteFinding {
  const isAbsent = error instanceof StatusError && error.code === 404;
  if (isAbsent) {
    return {
      severity: "warning",
      message: `The cluster has no ValidatingAdmissionPolicy (${kinds.admissionPolicy.group}/${kinds.admissionPolicy.version}). ${without}`,
      advice:
        "Kubernetes has it since 1.30; until then keep write access to machines to Millrace alone.",
    };
  }
  return {
    severity: "warning",
    message: `Millrace cannot keep its admission policies in the cluster: ${providerError(error).message} ${without}`,
    advice: grant,
  };
}

export function roleFinding(role: KubeObject | SiteObject, error: unknown): SiteFinding {
  const { name, namespace = "" } = role.metadata;
  const isAbsent = error instanceof StatusError && error.code === 404;
  return {
    severity: "problem",
    message: isAbsent
      ? `Namespace ${namespace}, which the settings name for images, is not there: machines cannot be made from them.`
      : `Millrace cannot keep Role ${namespace}/${name}: ${providerError(error).message} Machines cannot be made from images there.`,
    advice: isAbsent
      ? "Create the namespace and the images in it, or correct `images` in the site's settings."
      : "Kubernetes lets nobody hand out more than he has: give Millrace's account create on datavolumes/source and get on datasources of cdi.kubevirt.io, as the chart's ClusterRole does.",
  };
}
