/**
 * What notices and alerts say, in both languages. A kind is a row here; its sentence is filled with
 * the notice's own data, `{name}` by name. A value that is missing shows as its name, so that an old
 * notice never fails to be shown.
 */

export const languages = ["en", "zh-CN"] as const;
export type Language = (typeof languages)[number];

export type Data = Readonly<Record<string, string | number>>;

type Sentences = Readonly<Record<Language, string>>;

const noticeWords = {
  package_expires: {
    en: "Package {package} can be used until {date}; {left} yuan are left of it.",
    "zh-CN": "算力包 {package} 可用至 {date},剩余 {left} 元。",
  },
  tier_raised: {
    en: "You are a {tier} customer from {from} on, at least until {until}.",
    "zh-CN": "自 {from} 起您的客户等级为 {tier},至少保持到 {until}。",
  },
  tier_lowered: {
    en: "After the review of your payments you are a {tier} customer from {from} on.",
    "zh-CN": "根据付款情况复核,自 {from} 起您的客户等级为 {tier}。",
  },
  tier_review_ahead: {
    en: "Your tier {tier} is reviewed on {on}; by what is paid so far it becomes {to}.",
    "zh-CN": "您的客户等级 {tier} 将于 {on} 复核;按目前的付款将变为 {to}。",
  },
  invoice_overdue: {
    en: "Invoice {invoice} was due on {due}; {amount} yuan of it are not paid.",
    "zh-CN": "账单 {invoice} 已于 {due} 到期,尚有 {amount} 元未付。",
  },
  invoice_void: {
    en: "Invoice {invoice} was taken back by a credit note: {reason}. Its amount was given back.",
    "zh-CN": "账单 {invoice} 已由贷项通知单冲销:{reason}。金额已退回。",
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
    en: "Less than a day: {left} yuan are left and last until {at}. Top up to go on.",
    "zh-CN": "不足一天:余额 {left} 元,可用至 {at}。请及时充值。",
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
} satisfies Record<string, Sentences>;

const alertWords = {
  unpriced_usage: {
    en: "Rating of tenant {tenant} stands still: {sku} has no price on {day}. Activate a price profile that has one.",
    "zh-CN": "租户 {tenant} 的计费已停止:{sku} 在 {day} 没有价格。请启用包含该价格的价格方案。",
  },
  ledger_unbalanced: {
    en: "The ledger does not balance: {finding}. Nothing was changed; look at the journals named.",
    "zh-CN": "账簿不平:{finding}。未做任何更改;请检查所列凭证。",
  },
  event_conflict: {
    en: "A usage event came again with other bytes and was refused: {source} {id}. Ask its meter why.",
    "zh-CN": "同一计量事件再次提交但内容不同,已拒绝:{source} {id}。请检查其来源。",
  },
} satisfies Record<string, Sentences>;

export type NoticeKind = keyof typeof noticeWords;
export type AlertKind = keyof typeof alertWords;

/** A kind that this release does not know any more shows as its name. */
export function noticeText(kind: string, data: Data, language: Language): string {
  return textOf(noticeWords, { kind, data, language });
}

export function alertText(kind: string, data: Data, language: Language): string {
  return textOf(alertWords, { kind, data, language });
}

function textOf(
  words: Readonly<Record<string, Sentences>>,
  {
    kind,
    data,
    language,
  }: { readonly kind: string; readonly data: Data; readonly language: Language },
): string {
  const sentence = Object.hasOwn(words, kind) ? words[kind]?.[language] : undefined;
  if (sentence === undefined) return kind;
  return sentence.replaceAll(/\{(\w+)\}/g, (hole, name: string) => String(data[name] ?? hole));
}
