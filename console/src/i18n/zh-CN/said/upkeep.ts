/** What is told to the operator of a cluster's state, and of whose it is. The server's sentence, and ours. */
import type { Said } from "#console/i18n/said.ts";

export const upkeep: Said = [
  [
    "The name {name} is used on this cluster by another installation of Millrace ({by}): this one does nothing here.",
    "此集群上名字 {name} 已被另一套 Millrace（{by}）使用：本套安装在此不做任何操作。",
  ],
  [
    "Give one of the two another controlPlane in its settings.",
    "请在其中一套的设置里改用另一个 controlPlane。",
  ],
  [
    "If the other is gone for good: kubectl annotate namespace {command}",
    "若另一套已不再使用：kubectl annotate namespace {command}",
  ],
  [
    "What stands in projects' namespaces cannot be looked at ({kind}): {said}",
    "无法查看项目命名空间中的对象（{kind}）：{said}",
  ],
  [
    "It is tried again by itself. If it is forbidden, give Millrace's account the chart's rights.",
    "会自动重试。若被禁止，请给 Millrace 的账号 chart 所列的权限。",
  ],
  [
    "What somebody changed in namespace {namespace} cannot be put right: {said}",
    "命名空间 {namespace} 中被修改的内容无法恢复：{said}",
  ],
  [
    "It is tried again every minute. Machines that are there go on.",
    "每分钟重试一次。其中的虚拟机继续运行。",
  ],
  [
    "Until then nothing is made or changed in it; what runs there goes on.",
    "在此之前不在其中新建或修改任何内容；正在运行的继续运行。",
  ],
  [
    "Namespace {name} is there already, and nothing says that it is ours: it is left alone. Delete it or label it, if it is.",
    "命名空间 {name} 已存在，且没有标明属于本系统：不予处理。若属于本系统，请删除它或补上标签。",
  ],
  [
    "Namespace {name} belongs to control plane {plane}: two of them must not manage one project.",
    "命名空间 {name} 属于控制面 {plane}：一个项目不能由两个控制面管理。",
  ],
  [
    "Namespace {name} is labeled as another tenant's or project's: somebody has edited it. Put its labels right.",
    "命名空间 {name} 的标签属于别的租户或项目：有人改动过。请改正其标签。",
  ],
  [
    "Namespace {name} is being deleted: wait until it is gone, then it is made anew.",
    "命名空间 {name} 正在删除：待其消失后会重新创建。",
  ],
  [
    "Somebody changes again and again what Millrace keeps in the cluster: {objects}.",
    "有人反复修改 Millrace 在集群中维持的对象：{objects}。",
  ],
  [
    "Find out who (kubectl get … --show-managed-fields) and keep that program out of namespaces labeled millrace.dev/control-plane.",
    "查明是谁（kubectl get … --show-managed-fields），并让该程序不要碰带 millrace.dev/control-plane 标签的命名空间。",
  ],
  [
    "Machines that are not Millrace's own stand in its namespaces or bear its labels ({count}): {names}. Nobody pays for them, and they take room that is sold.",
    "有 {count} 台虚拟机不是 Millrace 建的，却在它的命名空间里或带有它的标签：{names}。无人为其付费，而它们占用待售的资源。",
  ],
  [
    "Remove them or their pool with kubectl, and rent them in Millrace. It never touches them; where its admission policies stand, the cluster refuses those without labels.",
    "请用 kubectl 移走它们或其池，改在 Millrace 里租用。Millrace 从不动它们；准入策略在时，集群会拒绝没有标签的。",
  ],
  [
    "The cluster has no ValidatingAdmissionPolicy ({kind}).",
    "集群没有 ValidatingAdmissionPolicy（{kind}）。",
  ],
  [
    "Machines that are made past Millrace, with kubectl, are not refused by the cluster itself.",
    "绕过 Millrace、用 kubectl 创建的虚拟机，集群自身不会拒绝。",
  ],
  [
    "Kubernetes has it since 1.30; until then keep write access to machines to Millrace alone.",
    "Kubernetes 自 1.30 起提供；在此之前请只让 Millrace 拥有虚拟机的写权限。",
  ],
  [
    "Millrace cannot keep its admission policies in the cluster: {said}",
    "Millrace 无法在集群中维持其准入策略：{said}",
  ],
  [
    "Give its account get, list, watch, create, patch and delete of them, as the chart's ClusterRole does, or apply them yourself (deploy/kubevirt/policies.yaml).",
    "请按 chart 的 ClusterRole 给其账号 get、list、watch、create、patch、delete 权限，或自行应用（deploy/kubevirt/policies.yaml）。",
  ],
  [
    "Namespace {name}, which the settings name for images, is not there: machines cannot be made from them.",
    "设置中用于镜像的命名空间 {name} 不存在：无法由其中的镜像创建虚拟机。",
  ],
  [
    "Create the namespace and the images in it, or correct `images` in the site's settings.",
    "请创建该命名空间及其中的镜像，或更正站点设置里的 `images`。",
  ],
  ["Millrace cannot keep Role {role}: {said}", "Millrace 无法维持 Role {role}：{said}"],
  ["Machines cannot be made from images there.", "无法由那里的镜像创建虚拟机。"],
  [
    "Kubernetes lets nobody hand out more than he has: give Millrace's account create on datavolumes/source and get on datasources of cdi.kubevirt.io, as the chart's ClusterRole does.",
    "Kubernetes 不允许转授自己没有的权限：请按 chart 的 ClusterRole 给 Millrace 的账号 cdi.kubevirt.io 的 datavolumes/source 的 create 和 datasources 的 get。",
  ],
];
