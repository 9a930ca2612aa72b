/**
 * What a platform says of a machine that waits, or that runs: what it is and what to do about it; and of
 * itself, to its operator. The server's English sentence, and ours.
 */
import type { Said } from "#console/i18n/said.ts";

export const machines: Said = [
  // Why no node takes it.
  [
    "None of {nodes} nodes can take the machine: {*words}.",
    "{nodes} 个节点均无法承载该机器：{words}。",
  ],
  ["{nodes} have too little {*what} left", "{nodes} 个节点{what}不足"],
  ["huge pages of {size}", " {size} 大页"],
  ["of GPU {name}", " GPU {name} "],
  ["{nodes} run as many pods as they may", "{nodes} 个节点的 Pod 数已满"],
  ["{nodes} are not of the kind that it asks for", "{nodes} 个节点不是所需类型"],
  ["{nodes} are kept for others ({what})", "{nodes} 个节点留作他用（{what}）"],
  ["{nodes} take nothing new", "{nodes} 个节点不接受新工作"],
  ["{nodes} run what it must be apart from", "{nodes} 个节点上有须与之分开的机器"],
  ["{nodes} cannot reach its disk", "{nodes} 个节点访问不到其磁盘"],
  ["{nodes} have no free device of its class", "{nodes} 个节点没有该类空闲设备"],
  [
    "It starts once a node has such pages free: set more of them up on a node ({pages}), or wait for a machine to end.",
    "节点有空闲大页后即启动：可在节点上增设大页（{pages}），或等待其他机器结束。",
  ],
  [
    "It starts once a machine ends that holds it; add nodes to wait no longer.",
    "占用资源的机器结束后即启动；增加节点可免等待。",
  ],
  [
    "No node has the labels or the CPU model that it asks for: label one, or change its pool or flavor.",
    "没有节点具备所需标签或 CPU 型号：请给节点加标签，或更换资源池、规格。",
  ],
  [
    "Nodes are kept free or are in maintenance: put one back to use, or let the flavor tolerate the taint.",
    "节点被保留或在维护中：请恢复一个节点，或让规格容忍该污点。",
  ],
  [
    "Add a node, or let its flavor share nodes with others of its tenant.",
    "请增加节点，或允许该规格与同账户的机器同节点。",
  ],
  [
    "Its disk lies where none of its nodes is: use storage that all of them reach.",
    "磁盘所在位置没有可用节点：请使用所有节点都能访问的存储。",
  ],
  ["Look at the pod's events for more.", "详情请查看该 Pod 的事件。"],
  [
    "The machine waits for a disk that the storage has not made yet.",
    "机器在等待存储尚未创建好的磁盘。",
  ],
  [
    "If it stays so, look at the events of its PersistentVolumeClaim and at the storage's provisioner.",
    "若持续如此，请查看其 PersistentVolumeClaim 的事件和存储供应程序。",
  ],
  ["The scheduler cannot place the machine: {said}", "调度器无法安置该机器：{said}"],

  // What KubeVirt cannot make.
  [
    "GPU {name} is not among permittedHostDevices of KubeVirt's configuration.",
    "GPU {name} 不在 KubeVirt 配置的 permittedHostDevices 之中。",
  ],
  [
    "Permit it there, or correct the resource name in the site's configuration; the machine then starts by itself.",
    "请在该处许可，或更正站点配置中的资源名；随后机器会自行启动。",
  ],
  [
    "The namespace's quota {quota} has no room for the machine's pod: it asks for {*asked}.",
    "命名空间配额 {quota} 已容不下该机器的 Pod：需要 {asked}。",
  ],
  [
    "The namespace's quota {quota} has no room for the machine's disk: it asks for {*asked}.",
    "命名空间配额 {quota} 已容不下该机器的磁盘：需要 {asked}。",
  ],
  [
    "Raise that quota, or release something in the project; the disk is then made by itself.",
    "请提高该配额，或释放项目中的部分资源；随后磁盘会自行创建。",
  ],
  ["{used} are used of {limited}", "已用 {used}，上限 {limited}"],
  [
    "Raise that quota, or release something in the project; the machine then starts by itself.",
    "请提高该配额，或释放项目中的部分资源；随后机器会自行启动。",
  ],
  [
    "The cluster's admission policy {policy} denies the machine: {said}",
    "集群准入策略 {policy} 拒绝该机器：{said}",
  ],
  ["Change the machine's flavor, or the policy.", "请更换机器规格，或修改策略。"],
  ["There is no PriorityClass {name} in the cluster.", "集群中没有 PriorityClass {name}。"],
  ["Make it, or change the flavor's priority class.", "请创建它，或更换规格的优先级类别。"],
  ["The project may not copy the image.", "项目无权复制该镜像。"],
  [
    "The project may not copy the image of namespace {namespace}.",
    "项目无权复制命名空间 {namespace} 中的镜像。",
  ],
  [
    'Let the service account "default" of its namespace create datavolumes/source where the image is.',
    "请允许其命名空间的服务账户“default”在镜像所在处创建 datavolumes/source。",
  ],
  [
    "The image {name} that the machine's disk is to be copied from is not in the cluster.",
    "机器磁盘所要复制的镜像 {name} 不在集群中。",
  ],
  ["Import it, or correct the site's table of images.", "请导入该镜像，或更正站点的镜像表。"],
  [
    "The GPU could not be given the guest's memory: the pod may lock too little of it.",
    "无法将客户机内存交给 GPU：Pod 可锁定的内存过少。",
  ],
  [
    "Raise additionalGuestMemoryOverheadRatio in KubeVirt's configuration and start the machine again.",
    "请调高 KubeVirt 配置中的 additionalGuestMemoryOverheadRatio，然后重新启动机器。",
  ],
  [
    "The node has enough huge pages, but not on the NUMA nodes where the guest needs them.",
    "节点大页总量足够，但不在客户机所需的 NUMA 节点上。",
  ],
  [
    "Reserve pages on each NUMA node alike, or start the machine on another node.",
    "请在各 NUMA 节点均匀预留大页，或在其他节点启动。",
  ],
  [
    "The node gives out whole cores only, and the machine's CPUs with the emulator's are an odd number.",
    "节点只按整核分配，而机器与模拟器的 CPU 合计为奇数。",
  ],
  [
    "Turn on KubeVirt's AlignCPUs with its annotation, or do not isolate the emulator.",
    "请启用 KubeVirt 的 AlignCPUs 及其注解，或不隔离模拟器。",
  ],
  ["The machine's pod cannot be made: {said}", "无法创建机器的 Pod：{said}"],
  ["Mend what it says; the machine then starts by itself.", "请按其提示修复；随后机器会自行启动。"],
  ["KubeVirt cannot make the machine as asked: {said}", "KubeVirt 无法按要求创建机器：{said}"],
  ["Mend what it says; KubeVirt tries again by itself.", "请按其提示修复；KubeVirt 会自行重试。"],

  // Its disks and its pod.
  [
    "Disk {name} was begun {count} times and never finished: {said}",
    "磁盘 {name} 已开始制作 {count} 次，均未完成：{said}",
  ],
  [
    "Check that the image's address answers from within the cluster, that it is of a kind that CDI reads, and that the disk is large enough for it.",
    "请确认镜像地址在集群内可访问、格式为 CDI 所支持，且磁盘足够大。",
  ],
  ["CDI gives no reason; the log of its pod has it", "CDI 未说明原因，见其 Pod 的日志"],
  [
    "Disk {name} needs room beside it in which its image is unpacked, and is given none.",
    "磁盘 {name} 需要额外空间来解包镜像，但没有得到。",
  ],
  [
    "Look at the events of its claim (kubectl describe pvc): most often a quota of the namespace has no room for it, or scratchSpaceStorageClass of CDI's configuration is not there.",
    "请查看其卷声明的事件（kubectl describe pvc）：多为命名空间配额不足，或 CDI 配置的 scratchSpaceStorageClass 不存在。",
  ],
  ["The pod that fills disk {name} finds no node.", "写入磁盘 {name} 的 Pod 找不到节点。"],
  [
    "Look at its events: most often nodes that its storage reaches are full or tainted (podResourceRequirements and workload of CDI's configuration).",
    "请查看其事件：多为存储可达的节点已满或带有污点（见 CDI 配置的 podResourceRequirements 与 workload）。",
  ],
  [
    "Disk {name} was to be copied from its image, and CDI does not begin.",
    "磁盘 {name} 应由镜像复制而来，但 CDI 一直没有开始。",
  ],
  [
    "Look at the events of its claim (kubectl describe pvc): most often it is smaller than the claim that it is to be copied from (minDiskGib of the image in the site's settings).",
    "请查看其卷声明的事件（kubectl describe pvc）：多为小于所要复制的卷（见站点设置中该镜像的 minDiskGib）。",
  ],
  [
    "Disk {name} is made on the node that the machine comes to.",
    "磁盘 {name} 将在机器所到的节点上创建。",
  ],
  ["It goes on when the machine's pod has a node.", "机器的 Pod 有了节点即继续。"],
  ["The storage has not made disk {name} yet.", "存储尚未创建磁盘 {name}。"],
  ["The storage has not made disk {name} yet: {said}.", "存储尚未创建磁盘 {name}：{said}。"],
  [
    "If it stays so, look at the storage class and its provisioner.",
    "若持续如此，请查看存储类及其供应程序。",
  ],
  ["Disk {name} is being made from its image{percent}.", "正在由镜像制作磁盘 {name}{percent}。"],
  ["The machine starts when it is done.", "完成后机器即启动。"],
  [
    "The node cannot fetch what the machine's pod is made of ({name}): {said}",
    "节点无法拉取机器 Pod 所需的镜像（{name}）：{said}",
  ],
  [
    "Check the image's name, the registry, and the node's way to it; it is tried again by itself.",
    "请检查镜像名、镜像仓库以及节点到仓库的网络；会自行重试。",
  ],
  [
    "The machine's pod lacks something of its namespace: {said}",
    "机器的 Pod 缺少其命名空间中的对象：{said}",
  ],
  ["Put it back; the pod goes on by itself.", "请恢复该对象；Pod 会自行继续。"],
  [
    "The machine's pod used more memory than it may, and was killed by its node.",
    "机器的 Pod 内存超限，已被节点终止。",
  ],
  [
    "Raise additionalGuestMemoryOverheadRatio in KubeVirt's configuration; it is started again by itself.",
    "请调高 KubeVirt 配置中的 additionalGuestMemoryOverheadRatio；机器会自行重启。",
  ],

  // How it ended, and where it was.
  ["The machine ended without being told to.", "机器未收到指令便结束了。"],
  ["The machine ended without being told to: {said}.", "机器未收到指令便结束了：{said}。"],
  ["It is started again by itself.", "会自行重新启动。"],
  ["The machine ended as soon as it was started.", "机器一启动便结束。"],
  [
    "The machine ended {count} times one after the other as soon as it was started.",
    "机器连续 {count} 次一启动便结束。",
  ],
  [
    "Look at its serial console: its disk or what it starts with is broken. It is tried again later by itself.",
    "请查看串口控制台：磁盘或启动内容已损坏。稍后会自行重试。",
  ],
  [
    "Nothing is heard of {node}, where the machine ran: whether it still runs is not known.",
    "机器所在节点 {node} 失去联系：是否仍在运行不得而知。",
  ],
  [
    "Bring {node} back, or make sure that it is off and take it out of service: only then can the machine start elsewhere without running twice.",
    "请恢复 {node}，或确认其已关机并停用：之后机器才能在别处启动而不重复运行。",
  ],
  [
    "The machine was told to end {minutes} minutes ago and has not{*where}.",
    "机器在 {minutes} 分钟前被要求结束，至今未结束{where}。",
  ],
  ["it is on {node}", "位于 {node}"],
  [
    "Look at what holds it: its finalizers, and KubeVirt's controller.",
    "请查看是什么在阻止它：其 finalizer 以及 KubeVirt 的控制器。",
  ],
  [
    "If {node} does not answer, make sure that it is off, and take it out of service (taint node.kubernetes.io/out-of-service).",
    "若 {node} 无响应，请确认其已关机，并停用（污点 node.kubernetes.io/out-of-service）。",
  ],

  // What to know while it runs.
  [
    "A change of the machine is stored and takes effect when it is started again.",
    "机器的变更已保存，重新启动后生效。",
  ],
  [
    "Stop it and start it again when it suits you: a reboot is not enough.",
    "请在方便时停止后重新启动；仅重启系统不会生效。",
  ],
  [
    "Its new size, the price of that, and what else was changed take effect when it is started again; until then it is billed as before.",
    "新配置及其价格和其他变更将在下次启动时生效；在此之前按现有配置计费。",
  ],
  [
    "Its host {host} is being emptied for maintenance. It runs on, and cannot move while it runs.",
    "所在主机 {host} 正在为维护而清空。目前仍在运行，但无法在运行中迁移。",
  ],
  [
    "Stop it and start it again when it suits you, and it comes up on another host with its disk.",
    "请在方便时停止后重新启动，它将带着磁盘在其他主机上启动。",
  ],
  [
    "Its host {host} is being taken out of service for maintenance. It runs on, and is not moved: its disk is there.",
    "所在主机 {host} 即将停机维护。目前仍在运行，因磁盘在该主机上而不会迁移。",
  ],
  [
    "Save what matters, and stop it when it suits you; the operator tells you when the host goes down.",
    "请备份重要数据，并在方便时停止；停机时间由运营方另行通知。",
  ],
  ["A snapshot of the machine is being taken.", "正在为机器创建快照。"],
  ["Its writes may wait for a moment.", "写入可能短暂等待。"],
  ["The agent in the guest has not answered.", "客户机内的代理没有响应。"],
  [
    "Wait until it has booted; if it stays so, install and start qemu-guest-agent in it.",
    "请等待其启动完成；若持续如此，请在其中安装并启动 qemu-guest-agent。",
  ],
  [
    "The machine could not be moved{why}. It runs on where it was.",
    "机器迁移失败{why}。仍在原处运行。",
  ],
  [
    "Look at the network between the nodes and at room on the other one, and move it again.",
    "请检查节点间网络与目标节点余量，然后重新迁移。",
  ],
  ["The machine moves while it runs.", "机器正在不停机迁移。"],
  ["The machine moves to {node} while it runs.", "机器正在不停机迁移到 {node}。"],
  ["It may stand still for a moment at the end.", "最后可能短暂停顿。"],
  ["A machine with a GPU cannot move while it runs.", "带 GPU 的机器不能不停机迁移。"],
  [
    "The lease {name} cannot move while it runs: {*because}.",
    "租用 {name} 运行时无法迁移：{because}。",
  ],
  [
    "Stop it and start it again: it can come up on another host.",
    "请停止后重新启动：它可以在其他主机上启动。",
  ],
  ["Stop it, and start it when its host is back.", "请先停止，待主机恢复后再启动。"],
  ["a GPU is not handed over while its machine runs", "GPU 无法在机器运行时移交"],
  ["its platform says nothing of it", "所在平台未说明"],
  ["its platform cannot", "所在平台不支持"],
  ["The machine cannot move while it runs: {said}.", "机器不能不停机迁移：{said}。"],
  [
    "When its node is maintained, you are told: stop and start it when it suits you, and it comes up on another node.",
    "节点维护时会通知您：请在方便时停止并重新启动，机器会在其他节点启动。",
  ],
  [
    "For disks, use storage that several nodes may open at once (ReadWriteMany).",
    "磁盘请使用可供多个节点同时打开的存储（ReadWriteMany）。",
  ],
  ["Node {node}, where the machine runs, is to be emptied.", "机器所在节点 {node} 即将清空。"],
  ["It moves to another node while it runs.", "会不停机迁移到其他节点。"],
  [
    "It cannot move while it runs: stop and start it when it suits you, and it comes up on another node.",
    "它不能不停机迁移：请在方便时停止并重新启动，机器会在其他节点启动。",
  ],

  // What the platform itself lacks.
  ["The site {site} cannot be used: {why}", "站点 {site} 无法使用：{why}"],
  ["The cluster has no {group}: {*without}.", "集群没有 {group}：{without}。"],
  [
    "The cluster speaks {group} in {versions}, and {version} is needed: {*without}.",
    "集群的 {group} 版本为 {versions}，需要 {version}：{without}。",
  ],
  ["no machine can run here", "无法运行机器"],
  ["snapshots cannot be taken", "无法创建快照"],
  ["a snapshot would hold no disk", "快照不会包含磁盘"],
  ["so none is taken", "因此不创建"],
  ["machines cannot be cloned", "无法克隆机器"],
  ["pools of machines cannot be made", "无法创建机器池"],
  ["flavors are not published as instance types", "规格不会发布为实例类型"],
  ["machines made past us are not denied", "绕过本平台创建的机器不会被拒绝"],
  ["GPUs cannot be claimed (DRA)", "无法申领 GPU（DRA）"],
  ["Install {what}.", "请安装 {what}。"],
  ["Bring {what} to a version that serves {version}.", "请将 {what} 升级到提供 {version} 的版本。"],
  [
    "KubeVirt {version} is older than 1.9, with which what is written there was compared: sizes and rules may differ.",
    "KubeVirt {version} 早于核对所用的 1.9：尺寸与规则可能不同。",
  ],
  ["Bring KubeVirt to 1.9 or later.", "请将 KubeVirt 升级到 1.9 或更高版本。"],
  [
    "KubeVirt's feature gate {gate} is off: {*without}.",
    "KubeVirt 的特性开关 {gate} 已关闭：{without}。",
  ],
  [
    "Take it out of disabledFeatureGates in KubeVirt's configuration.",
    "请从 KubeVirt 配置的 disabledFeatureGates 中移除。",
  ],
  [
    "Storage class {name} of the site's settings is not in the cluster: no disk can be made on it.",
    "站点设置中的存储类 {name} 不在集群中：无法在其上创建磁盘。",
  ],
  ["Make it, or correct the site's settings.", "请创建它，或更正站点设置。"],
  [
    "Storage class {name} lets no disk grow: larger disks of leases on it are refused.",
    "存储类 {name} 不允许磁盘扩容：对其上租用的磁盘扩容将被拒绝。",
  ],
  [
    "If its driver can, set allowVolumeExpansion: true on it; disks that are there grow then too.",
    "若其驱动支持，请在存储类上设置 allowVolumeExpansion: true；已有磁盘随之也可扩容。",
  ],
  [
    "Storage class {name} has no VolumeSnapshotClass: snapshots of machines on it are refused.",
    "存储类 {name} 没有 VolumeSnapshotClass：其上机器的快照会被拒绝。",
  ],
  ["Make a VolumeSnapshotClass for its provisioner.", "请为其供应程序创建 VolumeSnapshotClass。"],
  [
    "Only one node may open a disk of storage class {name} at a time: machines on it cannot move while they run.",
    "存储类 {name} 的磁盘同一时间只能由一个节点打开：其上机器不能不停机迁移。",
  ],
  [
    "For machines that move, use storage with ReadWriteMany in Block mode.",
    "需要迁移的机器请使用 Block 模式的 ReadWriteMany 存储。",
  ],
  [
    "GPU {resource} is in the site's settings and not among permittedHostDevices: no machine gets it.",
    "站点设置中的 GPU {resource} 不在 permittedHostDevices 之中：没有机器能得到它。",
  ],
  [
    "Permit it in KubeVirt's configuration, or take it out of the settings.",
    "请在 KubeVirt 配置中许可，或从设置中移除。",
  ],
  [
    "No node offers GPU {resource} of the site's settings.",
    "没有节点提供站点设置中的 GPU {resource}。",
  ],
  [
    "Look at the device plug-in on the nodes, or correct the resource name.",
    "请检查节点上的设备插件，或更正资源名。",
  ],
  [
    "GPU {resource} of the site's settings is claimed (DRA), and hosts do not show such devices yet: no lease is placed on one.",
    "站点设置中的 GPU {resource} 按声明（DRA）分配，而主机尚不显示此类设备：不会有租用放到上面。",
  ],
  [
    "Offer it by a device plug-in, and take `deviceClass` out of the settings.",
    "请改由设备插件提供，并从设置中移除 `deviceClass`。",
  ],
  [
    "The site's settings name no image: no machine can be made there.",
    "站点设置没有任何镜像：无法创建机器。",
  ],
  ["Name at least one under `images`.", "请在 `images` 下至少填写一个。"],
  [
    "Of {nodes} nodes of the cluster none takes machines now.",
    "集群的 {nodes} 个节点目前都不接受机器。",
  ],
  [
    "Look whether they are ready, whether KubeVirt calls them schedulable, and at `nodes` in the site's settings.",
    "请检查其是否就绪、KubeVirt 是否标记为可调度，以及站点设置中的 `nodes`。",
  ],
  [
    "Kueue is not installed: machines work, and jobs are refused.{other}",
    "未安装 Kueue：机器可用，作业会被拒绝。{other}",
  ],
  [
    "Kueue serves {versions}, and jobs need {version}: it is older than we speak.",
    "Kueue 提供 {versions}，作业需要 {version}：版本过旧。",
  ],
  [
    "Volcano is not installed, or older than we speak ({list} is missing): jobs are refused.{other}",
    "未安装 Volcano，或版本过旧（缺少 {list}）：作业会被拒绝。{other}",
  ],
  [
    "A flavor shares cards by HAMi, which Volcano places, and this site's jobs go through Kueue.",
    "有规格通过 HAMi 共享显卡，须由 Volcano 调度，而该站点的作业走 Kueue。",
  ],
  [
    "Set the site's batch queue to volcano, or hand these cards out whole or by MIG.",
    "请将站点的批处理队列设为 volcano，或整卡、按 MIG 分配。",
  ],
  ["Bring Kueue to 0.19 or later.", "请将 Kueue 升级到 0.19 或更高版本。"],
  ["Install Kueue 0.19 or later{other}.", "请安装 Kueue 0.19 或更高版本{other}。"],
  ["Install Volcano 1.15 or later{other}.", "请安装 Volcano 1.15 或更高版本{other}。"],
  // Of an image of which the cluster's file says nothing else.
  ["{image}, on a cluster", "{image}（集群镜像）"],
];
