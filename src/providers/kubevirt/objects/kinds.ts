/** Every kind of object that the driver reads or writes, in the version that it speaks. */
import type { Kind } from "#providers/kubevirt/client/kind.ts";

export const kinds = {
  namespace: cluster("", "v1", "Namespace", "namespaces"),
  node: cluster("", "v1", "Node", "nodes"),
  pod: inNamespace("", "v1", "Pod", "pods"),
  event: inNamespace("", "v1", "Event", "events"),
  secret: inNamespace("", "v1", "Secret", "secrets"),
  configMap: inNamespace("", "v1", "ConfigMap", "configmaps"),
  service: inNamespace("", "v1", "Service", "services"),
  serviceAccount: inNamespace("", "v1", "ServiceAccount", "serviceaccounts"),
  claim: inNamespace("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims"),
  /** Looked at only, for what storage keeps of a project that is gone. */
  volume: cluster("", "v1", "PersistentVolume", "persistentvolumes"),
  resourceQuota: inNamespace("", "v1", "ResourceQuota", "resourcequotas"),
  limitRange: inNamespace("", "v1", "LimitRange", "limitranges"),

  role: inNamespace("rbac.authorization.k8s.io", "v1", "Role", "roles"),
  roleBinding: inNamespace("rbac.authorization.k8s.io", "v1", "RoleBinding", "rolebindings"),
  clusterRole: cluster("rbac.authorization.k8s.io", "v1", "ClusterRole", "clusterroles"),
  clusterRoleBinding: cluster(
    "rbac.authorization.k8s.io",
    "v1",
    "ClusterRoleBinding",
    "clusterrolebindings",
  ),
  networkPolicy: inNamespace("networking.k8s.io", "v1", "NetworkPolicy", "networkpolicies"),
  ingress: inNamespace("networking.k8s.io", "v1", "Ingress", "ingresses"),
  priorityClass: cluster("scheduling.k8s.io", "v1", "PriorityClass", "priorityclasses"),
  storageClass: cluster("storage.k8s.io", "v1", "StorageClass", "storageclasses"),
  admissionPolicy: cluster(
    "admissionregistration.k8s.io",
    "v1",
    "ValidatingAdmissionPolicy",
    "validatingadmissionpolicies",
  ),
  admissionPolicyBinding: cluster(
    "admissionregistration.k8s.io",
    "v1",
    "ValidatingAdmissionPolicyBinding",
    "validatingadmissionpolicybindings",
  ),
  autoscaler: inNamespace(
    "autoscaling",
    "v2",
    "HorizontalPodAutoscaler",
    "horizontalpodautoscalers",
  ),
  disruptionBudget: inNamespace("policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets"),
  job: inNamespace("batch", "v1", "Job", "jobs"),
  resourceClaim: inNamespace("resource.k8s.io", "v1", "ResourceClaim", "resourceclaims"),
  resourceClaimTemplate: inNamespace(
    "resource.k8s.io",
    "v1",
    "ResourceClaimTemplate",
    "resourceclaimtemplates",
  ),
  deviceClass: cluster("resource.k8s.io", "v1", "DeviceClass", "deviceclasses"),
  resourceSlice: cluster("resource.k8s.io", "v1", "ResourceSlice", "resourceslices"),

  machine: inNamespace("kubevirt.io", "v1", "VirtualMachine", "virtualmachines"),
  machineInstance: inNamespace(
    "kubevirt.io",
    "v1",
    "VirtualMachineInstance",
    "virtualmachineinstances",
  ),
  migration: inNamespace(
    "kubevirt.io",
    "v1",
    "VirtualMachineInstanceMigration",
    "virtualmachineinstancemigrations",
  ),
  kubevirt: inNamespace("kubevirt.io", "v1", "KubeVirt", "kubevirts"),
  migrationPolicy: cluster(
    "migrations.kubevirt.io",
    "v1alpha1",
    "MigrationPolicy",
    "migrationpolicies",
  ),
  instancetype: inNamespace(
    "instancetype.kubevirt.io",
    "v1beta1",
    "VirtualMachineInstancetype",
    "virtualmachineinstancetypes",
  ),
  clusterInstancetype: cluster(
    "instancetype.kubevirt.io",
    "v1beta1",
    "VirtualMachineClusterInstancetype",
    "virtualmachineclusterinstancetypes",
  ),
  preference: inNamespace(
    "instancetype.kubevirt.io",
    "v1beta1",
    "VirtualMachinePreference",
    "virtualmachinepreferences",
  ),
  clusterPreference: cluster(
    "instancetype.kubevirt.io",
    "v1beta1",
    "VirtualMachineClusterPreference",
    "virtualmachineclusterpreferences",
  ),
  snapshot: inNamespace(
    "snapshot.kubevirt.io",
    "v1beta1",
    "VirtualMachineSnapshot",
    "virtualmachinesnapshots",
  ),
  snapshotContent: inNamespace(
    "snapshot.kubevirt.io",
    "v1beta1",
    "VirtualMachineSnapshotContent",
    "virtualmachinesnapshotcontents",
  ),
  restore: inNamespace(
    "snapshot.kubevirt.io",
    "v1beta1",
    "VirtualMachineRestore",
    "virtualmachinerestores",
  ),
  clone: inNamespace("clone.kubevirt.io", "v1beta1", "VirtualMachineClone", "virtualmachineclones"),
  pool: inNamespace("pool.kubevirt.io", "v1beta1", "VirtualMachinePool", "virtualmachinepools"),
  dataVolume: inNamespace("cdi.kubevirt.io", "v1beta1", "DataVolume", "datavolumes"),
  dataSource: inNamespace("cdi.kubevirt.io", "v1beta1", "DataSource", "datasources"),
  storageProfile: cluster("cdi.kubevirt.io", "v1beta1", "StorageProfile", "storageprofiles"),
  volumeSnapshotContent: cluster(
    "snapshot.storage.k8s.io",
    "v1",
    "VolumeSnapshotContent",
    "volumesnapshotcontents",
  ),
  volumeSnapshotClass: cluster(
    "snapshot.storage.k8s.io",
    "v1",
    "VolumeSnapshotClass",
    "volumesnapshotclasses",
  ),

  resourceFlavor: cluster("kueue.x-k8s.io", "v1beta2", "ResourceFlavor", "resourceflavors"),
  cohort: cluster("kueue.x-k8s.io", "v1beta2", "Cohort", "cohorts"),
  clusterQueue: cluster("kueue.x-k8s.io", "v1beta2", "ClusterQueue", "clusterqueues"),
  localQueue: inNamespace("kueue.x-k8s.io", "v1beta2", "LocalQueue", "localqueues"),
  workload: inNamespace("kueue.x-k8s.io", "v1beta2", "Workload", "workloads"),
  workloadPriorityClass: cluster(
    "kueue.x-k8s.io",
    "v1beta2",
    "WorkloadPriorityClass",
    "workloadpriorityclasses",
  ),

  /** What is done to a machine has an address of its own group; there are no objects at it. */
  machineAction: inNamespace("subresources.kubevirt.io", "v1", "VirtualMachine", "virtualmachines"),
  machineInstanceAction: inNamespace(
    "subresources.kubevirt.io",
    "v1",
    "VirtualMachineInstance",
    "virtualmachineinstances",
  ),
} as const satisfies Record<string, Kind>;

function cluster(group: string, version: string, kind: string, plural: string): Kind {
  return { group, version, kind, plural, namespaced: false };
}

function inNamespace(group: string, version: string, kind: string, plural: string): Kind {
  return { group, version, kind, plural, namespaced: true };
}
