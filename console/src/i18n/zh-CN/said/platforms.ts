/** What a platform cannot do and why, and how it runs machines. The server's sentence, and ours. */
import type { Said } from "#console/i18n/said.ts";

export const platforms: Said = [
  [
    "A snapshot of {name} cannot hold its memory: {*because}. Take one of the disk alone.",
    "{name} 的快照无法包含内存：{because}。请只做磁盘快照。",
  ],
  [
    "machines of the local provider are reached by SSH alone, through a port of this machine",
    "本机平台的虚拟机只能通过本机的一个端口以 SSH 访问",
  ],
  // A cluster.
  [
    "KubeVirt {version} runs machines with KVM: each one's pod asks its node for /dev/kvm and starts nowhere else.",
    "KubeVirt {version} 以 KVM 运行虚拟机：每台虚拟机的 Pod 都向节点申请 /dev/kvm，否则不会启动。",
  ],
  [
    "KubeVirt {version} is told to emulate (useEmulation): the pods of machines ask for no /dev/kvm.",
    "KubeVirt {version} 已设为软件模拟（useEmulation）：虚拟机的 Pod 不申请 /dev/kvm。",
  ],
  ["KubeVirt's snapshots hold disks, not memory", "KubeVirt 的快照只保存磁盘，不保存内存"],
  [
    "which NUMA node is the kubelet's choice (Topology Manager), not the control plane's",
    "使用哪个 NUMA 节点由 kubelet（Topology Manager）决定，不由本平台决定",
  ],
  [
    "the kubelet hands out no dedicated CPUs, or KubeVirt does not say so (cpuManagerPolicy: static on the kubelet, feature gate CPUManager in KubeVirt)",
    "kubelet 未分配独占 CPU，或 KubeVirt 没有标明（需 kubelet 的 cpuManagerPolicy: static 与 KubeVirt 的特性 CPUManager）",
  ],
  [
    "storage class {classes} lets no disk grow (allowVolumeExpansion)",
    "存储类 {classes} 不允许磁盘扩容（allowVolumeExpansion）",
  ],
  [
    "The disk of this lease cannot grow: {*because}. Keep its {size} GiB, or rent another one with a larger disk and move.",
    "该租用的磁盘无法扩容：{because}。请保持 {size} GiB，或另租一台更大磁盘的实例并迁移数据。",
  ],
  [
    "{flavor} comes with a disk of {size} GiB, and the {has} GiB of {name} cannot grow: {*because}. Order another one as {same} and move.",
    "{flavor} 附带 {size} GiB 磁盘，而 {name} 的 {has} GiB 无法扩容：{because}。请另行订购一台 {same} 并迁移数据。",
  ],
  [
    "there is no VolumeSnapshotClass for the storage: a snapshot would hold no disk",
    "该存储没有 VolumeSnapshotClass：快照将不含磁盘",
  ],
  [
    "a GPU is added or taken at the next start only (KubeVirt says RestartRequired)",
    "GPU 的增减只在下次启动时生效（KubeVirt 的 RestartRequired）",
  ],
  [
    "KubeVirt is not set up for it (LiveUpdate with the method LiveMigrate)",
    "KubeVirt 未开启此功能（需 LiveUpdate 及 LiveMigrate 方式）",
  ],
  [
    "CPUs change at the next start; only further sockets of core machines are plugged while they run",
    "CPU 在下次启动时变更；只有核心虚拟机能在运行中增加插槽",
  ],
  ["a machine boots in a pod of its own", "每台虚拟机都在自己的 Pod 中启动"],
  ["the site's settings forbid it", "站点设置不允许"],
  ["jobs are pods of the cluster, not machines", "作业以集群的 Pod 运行，不用虚拟机"],
  [
    "the site's settings have no part `jobs`, or the program has no place for logs and results",
    "站点设置中没有 `jobs` 部分，或程序没有存放日志和结果的位置",
  ],
  ["no GPU is both named in the settings and permitted", "没有既在设置中列出、又被集群允许的 GPU"],
  ["memory is plugged in by a move: {*because}", "内存要靠迁移接入：{because}"],
  ["there is no second node", "没有第二个节点"],
  [
    "only one node may open a disk of this storage at a time (it has no ReadWriteMany)",
    "该存储的磁盘同时只能由一个节点打开（不支持 ReadWriteMany）",
  ],
  [
    "nobody said that any node may open a disk of this storage (disksFollow in the site's settings)",
    "未说明任意节点都可打开该存储的磁盘（站点设置中的 disksFollow）",
  ],

  // What a node starts none of.
  ["KubeVirt's agent (virt-handler) does not run there", "其上没有 KubeVirt 代理（virt-handler）"],
  [
    "it has no /dev/kvm, and KubeVirt does not emulate there",
    "没有 /dev/kvm，而 KubeVirt 未开启软件模拟",
  ],
  [
    "it does not offer the CPU model {model} of the site's settings",
    "不提供站点设置中的 CPU 型号 {model}",
  ],
  ["it does not offer the machine type {type}", "不提供机器类型 {type}"],
  [
    "its processors are {has}, and machines are made for {wanted}",
    "处理器架构为 {has}，虚拟机按 {wanted} 创建",
  ],
  [
    "it does not have the label {label} that such machines ask for",
    "缺少此类虚拟机要求的标签 {label}",
  ],
  [
    "its taint {taint} is not among the tolerations of the class in the site's settings",
    "其污点 {taint} 不在站点设置中该等级的容忍列表里",
  ],
  ["its site runs no hosted jobs", "所在站点不运行托管作业"],
  [
    "No node of the cluster starts machines of class {class}: {*because}.",
    "集群没有节点可启动 {class} 级虚拟机：{because}。",
  ],
  [
    "Set nodes up for it, or sell nothing of class {class} there.",
    "请为此配置节点，或不在该站点出售 {class} 级虚拟机。",
  ],
  [
    "GPUs of {nodes} go to no machine of class core: {*because}.",
    "{nodes} 的 GPU 无法用于 core 级虚拟机：{because}。",
  ],
  [
    "Set the nodes up for it; flavors with GPUs are of class core unless you made others.",
    "请为此配置节点；带 GPU 的规格默认为 core 级。",
  ],

  // Hosts that do not exist.
  ["the disk of a simulated machine is on its host", "模拟机器的磁盘在其主机上"],
  ["this site has one host: there is nowhere to move to", "该站点只有一台主机，无处可迁"],

  // This machine.
  ["this site is one machine", "该站点只有一台机器"],
  ["this site is one machine: there is nowhere to move to", "该站点只有一台机器，无处可迁"],
  [
    "a snapshot lies inside the disk of its machine, which only that machine's QEMU may read as long as it is there",
    "快照保存在虚拟机自己的磁盘内，虚拟机存在期间只有它的 QEMU 可以读取",
  ],
];
