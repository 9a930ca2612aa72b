/** What the server refuses of machines and jobs: its English sentence, and ours. */
import type { Said } from "#console/i18n/said.ts";

export const compute: Said = [
  // Refusals when something is asked for.
  [
    "Over quota: {*what}. Release something, or ask the operator for more.",
    "超出配额：{what}。请释放部分资源，或申请提高配额。",
  ],
  ["Over quota: {*what}. Stop something else first.", "超出配额：{what}。请先停止其他资源。"],
  ["Over quota: {*what}.", "超出配额：{what}。"],
  [
    "Over quota: of {limit} bytes of storage {used} are used, and {asked} would be more than the rest. Delete files, or ask the operator for more.",
    "存储空间不足：共 {limit} 字节，已用 {used} 字节，剩余空间放不下 {asked} 字节。请删除文件，或申请提高配额。",
  ],
  [
    "{resource} {used} used + {asked} asked > {limit}",
    "{*resource} 已用 {used}，申请 {asked}，上限 {limit}",
  ],
  [
    "{resource} {used} used + {asked} more > {limit}",
    "{*resource} 已用 {used}，新增 {asked}，上限 {limit}",
  ],
  [
    "The flavor {flavor} has no price yet (on request), so it cannot be ordered. Ask the operator for a price.",
    "规格 {flavor} 尚未定价（价格另议），暂不能下单。请联系运营方报价。",
  ],
  [
    "The flavor {flavor} has no price yet (on request), so nothing of it can be rented.",
    "规格 {flavor} 尚未定价（价格另议），暂不能租用。",
  ],
  [
    "{*whose} costs {hourly} CNY, of which {held} is held; {available} is available. Top up and try again.",
    "{whose} {hourly} 元，需冻结 {held} 元，可用余额 {available} 元。请充值后重试。",
  ],
  [
    "{amount} CNY is to be held and {available} is available. Top up and try again.",
    "需冻结 {amount} 元，可用余额 {available} 元。请充值后重试。",
  ],
  [
    "That costs {asked} CNY and {available} CNY is available. Top up and try again.",
    "需支付 {asked} 元，可用余额 {available} 元。请充值后重试。",
  ],
  ["Nothing is left on the balance. Top up and start again.", "余额已用完。请充值后再启动。"],
  [
    "The balance is about to be used up by what runs already, so nothing new starts. Top up first.",
    "运行中的资源即将用完余额，暂不能启动新的资源。请先充值。",
  ],
  [
    "The operator suspended this account. What it has is kept; start again when it is active.",
    "运营方已停用此账户。现有资源会保留，账户恢复后可重新启动。",
  ],
  ["The tenant is suspended: nothing of it may start.", "账户已停用，不能启动任何资源。"],
  [
    "The tenant {name} is suspended: it can read, but change nothing. Ask the operator.",
    "账户 {name} 已停用，只能查看，不能修改。请联系运营方。",
  ],
  [
    "This project has a lease named {name} already; choose another name or release it.",
    "此项目中已有名为 {name} 的实例。请换一个名称，或先释放它。",
  ],
  [
    "This project has a group named {name} already; choose another name or delete it.",
    "此项目中已有名为 {name} 的伸缩组。请换一个名称，或先删除它。",
  ],
  [
    "You have {count} groups, the most that a customer may have; delete one first.",
    "伸缩组数量已达上限（{count} 个）。请先删除一个。",
  ],
  [
    "A disk of {disk} GiB is smaller than the {least} GiB of the flavor {flavor}; ask for that or more.",
    "磁盘 {disk} GiB 小于规格 {flavor} 的最小值 {least} GiB，请调大。",
  ],
  ["No flavor {name} is offered.", "没有在售规格 {name}。"],
  ["There is no flavor {name}.", "没有规格 {name}。"],
  ["There is no image {name}.", "没有镜像 {name}。"],
  [
    "The image {image} needs {memory} MiB of memory and {disk} GiB of disk; the flavor {flavor} has {has} MiB and {hasDisk} GiB.",
    "镜像 {image} 需要 {memory} MiB 内存和 {disk} GiB 磁盘；规格 {flavor} 只有 {has} MiB 和 {hasDisk} GiB。",
  ],
  [
    "The image {image} has {has} in it, and the job needs {framework}; choose another image.",
    "镜像 {image} 内含 {has}，而作业需要 {framework}。请换一个镜像。",
  ],
  [
    "The image {name} takes no user data, and no other image does.",
    "镜像 {name} 不支持用户数据，其他镜像也都不支持。",
  ],
  [
    "The image {name} takes no user data; images that do: {others}.",
    "镜像 {name} 不支持用户数据；支持的镜像：{others}。",
  ],
  [
    "A job may run {most} s here, {hours} h; {asked} s were asked for. Ask for less, or split the work.",
    "作业最长可运行 {most} 秒（{hours} 小时），申请了 {asked} 秒。请缩短时限，或拆分作业。",
  ],
  [
    "It is expected to take {expected} s and may run for {limit} s at most.",
    "预计耗时 {expected} 秒，超过了 {limit} 秒的时限。",
  ],
  [
    "Environment names that begin with {prefix} are the platform's own: {names}.",
    "以 {prefix} 开头的环境变量由平台设置：{names}。",
  ],
  [
    "Each member of a job with several is told {names} by the platform; leave that out.",
    "多成员作业的 {names} 由平台设置，请去掉。",
  ],
  ["There is no such file: {ids}.", "没有这个文件：{ids}。"],
  [
    'Two things in the work directory would be called {name}: the names of inputs differ from each other, from "{results}" and from "{script}". Upload one under another name.',
    "工作目录中会有两个同名的 {name}：输入文件不能重名，也不能叫“{results}”或“{script}”。请换个名称重新上传。",
  ],
  [
    "The inputs have {bytes} bytes, more than the whole disk of the flavor {flavor} ({limit}).",
    "输入文件共 {bytes} 字节，超过规格 {flavor} 的整个磁盘（{limit}）。",
  ],
  [
    "There is no such lease or job, or it has ended: {ids}.",
    "没有这个实例或作业，或它已结束：{ids}。",
  ],
  ["It cannot be near to {names} and apart from it.", "不能既靠近又远离 {names}。"],

  // What may not be done now.
  [
    "The lease {name} has no machine yet, so there is no disk to copy. Rent another one like it instead.",
    "实例 {name} 还没有机器，没有可复制的磁盘。请改为另租一台同样的实例。",
  ],
  ["{name} cannot be cloned: {*because}.", "{name} 无法克隆：{because}。"],
  [
    "{name} is being cloned {count} times already ({names}), and at most {most} at once; wait until one is there.",
    "{name} 已有 {count} 个克隆正在进行（{names}），同时最多 {most} 个；请等待其中一个完成。",
  ],
  [
    "Its disk is being copied for {name}. Wait until {name} runs, or release {name} first.",
    "正在为 {name} 复制其磁盘。请等待 {name} 运行，或先释放 {name}。",
  ],
  [
    "The snapshot is what {name} is made of; it goes by itself when {name} runs.",
    "{name} 正由该快照创建；{name} 运行后快照会自动删除。",
  ],
  [
    "A disk of {asked} GiB is smaller than the {least} GiB that the copy needs; ask for that or more.",
    "{asked} GiB 的磁盘小于克隆所需的 {least} GiB，请至少申请该大小。",
  ],
  ["The lease {name} is running or starting already.", "实例 {name} 已在运行或正在启动。"],
  [
    "The lease {name} is being resized; start it when that is done.",
    "实例 {name} 正在变更配置，完成后再启动。",
  ],
  [
    "The lease {name} is being resized already; wait until that is done.",
    "实例 {name} 正在变更配置，请等待完成。",
  ],
  ["The lease {name} is stopped or stopping already.", "实例 {name} 已停止或正在停止。"],
  ["The lease {name} does not run; start it instead.", "实例 {name} 未在运行，请改为启动。"],
  ["The lease {name} is starting; reboot it when it runs.", "实例 {name} 正在启动，运行后再重启。"],
  ["The lease {name} was released already.", "实例 {name} 已释放。"],
  ["The lease {name} is being released or was released.", "实例 {name} 已释放或正在释放。"],
  [
    "The lease {name} is {*state}; resize it when it runs or is stopped.",
    "实例 {name} 当前{state}，运行中或停止后才能变更配置。",
  ],
  [
    "The lease {name} is {*state}; this needs it running or stopped.",
    "实例 {name} 当前{state}，需在运行中或停止后操作。",
  ],
  [
    "The lease {name} is about to start; resize it when it runs.",
    "实例 {name} 即将启动，运行后再变更配置。",
  ],
  [
    "The term of {name} ended at {at}; renew its subscription, then start it.",
    "{name} 的包期已于 {at} 结束。请先续订再启动。",
  ],
  [
    "A disk only grows: {now} GiB now, {asked} GiB asked.",
    "磁盘只能扩容：当前 {now} GiB，申请 {asked} GiB。",
  ],
  [
    "Of GPUs only the number of whole ones can be changed on a lease, and huge pages cannot; rent another one and move.",
    "实例只能变更整卡 GPU 的数量，不能变更大页内存。请另租一台后迁移。",
  ],
  ["The GPUs of this lease cannot be changed: {*because}.", "此实例的 GPU 无法变更：{because}。"],
  [
    "GPUs are added to a lease that runs; start it first.",
    "只能给运行中的实例增加 GPU，请先启动。",
  ],
  [
    "The host of this lease has no {what} for that now. Try later, or release and rent it anew.",
    "实例所在主机目前没有足够的 {what}。请稍后再试，或释放后重新租用。",
  ],
  ["No snapshot is left in the quota; delete one first.", "快照配额已用完，请先删除一个。"],
  [
    "The snapshot holds memory, so going back to it makes the lease run: start {name} first.",
    "快照包含内存，恢复后实例会进入运行状态：请先启动 {name}。",
  ],
  ["The snapshot is {*state}, so nothing can go back to it.", "快照{state}，无法恢复。"],
  ["The snapshot is {*state}; wait until that is done.", "快照{state}，请等待完成。"],
  [
    "The lease was resized after the snapshot {name} was taken, so nothing can go back to it; delete it.",
    "创建快照 {name} 之后实例变更过配置，无法恢复到该快照。可将其删除。",
  ],
  ["There is no such lease.", "没有这个实例。"],
  ["There is no such job.", "没有这个作业。"],
  ["There is no such file.", "没有这个文件。"],
  ["There is no such group.", "没有这个伸缩组。"],
  ["There is no such snapshot.", "没有这个快照。"],
  ["There is no such lease or job.", "没有这个实例或作业。"],
  ["There is no such lease, or no machine of it.", "没有这个实例，或它还没有机器。"],
  ["There is no such host.", "没有这台主机。"],
  ["The job {name} has ended already.", "作业 {name} 已结束。"],
  ["The job {name} has no attempt {number} yet.", "作业 {name} 还没有第 {number} 次运行。"],
  [
    "This log is still being written; delete it when the job ended.",
    "日志仍在写入，作业结束后才能删除。",
  ],
  [
    "The file {name} is an input of {count} jobs that have not ended; cancel them or wait.",
    "文件 {name} 是 {count} 个未结束作业的输入。请取消这些作业，或等待结束。",
  ],
  ["A file may have {limit} bytes at most.", "单个文件最大 {limit} 字节。"],
  ["The upload broke off.", "上传中断。"],
  [
    "{count} consoles are open; close one and try again.",
    "已打开 {count} 个控制台，请先关闭一个再试。",
  ],
  [
    "{name} is a subscription: its size was bought. Upgrade it, or expand it for some days.",
    "{name} 是包期实例，规格已购买。可升级，或临时扩容若干天。",
  ],
  [
    "{name} is a subscription: upgrade that, or expand it for some days; only its disk is resized here.",
    "{name} 是包期实例：可升级或临时扩容；这里只能扩容磁盘。",
  ],
  [
    "{name} is a subscription: cancel that, and see before what it gives back.",
    "{name} 是包期实例：请改为退订，并先查看可退金额。",
  ],
  [
    "The group {name} has {min} to {max} members then; {wanted} is outside of that.",
    "伸缩组 {name} 的成员数范围是 {min} 到 {max}，{wanted} 超出范围。",
  ],
];
