/**
 * What notices and alerts say, in both languages. A kind is a row here; its sentence is filled with
 * the notice's own data, `{name}` by name. A value that is missing shows as its name, so that an old
 * notice never fails to be shown.
 */

export const languages = ["en", "zh-CN"] as const;
export type Language = (typeof languages)[number];

export type Data = Readonly<Record<string, string | number>>;

export type Sentences = Readonly<Record<Language, string>>;

const noticeWords = {
  package_expires: {
    en: "Package {package} can be used until {date}; {left} yuan are left of it.",
    "zh-CN": "算力包 {package} 可用至 {date},剩余 {left} 元。",
  },
  tier_raised: {
    en: "Your tier is {tier} from {from} on, at least until {until}.",
    "zh-CN": "自 {from} 起您的客户等级为 {tier},至少保持到 {until}。",
  },
  tier_lowered: {
    en: "After the review of your payments your tier is {tier} from {from} on.",
    "zh-CN": "根据付款情况复核,自 {from} 起您的客户等级为 {tier}。",
  },
  tier_review_ahead: {
    en: "Your tier {tier} is reviewed on {on}; by what is paid so far it becomes {to}.",
    "zh-CN": "您的客户等级 {tier} 将于 {on} 复核;按目前的付款将变为 {to}。",
  },
  job_preempted: {
    en: "Attempt {attempt} of {job} makes room for work of a higher class: it saves its work and ends by {until}, and goes on later from where it was in line. What ran is billed.",
    "zh-CN":
      "任务 {job} 的第 {attempt} 次运行将为更高等级的任务让出资源:在 {until} 前保存进度并结束,之后按原排队位置继续。已运行的部分照常计费。",
  },
  job_evicted: {
    en: "Attempt {attempt} of {job} was taken off by the cluster's own queue, for work that comes before it. It goes on later from where it was in line, with what it had saved. What ran is billed.",
    "zh-CN":
      "任务 {job} 的第 {attempt} 次运行被集群队列收回资源,用于优先级更高的工作。之后将按原排队位置、从已保存的进度继续。已运行的部分照常计费。",
  },
  job_taken_off: {
    en: "Attempt {attempt} of {job} was taken off because its node is being emptied or its queue was closed. It goes on elsewhere or later, with what it had saved. This attempt costs nothing.",
    "zh-CN":
      "任务 {job} 的第 {attempt} 次运行因所在节点正在清空或队列已关闭而被终止。之后将在其他节点或稍后从已保存的进度继续。本次运行不计费。",
  },
  job_moved: {
    en: "Attempt {attempt} of {job} stands on hardware that is out of order: it saves its work, ends by {until} and goes on elsewhere. This attempt costs nothing.",
    "zh-CN":
      "任务 {job} 的第 {attempt} 次运行所在的硬件发生故障:将在 {until} 前保存进度并结束,随后在其他设备上继续。本次运行不计费。",
  },
  lease_on_sick: {
    en: "{lease} stands on hardware that is out of order ({device}). It runs on; the operator knows. Save what matters.",
    "zh-CN":
      "租赁 {lease} 所在的硬件发生故障({device})。目前仍在运行,运营方已知悉;请备份重要数据。",
  },
  lease_host_maintenance: {
    en: "The host of {lease} is being taken out of service for maintenance. {lease} runs on, and is not moved: its disk is there. Save what matters, and stop it when it suits you; the operator will tell you when the host goes down.",
    "zh-CN":
      "租赁 {lease} 所在的主机即将停机维护。目前仍在运行,因磁盘位于该主机而不会被迁移;请备份重要数据,并在方便时停止实例。停机时间由运营方另行通知。",
  },
  lease_evacuation: {
    en: "The host of {lease} is being emptied for maintenance. {lease} runs on: it cannot move while it runs. Stop it and start it again when it suits you, and it comes up on another host with its disk.",
    "zh-CN":
      "租赁 {lease} 所在的主机正在为维护而清空。目前仍在运行,但无法在运行中迁移;请在方便时停止后重新启动,它将带着磁盘在其他主机上启动。",
  },
  lease_host_down: {
    en: "The host of {lease} has been down since {since}. The disk of the lease is there, so it cannot go elsewhere; it goes on when the host is back. The operator knows.",
    "zh-CN":
      "租赁 {lease} 所在的主机自 {since} 起宕机。租赁的磁盘位于该主机,无法迁往别处;主机恢复后将继续。运营方已知悉。",
  },
  invoice_overdue: {
    en: "Invoice {invoice} was due on {due}; {amount} yuan of it are not paid.",
    "zh-CN": "账单 {invoice} 已于 {due} 到期,尚有 {amount} 元未付。",
  },
  invoice_void: {
    en: "Invoice {invoice} was taken back by a credit note: {reason}. Its amount was given back.",
    "zh-CN": "账单 {invoice} 已由贷项通知单冲销:{reason}。金额已退回。",
  },
  package_advice: {
    en: "At the pace of {period} the package {package} ({price} yuan) would have saved {saves} yuan: millrace package buy {package}.",
    "zh-CN":
      "按 {period} 的用量,算力包 {package}({price} 元)可节省 {saves} 元:millrace package buy {package}。",
  },
  package_extended: {
    en: "Package {package} was extended: it can be used until {date}.",
    "zh-CN": "算力包 {package} 已延期,可用至 {date}。",
  },
  money_forecast: {
    en: "As things run now ({burn} yuan an hour) the balance lasts until {at}.",
    "zh-CN": "按当前消费(每小时 {burn} 元),余额可用至 {at}。",
  },
  money_warning: {
    en: "The balance will soon be used up: {left} yuan are left and last until {at}. Top up to go on.",
    "zh-CN": "余额很快将用尽:剩余 {left} 元,可用至 {at}。请及时充值。",
  },
  money_no_new_work: {
    en: "{left} yuan are left and last until {at}. Nothing new starts until you top up.",
    "zh-CN": "余额 {left} 元,可用至 {at}。充值前不能启动新任务。",
  },
  money_grace: {
    en: "The balance is used up. What runs goes on until {until}, while less than {limit} yuan are owed; then it stops.",
    "zh-CN": "余额已用尽。运行中的资源可继续至 {until}(欠款不超过 {limit} 元),之后将停止。",
  },
  money_stopped: {
    en: "Stopped, because the balance is used up. Disks are kept until {release}; a top-up starts everything again.",
    "zh-CN": "余额已用尽,资源已停止。磁盘保留至 {release};充值后自动恢复运行。",
  },
  money_release_ahead: {
    en: "In {days} days, on {release}, your stopped leases are released with their disks. A top-up prevents it.",
    "zh-CN": "{days} 天后({release})已停止的租赁及其磁盘将被释放。充值可避免释放。",
  },
  money_released: {
    en: "Your leases were released with their disks, because the balance was not topped up in time.",
    "zh-CN": "因未及时充值,您的租赁及其磁盘已被释放。",
  },
  money_restored: {
    en: "The balance is good again: {left} yuan.",
    "zh-CN": "余额已恢复:{left} 元。",
  },
  usage_review_ready: {
    en: "The review of your use in {period} is there: millrace review {period}.",
    "zh-CN": "您 {period} 的资源使用复盘已生成:millrace review {period}。",
  },
  subscription_active: {
    en: "{name} ({sku}) is ready, paid until {until}.",
    "zh-CN": "{name}({sku})已就绪,付费至 {until}。",
  },
  subscription_ends: {
    en: "The term of {name} ends at {until}. Renew it, or it stops then and is kept for a few days.",
    "zh-CN": "{name} 的租期将于 {until} 结束。请续费,否则届时停机并仅保留数日。",
  },
  subscription_renews: {
    en: "{name} is renewed by itself at {until}; see that the balance suffices.",
    "zh-CN": "{name} 将于 {until} 自动续费,请确保余额充足。",
  },
  subscription_renewed: {
    en: "{name} was renewed and is paid until {until}.",
    "zh-CN": "{name} 已续费,付费至 {until}。",
  },
  subscription_lapsed: {
    en: "The term of {name} is over and it was stopped. It is kept until {until}; renew it to go on.",
    "zh-CN": "{name} 租期已到并已停机,保留至 {until};续费后可继续使用。",
  },
  subscription_released: {
    en: "{name} was released with its disks, because its term was not renewed while it was kept.",
    "zh-CN": "{name} 在保留期内未续费,已连同磁盘释放。",
  },
  subscription_failed: {
    en: "The subscription of {name} has ended: {reason} What was held for it is free again.",
    "zh-CN": "{name} 的订阅已结束:{reason} 为其冻结的金额已解冻。",
  },
  upgrade_done: {
    en: "{name} is a {sku} now.",
    "zh-CN": "{name} 已升级为 {sku}。",
  },
  upgrade_failed: {
    en: "{name} could not be upgraded to {sku}, and nothing was charged: {reason}",
    "zh-CN": "{name} 升级为 {sku} 失败,未收取费用:{reason}",
  },
  expansion_active: {
    en: "The expansion of {name} is there, until {until}.",
    "zh-CN": "{name} 的弹性扩容已生效,至 {until}。",
  },
  expansion_failed: {
    en: "{name} could not be expanded, and nothing was charged: {reason}",
    "zh-CN": "{name} 弹性扩容失败,未收取费用:{reason}",
  },
  expansion_over: {
    en: "The expansion of {name} was over at {until}; the machine goes back to what it was.",
    "zh-CN": "{name} 的弹性扩容已于 {until} 结束,恢复原配置。",
  },
  service_offered: {
    en: "What you asked for costs {amount} yuan, if you accept it before {until}: millrace service accept {id}.",
    "zh-CN": "您咨询的服务报价 {amount} 元,请在 {until} 前接受:millrace service accept {id}。",
  },
  service_done: {
    en: "Done: {what}. {note}",
    "zh-CN": "服务已完成:{what}。{note}",
  },
  service_refunded: {
    en: "Not done, and given back to your balance: {what}. {note}",
    "zh-CN": "服务未提供,款项已退回余额:{what}。{note}",
  },
  service_over: {
    en: "{what} is over: {reason}",
    "zh-CN": "{what} 已结束:{reason}",
  },
  service_lapsed: {
    en: "{what} has ended, because its next month ({reason} yuan) could not be paid. Top up and order it again.",
    "zh-CN": "余额不足以支付下个月的 {what}({reason} 元),服务已结束。请充值后重新订购。",
  },
  idle_warned: {
    en: "Nothing has moved on {name} since {since}. Unless it is used, its disk is kept as a snapshot for {days} days and it is released after {at}. To keep it: millrace lease keep {name}.",
    "zh-CN":
      "{name} 自 {since} 起处于闲置状态。若继续闲置,将在 {at} 之后保存磁盘快照(保留 {days} 天)并释放。如需保留:millrace lease keep {name}。",
  },
  idle_released: {
    en: "{name} was released, because nobody used it. A snapshot of its disk is kept until {until}: millrace lease restore {snapshot}.",
    "zh-CN":
      "{name} 因长期闲置已释放,磁盘快照保留至 {until}。恢复:millrace lease restore {snapshot}。",
  },
  lease_resize_announced: {
    en: "By what it uses {name} becomes a {flavor} (now {was}) after {at}: {hourly} yuan an hour instead of {before}. To keep it as it is: millrace lease auto-size {name} --off.",
    "zh-CN":
      "根据用量,{name} 将在 {at} 之后由 {was} 调整为 {flavor}:每小时 {hourly} 元(原 {before} 元)。如需保持不变:millrace lease auto-size {name} --off。",
  },
  group_refused: {
    en: "The group {name} wants {wanted} members and gets no more for now: {reason} It is tried again.",
    "zh-CN": "租赁组 {name} 需要 {wanted} 个成员,目前无法继续增加:{reason} 系统会继续尝试。",
  },
  subscription_waits: {
    en: "{name} does not have what is paid for yet: {reason} It is tried again; the operator knows.",
    "zh-CN": "{name} 尚未达到已付费的配置或状态:{reason} 系统会继续尝试,运营方已知悉。",
  },
} satisfies Record<string, Sentences>;

const alertWords = {
  lease_on_sick: {
    en: "The lease {lease} stands on {host}, device {device}, which is out of order. Leases are never moved by themselves: talk to its owner.",
    "zh-CN":
      "租赁 {lease} 位于发生故障的主机 {host}(设备 {device})。租赁不会自动迁移,请联系客户处理。",
  },
  drain_waits: {
    en: "The host {host} is being emptied and waits for {leases} leases that cannot move while they run. Their owners were told; talk to them, or stop the leases.",
    "zh-CN":
      "主机 {host} 正在清空,仍有 {leases} 个租赁无法在运行中迁移。客户已收到通知;请联系客户,或停止这些租赁。",
  },
  host_down: {
    en: "The host {host} has been down since {since}, with {leases} leases that cannot go elsewhere, because their disks are there. Jobs went on elsewhere. Bring it back, or talk to the owners.",
    "zh-CN":
      "主机 {host} 自 {since} 起宕机,其上有 {leases} 个租赁因磁盘在本机而无法迁移;任务已迁往别处。请恢复该主机或联系客户。",
  },
  host_contended: {
    en: "On {host} work waited for a CPU in {percent} % of the last minute, more than {limit} %: what runs there disturbs each other. Move work, or sell less of the host.",
    "zh-CN":
      "主机 {host} 在最近一分钟内有 {percent}% 的时间存在等待 CPU 的任务,超过 {limit}%:其上的任务互相干扰。请迁移任务或降低该主机的超分比。",
  },
  gpu_throttled: {
    en: "The device {device} of {host} runs slower than it could, with {machines} machines on it: too hot, or shared by too many.",
    "zh-CN":
      "主机 {host} 的设备 {device} 正在降速运行(其上有 {machines} 台虚拟机):过热或共享过多。",
  },
  orphan_kept: {
    en: "The site {site} has the machine {machine}, asked for {made}, that no row here ever named. It is kept: adopt or remove it (millrace orphan list).",
    "zh-CN":
      "站点 {site} 上的虚拟机 {machine}(申请于 {made})在数据库中没有任何记录,已予保留:请接管或删除(millrace orphan list)。",
  },
  project_stays: {
    en: "Project {project} was removed, but {site} still holds something of it. It waits for {waits}",
    "zh-CN": "项目 {project} 已删除,但站点 {site} 仍保留其部分内容,正在等待:{waits}",
  },
  project_left: {
    en: "Project {project} is gone from {site}, but {count} things are kept there on purpose, the first {what}. {why} Delete them if nobody needs them.",
    "zh-CN":
      "项目 {project} 已从站点 {site} 移除,但有 {count} 项按存储策略被保留,首项为 {what}。{why} 若无人需要,请手动删除。",
  },
  unpriced_usage: {
    en: "Rating of tenant {tenant} stands still: {sku} has no price on {day}. Activate a price profile that has one.",
    "zh-CN": "租户 {tenant} 的计费已停止:{sku} 在 {day} 没有价格。请启用包含该价格的价格方案。",
  },
  clock_behind: {
    en: "The clock shows {now}, but {day} of tenant {tenant} is posted already ({count} tenants): it was set back, or had been set forward. They are not rated until it has caught up. Set the clock right.",
    "zh-CN":
      "系统时钟显示 {now},但租户 {tenant} 的 {day} 已入账(共 {count} 个租户):时钟曾被拨回或拨快。在时钟追上之前不再为其计费。请校准时钟。",
  },
  unknown_unit: {
    en: "Rating of tenant {tenant} stands still: nobody knows the unit of {sku}, so its usage is no event yet. Correct the SKU, or install a version that knows it.",
    "zh-CN":
      "租户 {tenant} 的计费已停止:{sku} 的计量单位未知,其用量尚未成为计量事件。请更正该 SKU,或安装能识别它的版本。",
  },
  ledger_unbalanced: {
    en: "The ledger does not balance: {finding}. Nothing was changed; look at the journals named.",
    "zh-CN": "账簿不平:{finding}。未做任何更改;请检查所列凭证。",
  },
  held_for_nothing: {
    en: "Money is held for nothing that is open ({count} findings). The first, of tenant {tenant}: {problem}.",
    "zh-CN":
      "有资金被冻结但没有对应的在用资源或订单(共 {count} 项)。首项,租户 {tenant}:{problem}。",
  },
  event_conflict: {
    en: "A usage event came again with other bytes and was refused: {source} {id}. Ask its meter why.",
    "zh-CN": "同一计量事件再次提交但内容不同,已拒绝:{source} {id}。请检查其来源。",
  },
  log_unsigned: {
    en: "The metering log has grown by {leaves} events and nobody has signed it for {minutes} minutes. Start a process that has its key.",
    "zh-CN": "计量日志新增 {leaves} 条事件,已有 {minutes} 分钟无人签名。请启动持有其密钥的进程。",
  },
  invoices_unsigned: {
    en: "Bills of {month} wait ({count} so far): the metering log has never been signed, so nobody could check what they rest on. It is signed by a process that works and has the log's key (metering-log.key in keys/ of the data directory, or --log-key-file): start one, or look into its log for why it does not sign. The bills are written by themselves then.",
    "zh-CN":
      "{month} 的账单暂缓出具(目前 {count} 份):计量日志从未签名,账单的依据无从核对。签名由承担工作且持有日志密钥的进程完成(数据目录 keys/ 中的 metering-log.key,或 --log-key-file):请启动该进程,或在其日志中查看未签名的原因。签名后账单会自动出具。",
  },
  usage_review: {
    en: "Usage waits to be looked at ({reason}): {source} {id}. List it with `millrace usage review list`.",
    "zh-CN": "有用量待处理({reason}):{source} {id}。请用 `millrace usage review list` 查看。",
  },
  service_asked: {
    en: "{tenant} asks for a model optimization. Say what it costs: millrace --tenant {tenant} service offer {id}.",
    "zh-CN":
      "租户 {tenant} 咨询模型优化服务,请报价:millrace --tenant {tenant} service offer {id}。",
  },
  subscription_waits: {
    en: "The machine of {subscription} (tenant {tenant}) does not get what is paid for: {reason} Make room, or raise the quota.",
    "zh-CN":
      "租户 {tenant} 的 {subscription} 未达到已付费的配置或状态:{reason} 请腾出资源或提高配额。",
  },
  idle_snapshot_failed: {
    en: "{name} (tenant {tenant}) is idle, but no snapshot of it can be taken, so it is not released. It is tried again every hour.",
    "zh-CN": "租户 {tenant} 的 {name} 已闲置,但无法创建快照,因此未释放;每小时重试一次。",
  },
  subscription_lost: {
    en: "The machine of {subscription} (tenant {tenant}) is gone in the middle of its paid term: {reason} Decide what is given back.",
    "zh-CN": "租户 {tenant} 的 {subscription} 在付费租期内丢失:{reason} 请决定退款金额。",
  },
} satisfies Record<string, Sentences>;

const tiers: Readonly<Record<string, Sentences>> = {
  normal: { en: "ordinary", "zh-CN": "普通" },
  gold: { en: "gold", "zh-CN": "黄金" },
  diamond: { en: "diamond", "zh-CN": "钻石" },
};

/** Values of our own making, which a sentence names as people do: by the name of the hole. */
const names: Readonly<Record<string, Readonly<Record<string, Sentences>>>> = {
  tier: tiers,
  to: tiers,
  term: {
    monthly: { en: "monthly", "zh-CN": "按月" },
    quarterly: { en: "quarterly", "zh-CN": "按季" },
    annual: { en: "annual", "zh-CN": "按年" },
  },
};

/** All that there are, for whoever checks the sentences. */
export const allSentences: Readonly<Record<string, Sentences>> = { ...noticeWords, ...alertWords };

export type NoticeKind = keyof typeof noticeWords;
export type AlertKind = keyof typeof alertWords;

/** A kind that this release does not know any more shows as its name. */
export function noticeText(kind: string, data: Data, language: Language): string {
  return textOf(noticeWords, { kind, data, language });
}

export function alertText(kind: string, data: Data, language: Language): string {
  return textOf(alertWords, { kind, data, language });
}

/** Fills a sentence by name; a kind without one is shown as its name. */
export function textOf(
  words: Readonly<Record<string, Sentences>>,
  {
    kind,
    data,
    language,
  }: { readonly kind: string; readonly data: Data; readonly language: Language },
): string {
  const sentence = Object.hasOwn(words, kind) ? words[kind]?.[language] : undefined;
  if (sentence === undefined) return kind;
  return sentence.replaceAll(/\{(\w+)\}/g, (hole, name: string) => {
    const value = String(data[name] ?? hole);
    const known = names[name]?.[value];
    return known === undefined ? value : known[language];
  });
}
