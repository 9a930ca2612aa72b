/** What happened to machines, jobs and groups, and why something ended, in the server's sentences and ours. */
import type { Said } from "#console/i18n/said.ts";

export const events: Said = [
  ["The machine was made: {flavor}, {disk} GiB disk.", "机器已创建：{flavor}，磁盘 {disk} GiB。"],
  [
    "The machine is ready{*how}; CPU and memory are metered from now.",
    "机器已就绪{how}，CPU 和内存开始计量。",
  ],
  [
    "The machine stopped; CPU and memory are no longer metered.",
    "机器已停止，CPU 和内存停止计量。",
  ],
  [
    "The machine has the size {flavor}, {disk} GiB disk.",
    "机器规格现为 {flavor}，磁盘 {disk} GiB。",
  ],
  ["The program runs; it is metered from now.", "程序开始运行，开始计量。"],
  ["The program has ended.", "程序已结束。"],
  ["The machine and its disks are gone.", "机器及其磁盘已删除。"],
  ["The machine was released.", "机器已释放。"],
  ["The machine was stopped before that.", "此前机器已停止。"],
  [
    "The guest switched itself off; start the lease to run it again.",
    "虚拟机自行关机；启动实例即可再次运行。",
  ],
  [
    "The machine was switched off on its platform, and not by Millrace; start the lease to run it again.",
    "机器是在其平台上被关闭的，并非由 Millrace 关闭；启动实例即可再次运行。",
  ],
  [
    "The guest did not answer within {minutes} minutes of being made, so it was taken away.",
    "虚拟机创建后 {minutes} 分钟内没有响应，已被移除。",
  ],
  [
    "The platform no longer has this machine; nobody asked for its removal.",
    "平台上已没有这台机器，且没有人要求删除它。",
  ],
  [
    "The machine runs on {to} now, and no longer on {from}.",
    "机器现在运行在 {to} 上，不再运行在 {from} 上。",
  ],
  ["Restart {number} of {most}.", "第 {number} 次重启，最多 {most} 次。"],
  ["Its disk is being copied for {name}.", "正在为 {name} 复制其磁盘。"],
  [
    "It goes back to the snapshot {name}: what was written since is lost.",
    "正在恢复到快照 {name}：此后写入的内容将丢失。",
  ],
  [
    "It is a copy of {name}: the disk of that one is being copied.",
    "它是 {name} 的克隆：正在复制后者的磁盘。",
  ],
  [
    "The disk of {name} could not be copied, and nothing was billed: {*why}",
    "无法复制 {name} 的磁盘，未产生任何费用：{why}",
  ],
  ["{name} was released before that was done.", "{name} 在复制完成前已被释放。"],
  ["It was released.", "已释放。"],
  ["It was stopped before that.", "此前已停止。"],
  ["Released before a machine was made.", "创建机器之前已释放。"],
  ["It was canceled by {by}.", "由 {by} 取消。"],
  ["It was moved off {where}, which is out of order.", "{where} 故障，已从其上迁走。"],
  ["It was moved off {where}, which is taken out of service.", "{where} 停机维护，已从其上迁走。"],
  ["The program ended with exit code {exitCode}.", "程序以退出码 {exitCode} 结束。"],
  ["The program was ended by {signal}.", "程序被信号 {signal} 终止。"],
  ["The program ran longer than its limit of {limit} s.", "程序运行超过了 {limit} 秒的时限。"],
  [
    "The platform lost the attempt ({detail}), and no retry is left.",
    "平台丢失了此次运行（{detail}），重试次数已用完。",
  ],
  [
    "The platform lost the attempt ({detail}); retry {retry} of {most} follows.",
    "平台丢失了此次运行（{detail}），将进行第 {retry} 次重试，最多 {most} 次。",
  ],
  [
    "It made room for other work; its next attempt goes on from what it had saved.",
    "已为其他工作让出资源，下次运行从保存的进度继续。",
  ],
  [
    "It made room for other work, all members together; its next attempt goes on from what they had saved.",
    "全部成员已为其他工作让出资源，下次运行从保存的进度继续。",
  ],
  [
    "All members go back together because of member {member}.",
    "因成员 {member}，全部成员一同退回。",
  ],
  ["Their next attempt goes on from what they had saved.", "下次运行从保存的进度继续。"],
  ["Its next attempt goes on from what it had saved.", "下次运行从保存的进度继续。"],
  ["What ran is billed.", "已运行的部分照常计费。"],
  ["This attempt costs nothing.", "本次运行不计费。"],
  ["The platform took attempt {number} off.", "平台终止了第 {number} 次运行。"],
  [
    "It made room for work of a higher priority ({said}).",
    "已为优先级更高的工作让出资源（{said}）。",
  ],
  ["It made room for other work ({said}).", "已为其他工作让出资源（{said}）。"],
  ["It made room for {by}.", "已为{*by}让出资源。"],
  ["Its node is being emptied ({said}).", "所在节点正在清空（{said}）。"],
  ["Its queue in the cluster was stopped ({said}).", "其在集群中的队列已停止（{said}）。"],
  [
    "It made room for work of class {workClass}; what it saved is there for its next attempt.",
    "已为 {*workClass} 级工作让出资源，保存的进度留待下次运行。",
  ],
  [
    "It need not make room any more; it goes on if its program was not told to end.",
    "不再需要让出资源；若程序尚未被要求结束，则继续运行。",
  ],
  [
    "The log is cut here: {bytes} bytes are kept of an attempt.",
    "日志在此截断：每次运行保留 {bytes} 字节。",
  ],
  ["The log is cut here: the tenant's storage quota is full.", "日志在此截断：存储配额已满。"],
  [
    "The results are more than {bytes} bytes, the most that is kept of an attempt.",
    "结果超过 {bytes} 字节，超出单次运行的保留上限。",
  ],

  ["work of a higher class of the same customer", "同一客户更高等级的工作"],
  [
    "another customer who took back a share of his own that it had borrowed",
    "收回所借配额的另一客户",
  ],
  ["another customer who had had less of what is shared", "共享资源用得较少的另一客户"],
  ["work of a higher class that borrows as well", "同样借用配额的更高等级工作"],
  ["other work", "其他工作"],

  // Groups.
  ["{name} was rented, at {hourly} CNY an hour.", "已租用 {name}，每小时 {hourly} 元。"],
  ["{name} is released.", "已释放 {name}。"],
  [
    "{name} is gone, and not by the group's doing; another takes its number.",
    "{name} 已不在（并非由伸缩组释放），将由新成员接替其编号。",
  ],
  [
    "Made with {wanted} members of {min} to {max}.",
    "已创建：{wanted} 个成员，范围 {min} 到 {max}。",
  ],
  [
    "Its customer changed it: {wanted} members of {min} to {max}.",
    "用户已调整：{wanted} 个成员，范围 {min} 到 {max}。",
  ],
  ["Its customer ended it; all members are released.", "用户已删除伸缩组，全部成员被释放。"],
  ["From {from} to {to}: {*why}.", "从 {from} 个调整为 {to} 个：{why}。"],
  [
    "{signal} is {mean} on average, {target} is wanted ({seen} seen, {missing} not, {starting} starting)",
    "{*signal} 平均 {mean}，目标 {target}（观测到 {seen} 个，未观测到 {missing} 个，启动中 {starting} 个）",
  ],

  // Money that ran out, terms that ended, machines that nobody uses.
  ["The balance is used up.{kept} Top up, and it starts again.", "余额已用完。充值后会重新启动。"],
  ["The balance was used up and was not topped up in time.", "余额用完后未及时充值。"],
  [
    "The paid term is over. The machine is kept until {until}; renew its subscription to go on.",
    "包期已结束。机器保留至 {until}，续订后可继续使用。",
  ],
  ["Its term was over and was not renewed while it was kept.", "包期结束，且保留期内未续订。"],
  ["The paid term ended before it came.", "在交付之前包期已结束。"],
  ["Its days are over.", "期限已到。"],
  ["Its paid months are over.", "已付费的月份已结束。"],
  ["Ended by the customer.", "由用户结束。"],
  ["Released by the customer.", "由用户释放。"],
  ["Canceled by the customer.", "由用户取消。"],
  ["A later ask took its place.", "已被后来的请求取代。"],
  ["The offer was not accepted in time.", "报价未在有效期内接受。"],
  [
    "It was idle to the end; its disk is being kept as a snapshot.",
    "一直闲置，正在将磁盘保存为快照。",
  ],
  [
    "Released for idleness. A snapshot of its disk is kept until {until}: millrace lease restore {id}.",
    "因闲置被释放。磁盘快照保留至 {until}：millrace lease restore {id}。",
  ],
  [
    "Nothing has moved since {from}. Unless something does, the disk is kept as a snapshot and the lease is released after {at}; to keep it: millrace lease keep.",
    "自 {from} 起没有活动。若仍无活动，{at} 之后会将磁盘保存为快照并释放实例；如需保留：millrace lease keep。",
  ],
  [
    "Resized by what it uses, from {from} to {to}: {hourly} CNY an hour instead of {before}.",
    "已按实际使用量从 {from} 调整为 {to}：每小时 {hourly} 元（原 {before} 元）。",
  ],
  [
    "By what it uses it becomes a {to} after {at}, {hourly} CNY an hour instead of {before}; to keep it as it is: millrace lease auto-size {name} --off.",
    "按实际使用量，{at} 之后将调整为 {to}，每小时 {hourly} 元（原 {before} 元）；如需保持不变：millrace lease auto-size {name} --off。",
  ],
  [
    "From each release to the end of the month, to now, or to the restoration, whichever came first, at the lease's own price per hour. An upper bound: nobody knows how long it would have gone on.",
    "自每次释放起，至月末、当前或恢复之时（取最早者），按实例每小时价格计算。此为上限：无法得知它原本会运行多久。",
  ],
  [
    "The hosts and GPUs of this site do not exist; nothing runs.",
    "此站点的主机和 GPU 并不存在，没有任何程序真正运行。",
  ],
  ["Nothing is done now: {*because}.", "目前无需调整：{because}。"],
  [
    "It becomes a {flavor} at {hourly} CNY an hour; that is announced first.",
    "将调整为 {flavor}，每小时 {hourly} 元，会先行通知。",
  ],
  [
    "It becomes a {flavor} at {hourly} CNY an hour, within a minute.",
    "一分钟内调整为 {flavor}，每小时 {hourly} 元。",
  ],
];
