/** What a cluster refuses, and how what ran on it ended. The server's sentence, and ours. */
import type { Said } from "#console/i18n/said.ts";

export const refusals: Said = [
  // Of a machine that is there.
  ["machine {machine} does not run", "机器 {machine} 未在运行"],
  [
    "The machine does not run: it has no console now. Start it first.",
    "机器未在运行，没有控制台。请先启动。",
  ],
  [
    "The stop before this start is not over yet on the cluster.",
    "启动之前的停止在集群上尚未完成。",
  ],
  ["Ask again in a moment.", "请稍后再试。"],
  ["the caller gave up", "调用方已放弃"],
  ["the API server answered {code}", "API 服务器应答 {code}"],
  ["the watch ended with an error that says nothing", "监视因未说明的错误而中断"],
  ["the cluster has no machine {machine} of ours", "集群中没有本平台的机器 {machine}"],
  ["machine {machine} belongs to somebody else", "机器 {machine} 属于他人"],
  [
    "machine {machine} was deleted; an id is not used twice",
    "机器 {machine} 已删除；标识不会重复使用",
  ],
  ["the spec names another owner", "规格中的所有者不符"],
  ["snapshot {snapshot} belongs to somebody else", "快照 {snapshot} 属于他人"],
  ["there is no snapshot {snapshot}", "没有快照 {snapshot}"],
  ["there is no snapshot {snapshot} that was kept", "没有保留的快照 {snapshot}"],
  ["the machine has no disk that could grow", "该机器没有可扩容的磁盘"],
  ["the machine's disk is not there yet; ask again later", "机器的磁盘尚未就绪，请稍后再试"],
  ["the cluster has no node {node} that is offered", "集群中没有可用的节点 {node}"],
  ["CPUs of its own are of the class core here", "此处独占 CPU 属于 core 业务等级"],
  [
    "node {node} offers no {resource} (asked for as {device})",
    "节点 {node} 没有 {resource}（申请的是 {device}）",
  ],
  [
    "node {node} has {left} of {all} {resource} left; {count} are asked for",
    "节点 {node} 上 {resource} 剩余 {left}/{all}，申请 {count}",
  ],
  ["this machine runs no job", "该机器上没有作业"],
  ["this machine runs no job that could be interrupted", "该机器上没有可中断的作业"],

  // Before a machine is made.
  [
    "{count} CPUs would be sold for each 100 that are there; it may be 100 to {most}.",
    "每 100 个 CPU 将售出 {count} 个；允许 100 至 {most}。",
  ],
  ["Change the flavor.", "请更改规格。"],
  [
    "{user} cannot be the name of a login: up to 32 small letters, digits, dashes and underscores.",
    "{user} 不能作为登录名：最多 32 个小写字母、数字、短横线和下划线。",
  ],
  ["Change the image's.", "请更改镜像的登录名。"],
  [
    "Two GPUs of the machine are called {gpu}: its pod would hold both and the guest see one.",
    "机器有两块 GPU 同名 {gpu}：Pod 会占用两块，而客户机只能看到一块。",
  ],
  ["Give each a name of its own.", "请分别命名。"],
  [
    "A machine with a GPU cannot move while it runs, and with eviction strategy LiveMigrate its node could never be drained.",
    "带 GPU 的机器运行时无法迁移；驱逐策略为 LiveMigrate 时，其节点永远无法腾空。",
  ],
  [
    "Use External, so that its customer is told and it is stopped.",
    "请使用 External，以便通知客户并停止机器。",
  ],
  [
    "{gpu} stands among the machine's resources: its pod would hold that GPU, and the guest not have it.",
    "{gpu} 写在了机器的资源中：Pod 会占用该 GPU，客户机却得不到。",
  ],
  ["Name it under devices.gpus.", "请写在 devices.gpus 中。"],
  [
    "GPU {gpu} is not among permittedHostDevices of KubeVirt's configuration, so the machine would stay pending.",
    "GPU {gpu} 不在 KubeVirt 配置的 permittedHostDevices 中，机器会一直等待。",
  ],
  ["Permit it there, or use: {*permitted}.", "请在其中允许，或使用：{permitted}。"],
  [
    "A machine cannot have {count} {what}: it has a whole number of them, at least one.",
    "机器不能有 {count} {what}：须为整数，至少一个。",
  ],
  ["No node offers the CPU model {model}.", "没有节点提供 CPU 型号 {model}。"],
  ["Offered are: {*models}.", "可用的有：{models}。"],
  [
    "The machine says nowhere how much memory it has: it would be accepted, and never start.",
    "未说明机器的内存：会被接受，但永远无法启动。",
  ],
  ["Give it memory.guest.", "请填写 memory.guest。"],
  [
    "The guest has {memory} of memory and its pod may use {limit}: it would run, and be killed once it uses what it was sold.",
    "客户机内存为 {memory}，而 Pod 只能使用 {limit}：可以运行，但用满所购内存时会被终止。",
  ],
  ["Raise the limit, or leave it out.", "请提高该上限，或不设上限。"],
  [
    "There is no PriorityClass {name} in the cluster, so the machine's pod would never be made.",
    "集群中没有 PriorityClass {name}，机器的 Pod 将无法创建。",
  ],
  ["Make it, or take one of: {*known}.", "请创建，或改用：{known}。"],
  [
    "There is no StorageClass {name} here, so disk {disk} would never be made.",
    "此处没有 StorageClass {name}，磁盘 {disk} 将无法创建。",
  ],
  ["There are: {*known}.", "可用的有：{known}。"],
  [
    "Namespace {namespace} may not clone images of {of}, so the machine would stay stopped.",
    "命名空间 {namespace} 不得克隆 {of} 的镜像，机器会一直停止。",
  ],
  [
    'Let its service account "default" create datavolumes/source there.',
    "请允许其服务账号 default 在那里创建 datavolumes/source。",
  ],
  [
    "The namespace's quota has no room for the machine's pod ({*lacking}): it would be accepted, and wait for ever.",
    "命名空间的配额放不下机器的 Pod（{lacking}）：会被接受，但一直等待。",
  ],
  [
    "Raise the quota of {namespace}, or release something in it.",
    "请提高 {namespace} 的配额，或释放其中部分资源。",
  ],

  // How a machine's run ended.
  [
    "KubeVirt started it anew; how the run before it ended was not seen",
    "KubeVirt 已重新启动；上一次运行如何结束未被看到",
  ],
  ["the guest switched itself off", "客户机自行关机"],
  [
    "its run was ended in the cluster, not by Millrace",
    "其运行在集群中被结束，并非由 Millrace 发起",
  ],
  ["it was switched off in the cluster, not by Millrace", "在集群中被关机，并非由 Millrace 发起"],
  [
    "while nobody watched, the guest switched itself off or its run was ended in the cluster",
    "无人监视期间，客户机自行关机，或其运行在集群中被结束",
  ],

  // Jobs.
  ["Let the queue go on.", "请恢复该队列。"],
  [
    "It was ended because member {rank} of the job had ended.",
    "因作业的成员 {rank} 已结束而被终止。",
  ],
  ["Look at that member.", "请查看该成员。"],
  [
    "Nobody but the control plane should delete pods of jobs.",
    "除控制面外，任何人都不应删除作业的 Pod。",
  ],
  ["The program ended with exit code {code}.", "程序以退出码 {code} 结束。"],
  ["Its log says why.", "原因见日志。"],
  ["It used more memory than its flavor has, and was killed.", "内存用量超过规格，已被终止。"],
  [
    "Take a flavor with more memory; /dev/shm counts too.",
    "请选择内存更大的规格；/dev/shm 也计入内存。",
  ],
  ["Take a flavor with a larger disk, or write less.", "请选择磁盘更大的规格，或减少写入。"],
  ["None, if a drain was meant.", "若本就要腾空节点，则无需处理。"],
  [
    "A job has 1 to {most} members, and this one asks for {count}.",
    "作业可有 1 至 {most} 个成员，此作业要求 {count} 个。",
  ],
  [
    "A time limit of {seconds} s cannot be kept by the cluster.",
    "集群无法保证 {seconds} 秒的时限。",
  ],
  ["No queue here is for {*what}.", "此处没有适用于 {what} 的队列。"],
  [
    "Jobs have priorities up to {most}, and machines begin at {least}: a job could push a machine out.",
    "作业优先级最高为 {most}，机器从 {least} 起：作业可能挤掉机器。",
  ],
  ["Raise the machines' PriorityClass.", "请提高机器的 PriorityClass。"],
  ["Where a job's pod runs is the cluster's choice here.", "作业的 Pod 在何处运行由集群决定。"],
  ["This site starts no jobs for now: {reason}.", "该站点暂不启动作业：{reason}。"],
  ["It is tried again.", "将重试。"],
  ["the workload has not ended yet", "工作负载尚未结束"],
  ["the job left no results, or they did not come home", "作业没有留下结果，或结果未能传回"],
  ["Its queue in Volcano is not open.", "其在 Volcano 中的队列未开放。"],
  ["It is tried again; open the queue if it stays so.", "将重试；若持续如此，请开放该队列。"],
  ["There is no workload to run.", "没有可运行的工作负载。"],
  [
    "The members of a job are all alike here, each with GPUs of one kind.",
    "此处作业的各成员必须相同，且各自只用一种 GPU。",
  ],
  [
    "It is tried again every minute. Jobs that run go on.",
    "每分钟重试一次。运行中的作业不受影响。",
  ],
  ["its program ended", "其程序已结束"],
  ["Mend what it says and ask for it again.", "请按提示修正后重试。"],

  // Of the cluster as a whole.
  ["Nothing is known of the cluster since {since}.", "自 {since} 起没有集群的消息。"],
  ["Its watch says nothing.", "其监视没有任何消息。"],
  ["It is tried again by itself.", "将自动重试。"],
  ["The cluster's {kind} could not be looked at yet", "集群的 {kind} 尚无法查看"],
  [
    "The cluster's {kind} could not be looked at yet: {reason}",
    "集群的 {kind} 尚无法查看：{reason}",
  ],
  ["It is not known yet whose the cluster is", "尚不清楚该集群属于谁"],
  ["It is not known yet whose the cluster is: {reason}", "尚不清楚该集群属于谁：{reason}"],
  [
    "{count} objects of the cluster were edited so that they cannot be read: {*names}.",
    "集群中有 {count} 个对象被改得无法读取：{names}。",
  ],
  ["Until then no machine is taken for lost there.", "在此之前不会把其中任何机器视为丢失。"],
  [
    "Put right what was edited (kubectl get --output yaml shows it).",
    "请改回被修改的内容（可用 kubectl get --output yaml 查看）。",
  ],
  [
    "KubeVirt and Millrace differ on when machines ran: {*machines}.",
    "KubeVirt 与 Millrace 对机器运行时间的记录不一致：{machines}。",
  ],
  ["Bills follow the phases of the machines' runs.", "账单以机器运行的各阶段为准。"],
  [
    "Compare `status.phaseTransitionTimestamps` of the VirtualMachineInstance, and the clocks of the nodes and of virt-controller.",
    "请比对 VirtualMachineInstance 的 `status.phaseTransitionTimestamps`，以及各节点与 virt-controller 的时钟。",
  ],
  [
    "Somebody else in the cluster has set what Millrace sets: {*fields}.",
    "集群中有人设置了应由 Millrace 设置的内容：{fields}。",
  ],
  [
    "Undo it there, or give the field back with kubectl.",
    "请在那里撤销，或用 kubectl 交还该字段。",
  ],
  ["The cluster does not allow it: {reason}.", "集群不允许：{reason}。"],
  ["See the permissions in the docs.", "所需权限见文档。"],
  ["The cluster does not answer: {reason}", "集群无应答：{reason}"],
  ["The cluster does not know this kind of object ({kind}).", "集群不认识此类对象（{kind}）。"],
  [
    "Either KubeVirt, CDI or another part that Millrace needs is not installed there, or it is in a version that is not spoken here.",
    "或是未安装 KubeVirt、CDI 或 Millrace 所需的其他组件，或是其版本不受支持。",
  ],
  ["The cluster has no default StorageClass.", "集群没有默认 StorageClass。"],
  [
    "Mark one, or name one as `storageClass` in the settings of the site.",
    "请标记一个，或在站点设置中以 `storageClass` 指定。",
  ],
  [
    "The cluster has no KubeVirt (kubevirt.io/v1 is not served).",
    "集群没有 KubeVirt（未提供 kubevirt.io/v1）。",
  ],
  [
    "Install KubeVirt 1.9 or later, then `millrace doctor` looks again.",
    "请安装 KubeVirt 1.9 或更高版本，再运行 `millrace doctor`。",
  ],
  [
    "The cluster has no CDI (cdi.kubevirt.io/v1beta1 is not served), so no machine would get a disk.",
    "集群没有 CDI（未提供 cdi.kubevirt.io/v1beta1），机器将没有磁盘。",
  ],
  ["Install CDI.", "请安装 CDI。"],
  [
    "The cluster has KubeVirt's definitions but no KubeVirt object: its operator has nothing to install.",
    "集群有 KubeVirt 的定义，但没有 KubeVirt 对象：其 operator 无从安装。",
  ],
  ["Create one.", "请创建一个。"],
  [
    "The cluster has no ValidatingAdmissionPolicy ({version}).",
    "集群没有 ValidatingAdmissionPolicy（{version}）。",
  ],
];
