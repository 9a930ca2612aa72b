/** Why a job waits in a cluster's own queue, and what to do: the server's English sentence, and ours. */
import type { Said } from "#console/i18n/said.ts";

export const jobs: Said = [
  [
    "{here} of its {size} members are here; its job is made of all of them together.",
    "{size} 个成员中已到 {here} 个；作业由全部成员一起构成。",
  ],
  ["It goes on by itself once the others are placed.", "其余成员放置后会自动继续。"],
  ["The cluster has not taken its job yet.", "集群尚未接受其作业。"],
  [
    "It is tried again by itself; if it stays so, look whether Kueue's webhook answers.",
    "会自动重试；若一直如此，请检查 Kueue 的 webhook 是否应答。",
  ],
  ["Kueue has not taken notice of the job yet.", "Kueue 尚未发现该作业。"],
  [
    "If it stays so, Kueue does not run, or the job's queue label is wrong.",
    "若一直如此，则 Kueue 未运行，或作业的队列标签有误。",
  ],
  ["Kueue has put the job aside, and will not try it again.", "Kueue 已搁置该作业，不会再尝试。"],
  ["Its next attempt is a new job.", "下一次尝试会是新的作业。"],
  [
    "Its quota is reserved, and a check of the cluster is still to pass.",
    "配额已预留，仍待集群的一项检查通过。",
  ],
  ["Look at the checks of its queue.", "请查看其队列的检查。"],
  ["It asks for more than its queue ever has: {what}.", "要求超过其队列的上限：{what}。"],
  ["Buy a larger share, or submit a smaller job.", "请购买更大的份额，或提交更小的作业。"],
  [
    "It waits for quota: {*what} needed{comma} and other work is making room.",
    "正在等待配额：{what}，其他工作正在让出资源。",
  ],
  ["It waits for quota: {*what} needed.", "正在等待配额：{what}。"],
  ["{many} more of {resource} ({flavor}) is", "{resource}（{flavor}）还差 {many}"],
  ["{many} more of {resource} ({flavor}) are", "{resource}（{flavor}）还差 {many}"],
  ["{many} more of {resource} ({flavor})", "{resource}（{flavor}）还差 {many}"],
  [
    "It starts when work of the same share ends, or the share grows.",
    "同一份额内有工作结束，或份额增大后即启动。",
  ],
  ["Its queue takes no work: {said}", "其队列不接受工作：{said}"],
  ["Look at the tenant's ClusterQueue and its flavors.", "请查看租户的 ClusterQueue 及其 flavor。"],
  ["None of the flavors of its queue fits it: {said}", "其队列的 flavor 均不适合：{said}"],
  [
    "Compare the flavors' node labels and taints with the site's table.",
    "请将 flavor 的节点标签与污点同站点的表对照。",
  ],
  ["It stands in line: {said}", "正在排队：{said}"],
  ["It stands in line.", "正在排队。"],
  ["It starts when it is its turn.", "轮到时即启动。"],
  ["Volcano has not taken notice of the job yet.", "Volcano 尚未发现该作业。"],
  [
    "If it stays so, look whether Volcano's controllers run.",
    "若一直如此，请检查 Volcano 的控制器是否在运行。",
  ],
  ["Its queue has no room for it yet{said}.", "其队列暂无空间{said}。"],
  ["Its members cannot all start at once yet{said}.", "其成员暂时不能同时全部启动{said}。"],
  ["It starts once there is room for all of them together.", "能同时容纳全部成员后即启动。"],
  ["The node cannot fetch the image of {name}: {said}", "节点无法拉取 {name} 的镜像：{said}"],
  [
    "Check the image's name, the registry, and the node's way to it; it is tried again.",
    "请检查镜像名称、镜像仓库以及节点到它的网络；会自动重试。",
  ],
  ["The node cannot make the container {name}: {said}", "节点无法创建容器 {name}：{said}"],
  [
    "Its Secret or its scripts are missing in the namespace, or the image is no use.",
    "命名空间中缺少其 Secret 或脚本，或该镜像不可用。",
  ],
  ["Its containers are being made.", "正在创建容器。"],
  ["It starts by itself.", "会自动启动。"],
  ["It fetches its inputs.", "正在获取输入。"],
];
