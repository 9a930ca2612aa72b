/**
 * Who may do what in a project's namespace. People look; they change nothing, because a machine that is
 * made past the control plane is one that nobody pays for. KubeVirt adds its verbs to Kubernetes' own
 * `edit` and `admin`, so nobody is given those: these Roles are whole by themselves.
 */
import { namespaceName, partName } from "#providers/kubevirt/compile/names.ts";
import type {
  PolicyRule,
  Role,
  RoleBinding,
  ServiceAccount,
} from "#providers/kubevirt/objects/core.ts";

import type { ProjectAsk, TenancyFacts } from "./facts.ts";
import { projectLabels } from "./namespace.ts";
import { ourLabels } from "#providers/kubevirt/compile/labels.ts";

const rbac = "rbac.authorization.k8s.io";
const viewerRole = "millrace-viewer";
/** By control plane: two of them may have images in one namespace. */
function cloneRole({ controlPlaneId }: TenancyFacts): string {
  return `millrace-clone-${controlPlaneId}`;
}
/** What runs jobs: it may do nothing in the cluster. */
export const jobAccount = "millrace-jobs";

// Kubernetes refuses a Role that hands out more than its writer holds: the chart's rights, no more.
const look = ["get", "list", "watch"];
const viewerRules: readonly PolicyRule[] = [
  {
    apiGroups: [""],
    // Not Secrets: they hold first passwords and keys.
    resources: ["pods", "events", "services", "persistentvolumeclaims", "resourcequotas"],
    verbs: look,
  },
  { apiGroups: [""], resources: ["pods/log"], verbs: ["get"] },
  { apiGroups: ["networking.k8s.io"], resources: ["networkpolicies"], verbs: look },
  {
    apiGroups: ["kubevirt.io"],
    resources: ["virtualmachines", "virtualmachineinstances", "virtualmachineinstancemigrations"],
    verbs: look,
  },
  { apiGroups: ["cdi.kubevirt.io"], resources: ["datavolumes"], verbs: look },
  {
    apiGroups: ["snapshot.kubevirt.io"],
    resources: ["virtualmachinesnapshots", "virtualmachinerestores"],
    verbs: look,
  },
];

export function projectAccess(ask: ProjectAsk): readonly (ServiceAccount | Role | RoleBinding)[] {
  const namespace = namespaceName(ask.projectId);
  const labels = projectLabels(ask);
  const account = (name: string): ServiceAccount => ({
    apiVersion: "v1",
    kind: "ServiceAccount",
    metadata: { name, namespace, labels },
    // No pod of a tenant gets a token by itself.
    automountServiceAccountToken: false,
  });
  const role: Role = {
    apiVersion: `${rbac}/v1`,
    kind: "Role",
    metadata: { name: viewerRole, namespace, labels },
    rules: viewerRules,
  };
  return [account("default"), account(jobAccount), role, ...viewerBinding(ask)];
}

function viewerBinding(ask: ProjectAsk): readonly RoleBinding[] {
  if (ask.viewers.length === 0) return [];
  return [
    {
      apiVersion: `${rbac}/v1`,
      kind: "RoleBinding",
      metadata: {
        name: viewerRole,
        namespace: namespaceName(ask.projectId),
        labels: projectLabels(ask),
      },
      roleRef: { apiGroup: rbac, kind: "Role", name: viewerRole },
      subjects: ask.viewers.map(({ kind, name }) => ({ kind, name, apiGroup: rbac })),
    },
  ];
}

/** Once for each namespace with images: what a project is bound to. */
export function cloneRoles(site: TenancyFacts): readonly Role[] {
  return site.imageNamespaces.map((namespace) => ({
    apiVersion: `${rbac}/v1`,
    kind: "Role",
    metadata: { name: cloneRole(site), namespace, labels: ourLabels(site.controlPlaneId) },
    rules: [
      { apiGroups: ["cdi.kubevirt.io"], resources: ["datavolumes/source"], verbs: ["create"] },
      { apiGroups: ["cdi.kubevirt.io"], resources: ["datasources"], verbs: ["get"] },
    ],
  }));
}

/**
 * Lets the project's disks be clones of images: CDI asks whether the `default` account of the machine's
 * namespace may. These stand outside of the namespace, so its deletion does not take them along.
 */
export function cloneBindings(ask: ProjectAsk): readonly RoleBinding[] {
  const namespace = namespaceName(ask.projectId);
  return ask.site.imageNamespaces.map((images) => ({
    apiVersion: `${rbac}/v1`,
    kind: "RoleBinding",
    metadata: {
      name: partName("clone", namespace),
      namespace: images,
      labels: projectLabels(ask),
    },
    roleRef: { apiGroup: rbac, kind: "Role", name: cloneRole(ask.site) },
    subjects: [{ kind: "ServiceAccount", name: "default", namespace }],
  }));
}
