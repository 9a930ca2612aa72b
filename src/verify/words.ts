/**
 * What the check of a bundle says, in both languages. `{name}` is filled in. A failure names the
 * place: an event, a leaf, a line, a price, or the line of the file.
 */
export const languages = ["en", "zh-CN"] as const;
export type Language = (typeof languages)[number];

export const failureWords = {
  malformed: {
    en: "This is not a bundle as Millrace writes it: {what}.",
    "zh-CN": "这不是 Millrace 写出的账单凭证包：{what}。",
  },
  damaged: {
    en: "This record is not as it was written; its digest at the end of the file is another one.",
    "zh-CN": "此记录与写出时不同：文件末尾记下的摘要与它不符。",
  },
  wrong_key: {
    en: "The bundle names the key {found}; you trust {wanted}. Another log, or a forged one.",
    "zh-CN": "凭证包所用的公钥是 {found}，您信任的是 {wanted}：这是另一份日志，或是伪造的日志。",
  },
  no_key: {
    en: "There is no key to check the signatures with.",
    "zh-CN": "没有可用于验证签名的公钥。",
  },
  not_signed: {
    en: "The checkpoint is not signed by the log's key {key}.",
    "zh-CN": "检查点没有日志公钥 {key} 的签名。",
  },
  forged: {
    en: "The signature on the checkpoint is not that of the key {key}: the checkpoint was changed.",
    "zh-CN": "检查点上的签名与公钥 {key} 不符：检查点被改动过。",
  },
  other_log: {
    en: "The checkpoint is of the log {found}, not of {wanted}.",
    "zh-CN": "检查点属于日志 {found}，而不是 {wanted}。",
  },
  bad_checkpoint: {
    en: "This is not a signed checkpoint.",
    "zh-CN": "这不是签名的检查点。",
  },
  no_checkpoint: {
    en: "There are events, but no checkpoint that they could be in.",
    "zh-CN": "包内有用量事件，却没有任何检查点。",
  },
  fork: {
    en: "Two checkpoints of size {size} have different roots, {one} and {other}: the log was forked. Keep both; together they prove it.",
    "zh-CN":
      "大小同为 {size} 的两个检查点根哈希不同（{one} 与 {other}）:日志出现了分叉。请保留两者，它们合起来就是证据。",
  },
  inconsistent: {
    en: "The log of size {from} is not the beginning of the log of size {to}: {why}. History was rewritten, or the proof is wrong.",
    "zh-CN": "大小为 {from} 的日志不是大小为 {to} 的日志的开头：{why}。历史被改写，或证明有误。",
  },
  truncated: {
    en: "Your checkpoint has {kept} leaves, the newest one of the bundle {newest}: the log was cut short, or the bundle is older than your checkpoint.",
    "zh-CN":
      "您保存的检查点有 {kept} 个叶子，包内最新的只有 {newest} 个：日志被截短，或凭证包早于您的检查点。",
  },
  no_proof: {
    en: "The bundle has no proof that the log of size {from} goes on to size {to}. Export it again with your checkpoint: millrace bill bundle MONTH --checkpoint FILE.",
    "zh-CN":
      "包内没有从大小 {from} 到大小 {to} 的一致性证明。请带上您的检查点重新导出：millrace bill bundle MONTH --checkpoint FILE。",
  },
  event_malformed: {
    en: "This is not a usage event in its one canonical form.",
    "zh-CN": "这不是规范格式的用量事件。",
  },
  event_changed: {
    en: "The event's bytes and salt do not make its leaf: it was changed after it was logged, or the hash was.",
    "zh-CN": "事件的字节与盐值算不出它的叶子哈希：事件在写入日志之后被改动过，或哈希被改动过。",
  },
  events_missing: {
    en: "The bundle names {wanted} leaves and has {found} events.",
    "zh-CN": "包内列出 {wanted} 个叶子，却有 {found} 个事件。",
  },
  leaves_disordered: {
    en: "The leaves are not in ascending order.",
    "zh-CN": "叶子序号不是递增的。",
  },
  not_in_log: {
    en: "The leaves {first} to {last} do not lead to the root of the checkpoint of size {size} ({why}): at least one of these events is not in the log as it stands here, or one that belongs to the proof is missing.",
    "zh-CN":
      "叶子 {first} 至 {last} 推不出大小为 {size} 的检查点的根哈希（{why}）:其中至少有一个事件与日志中的不同，或缺少证明所需的叶子。",
  },
  event_of_other_tenant: {
    en: "The event is of another tenant: {tenant}.",
    "zh-CN": "该事件属于另一个租户：{tenant}。",
  },
  event_unit: {
    en: "The event counts {sku} in {unit}.",
    "zh-CN": "该事件以 {unit} 计量 {sku}。",
  },
  event_span: {
    en: "The event does not lie within one local day of {zone}.",
    "zh-CN": "该事件不在 {zone} 的同一个本地日之内。",
  },
  event_twice: {
    en: "The same event is in the log twice; the other is leaf {other}.",
    "zh-CN": "同一事件在日志中出现两次，另一处是叶子 {other}。",
  },
  segment_missing: {
    en: "Segment {number} of the interval is missing; {before} and {after} are here.",
    "zh-CN": "该计量区间缺少第 {number} 段；第 {before} 段与第 {after} 段都在。",
  },
  segment_gap: {
    en: "Segment {before} of the interval ends at {from}, the next one that stands, {after}, begins at {until}.",
    "zh-CN": "该计量区间第 {before} 段止于 {from}，其后有效的第 {after} 段却始于 {until}。",
  },
  used_twice: {
    en: "{sku} of the instance {instance} is counted twice from {from} on; the other is leaf {other}.",
    "zh-CN": "实例 {instance} 的 {sku} 自 {from} 起被重复计量，另一处是叶子 {other}。",
  },
  retracted_unknown: {
    en: "It takes back the event {retracts}, which is not in the bundle.",
    "zh-CN": "它撤回事件 {retracts}，而包内没有该事件。",
  },
  retracted_twice: {
    en: "It takes back the event {retracts}, which leaf {other} has taken back already.",
    "zh-CN": "它撤回事件 {retracts}，而该事件已被叶子 {other} 撤回。",
  },
  leaf_unknown: {
    en: "It names the leaf {leaf}, which is not an event of this line in the bundle.",
    "zh-CN": "它引用叶子 {leaf}，而包内没有属于本行的这个事件。",
  },
  usage_without_line: {
    en: "The log has usage of {sku} on {day} ({quantity} base units) and no line has it.",
    "zh-CN": "日志中有 {day} 的 {sku} 用量（{quantity} 基本单位），却没有对应的账单行。",
  },
  no_price: {
    en: "{sku} has no price on {day} in the profiles of the bundle.",
    "zh-CN": "包内价格方案中没有 {sku} 在 {day} 的价格。",
  },
  bad_profile: {
    en: "The price profile is not valid: {what}.",
    "zh-CN": "价格方案无效：{what}。",
  },
  line_twice: {
    en: "The line is in the bundle twice.",
    "zh-CN": "该行在包内出现两次。",
  },
  line_unrated: {
    en: "No usage and no fee makes this line.",
    "zh-CN": "没有任何用量或费用能得出这一行。",
  },
  paid_sum: {
    en: "What paid the line sums to {paid}; the line is {amount}.",
    "zh-CN": "该行的支付合计为 {paid}，而该行金额为 {amount}。",
  },
  paid_otherwise: {
    en: "By the rules of packages {account} pays {wanted} of it; the bill says {found}.",
    "zh-CN": "按算力包规则，应由 {account} 支付 {wanted}，账单却为 {found}。",
  },
  package_unknown: {
    en: "The package {id} paid, and is not in the bundle, or had more than it was sold with.",
    "zh-CN": "由算力包 {id} 支付，但包内没有它，或其余额超过售出时的额度。",
  },
  order_amount: {
    en: "List price and discounts make {wanted}; the item says {found}.",
    "zh-CN": "标价与折扣合计为 {wanted}，该订单项却为 {found}。",
  },
  order_month: {
    en: "The item is of {day}, not of the month.",
    "zh-CN": "该订单项的日期为 {day}，不在本月。",
  },
  order_refund: {
    en: "More is given back than was charged for {item}.",
    "zh-CN": "退还的金额超过 {item} 所收取的金额。",
  },
  leaf_after_checkpoint: {
    en: "The line rests on leaf {leaf}; the checkpoint of the bill has only {size} leaves.",
    "zh-CN": "该行依据叶子 {leaf}，而账单的检查点只有 {size} 个叶子。",
  },
  statement_checkpoint: {
    en: "The bill names the checkpoint {size}, {root}, which is not in the bundle.",
    "zh-CN": "账单所列检查点（{size}，{root}）不在包内。",
  },
  statement_differs: {
    en: "The bill says {found}; the events and prices make {wanted}.",
    "zh-CN": "账单写的是 {found}，按事件与价格算出的是 {wanted}。",
  },
  statement_unmade: {
    en: "The bill cannot be made from this bundle: {what}.",
    "zh-CN": "无法由此包得出账单：{what}。",
  },
  invoice_hash: {
    en: "The bill's SHA-256 is {found}; the invoice {number} is said to have {wanted}.",
    "zh-CN": "账单的 SHA-256 为 {found}，而发票 {number} 标明的是 {wanted}。",
  },
} as const;
export type FailureCode = keyof typeof failureWords;

/** What was not, or cannot be, proved by this bundle alone. */
export const noteWords = {
  own_key: {
    en: "The signatures were checked with the key in the bundle itself. Compare {key} with a key that you have from elsewhere, or give it with --key.",
    "zh-CN": "签名是用包内自带的公钥验证的。请将 {key} 与您从别处得到的公钥核对，或用 --key 指定。",
  },
  no_outside_checkpoint: {
    en: "No checkpoint that you or somebody else kept was compared. Only that shows that everybody is shown the same log.",
    "zh-CN": "没有与您或他人另存的检查点作比较。只有这样才能证明所有人看到的是同一份日志。",
  },
  provisional: {
    en: "The month is not closed; its bill may still change.",
    "zh-CN": "本月尚未关账，账单仍可能变动。",
  },
  open_usage: {
    en: "{place}: {quantity} of {of} base units are not in events of this bundle: they go on, or are not logged yet.",
    "zh-CN": "{place}:{of} 基本单位中有 {quantity} 不在包内的事件里：仍在继续，或尚未写入日志。",
  },
  events_after: {
    en: "{count} events came after the lines of their days and are on none of them yet (first: leaf {leaf}).",
    "zh-CN": "有 {count} 个事件晚于当日账单行到达，尚未计入（第一个：叶子 {leaf}）。",
  },
  events_uncounted: {
    en: "{count} events are said to have come too late to be rated (first: leaf {leaf}). When an event came is no part of it.",
    "zh-CN":
      "有 {count} 个事件据称到达过晚而不计费（第一个：叶子 {leaf}）。到达时间不在事件之内，无法证明。",
  },
  segments_outside: {
    en: "Intervals that went over an end of this month, or were corrected: {count}. Their other segments are in other bundles.",
    "zh-CN": "有 {count} 个计量区间跨出本月或被更正过；其余各段在其他月份的凭证包中。",
  },
  packages_unproved: {
    en: "{count} lines do not say what packages had before them; that their shares sum up is all that was checked.",
    "zh-CN": "有 {count} 行没有写明算力包此前的余额，只核对了支付合计。",
  },
  prices_claimed: {
    en: "Prices, tiers and orders are no part of the log: compare them with your contract and with the SHA-256 of your invoice.",
    "zh-CN": "价格、客户层级与订单不在日志之内：请与您的合同及发票上的 SHA-256 核对。",
  },
} as const;
export type NoteCode = keyof typeof noteWords;

export type Said = Readonly<Record<Language, string>>;
export type Values = Readonly<Record<string, string | number>>;

export function say(words: Said, values: Values): Said {
  const fill = (text: string): string =>
    text.replaceAll(/\{(\w+)\}/g, (hole, name: string) => String(values[name] ?? hole));
  return { en: fill(words.en), "zh-CN": fill(words["zh-CN"]) };
}
