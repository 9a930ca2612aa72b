/** Why something waits: the server's English sentence, and ours. */
import type { Said } from "#console/i18n/said.ts";

export const waits: Said = [
  ["There is no host yet; the operator has to connect one.", "尚未接入主机，需由运营方接入。"],
  ["No host fits {*shape}: of {*hosts}, {*why}.", "没有主机能满足 {shape}：共 {hosts}，{why}。"],
  ["The nearest lacks {*what}.", "最接近的一台还差 {what}。"],
  [
    "With what its platform needs to run it, it takes {cpus} CPU and {memory} MiB there.",
    "加上平台运行它所需的部分，在那里共占用 {cpus} CPU、{memory} MiB。",
  ],
  [
    "Of its {members} members {fitting} would fit now.",
    "{members} 个成员中目前有 {fitting} 个可以放下。",
  ],
  [
    "It may start in a moment: the last look at the queue ended before its turn.",
    "可能马上启动：上一轮调度尚未轮到它。",
  ],
  ["It is to run beside work that has no host now.", "要求与之相邻的工作目前没有主机。"],
  [
    "Its disk is on {host}, which is out of service; it cannot go elsewhere, and starts when the host is back.",
    "磁盘位于 {host}，该主机已停止服务；无法迁往别处，主机恢复后启动。",
  ],
  [
    "Its {size} members start together; {there} of them are in line, the others have not given back yet what they had.",
    "{size} 个成员同时启动；{there} 个已在排队，其余尚未归还原有资源。",
  ],
  [
    "The site {site} has not answered since {since}, and what this needs is only there.",
    "站点 {site} 自 {since} 起无应答，而所需资源只在该站点。",
  ],
  [
    "What this needs is only at the sites {*sites}; none of them answers, the first since {since}.",
    "所需资源只在站点 {sites}；这些站点均无应答，最早自 {since} 起。",
  ],
  [
    "It is placed by itself once that answers; no running time is billed before it starts.",
    "恢复应答后自动安排；启动之前不计运行费用。",
  ],
  ["To give it up: {*command}", "如需放弃：{command}"],
  [
    "The room for it is at the site {*site}, which has not answered since {since}.",
    "可用空间位于站点 {site}，该站点自 {since} 起无应答。",
  ],
  [
    "It may be ordered: it waits for that, and no running time is billed before it starts.",
    "可以下单：将等待站点恢复，启动之前不计运行费用。",
  ],
  [
    "{away} of its {hosts} hosts are at sites that do not answer: {*sites}.",
    "{hosts} 台主机中有 {away} 台所在站点无应答：{sites}。",
  ],
  [
    "They take nothing new; the figures have them as they were.",
    "这些主机不再承接新负载；各项数字仍按最近一次所见计算。",
  ],
  ["No process looks at the site {site}.", "没有进程在监视站点 {site}。"],
  ["The site {site} does not answer.", "站点 {site} 无应答。"],
  ["The site {site} cannot be used: {reason}", "站点 {site} 不可用：{reason}"],
  [
    "It has been away since {since}: nothing new is placed there, and what it runs is shown as it was.",
    "自 {since} 起失联：不再调度新负载，其上的负载按最近一次所见显示。",
  ],
  [
    "Start a process that works (--role work or all) and has it among its clusters.",
    "请启动承担工作的进程（--role work 或 all），并在其集群设置中包含该站点。",
  ],
  [
    "If it is gone for good, take it out of the settings; then: millrace site retire {site}",
    "如该站点已永久停用，请从设置中移除，然后执行：millrace site retire {site}",
  ],
  ["The site {site} answers: it was seen at {at}.", "站点 {site} 仍有应答：最近一次于 {at} 看到。"],
  [
    "Take it out of the settings (such as --clusters) and start Millrace again; half a minute later it can be retired.",
    "请将其从设置（如 --clusters）中移除并重新启动 Millrace；半分钟后即可停用。",
  ],
  [
    "The site {site} holds what is not ended: {*names}.",
    "站点 {site} 上仍有未结束的内容：{names}。",
  ],
  [
    "Only the site can say that it is gone: put it back into the settings, end these once it answers, and retire it then.",
    "只有站点本身能确认它们已不存在：请将其放回设置，待其应答后结束这些内容，再停用。",
  ],
  [
    "Its disk is at the site {site}, which has not answered since {since}.",
    "磁盘位于站点 {site}，该站点自 {since} 起无应答。",
  ],
  [
    "It starts by itself once the site answers; until then it is billed as stopped.",
    "站点恢复应答后自动启动；在此之前按已停止计费。",
  ],
  ["Its platform has not answered since {since}.", "所在平台自 {since} 起无应答。"],
  ["Its host has been down since {since}.", "所在主机自 {since} 起离线。"],
  [
    "It goes on elsewhere if the host does not come back soon.",
    "若主机未能很快恢复，会在别处继续。",
  ],
  [
    "Its disk is there, so it cannot go elsewhere; it goes on when the host is back.",
    "磁盘在该主机上，无法迁往别处；主机恢复后继续。",
  ],
  [
    "Its platform has not answered since {since}: it is shown as it was then.",
    "所在平台自 {since} 起无应答：此处显示的是当时的状态。",
  ],
  [
    "What is asked for waits, and is done by itself once the platform answers again.",
    "您的请求会等待，平台恢复应答后自动执行。",
  ],
  ["It was admitted and enters the queue in a moment.", "已受理，即将进入队列。"],
  ["It is looked at for the first time in a moment.", "即将进行首次调度。"],
  ["Its last attempt was cut short.", "上一次运行中断。"],
  ["It rests before it is tried again.", "稍后重试。"],
  [
    "It needs {needed} units together; a host has {largest} at most and the pool has no room for it even when empty.",
    "需要 {needed} 个单位在一起；单台主机最多 {largest} 个，即使资源池全空也放不下。",
  ],
  [
    "Room for its {needed} units is kept; it is free at {at} at the latest, by the limits of what runs there.",
    "已为其预留 {needed} 个单位；按在运行工作的时限，最迟 {at} 可用。",
  ],
  [
    "{needed} units are free, but it may run beyond {until}, when they are kept for work before it. A shorter limit may start it now.",
    "有 {needed} 个单位空闲，但它可能运行到 {until} 之后，届时已为排在前面的工作预留。缩短时限可能立即启动。",
  ],
  [
    "It needs {needed} units; {free} are free, at most {largest} of them on one host, and it is number {position} in line.",
    "需要 {needed} 个单位；空闲 {free} 个，单台主机最多 {largest} 个，排在第 {position} 位。",
  ],
  [
    "It may cost {needed} fen; the month's budget has {left} fen left.",
    "可能花费 {needed} 分，本月预算剩余 {left} 分。",
  ],
  [
    "{*who} holds {held} of at most {most}, and this needs {needed} more.",
    "{who}已占用 {held}，上限 {most}，还需要 {needed}。",
  ],
  [
    "It may use {needed} hours of GPUs; the month's budget has {left} left.",
    "可能使用 {needed} GPU 小时，本月预算剩余 {left}。",
  ],
];
