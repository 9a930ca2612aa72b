/** What a task asks of the people who look after customers, in both languages. */
import { textOf, type Data, type Language, type Sentences } from "#notices/words.ts";

import type { TaskKind } from "./tasks.ts";

const words: Readonly<Record<TaskKind, Sentences>> = {
  no_spend_2m: {
    en: "Nothing was used or ordered for {months} complete months before {month}. Call, and offer help or a package.",
    "zh-CN": "{month} 之前连续 {months} 个完整月无消费。请联系客户,提供帮助或算力包优惠。",
  },
  usage_drop: {
    en: "GPU-hours fell to {ratio} of the usual pace ({recent} in the last days). Ask what changed.",
    "zh-CN": "GPU 用量降至平时的 {ratio}(近期 {recent} 小时)。请了解原因。",
  },
  invoice_overdue: {
    en: "Invoice {invoice} is overdue for a week or more: {outstanding} yuan are open.",
    "zh-CN": "账单 {invoice} 已逾期一周以上,尚有 {outstanding} 元未付。",
  },
  term_ending: {
    en: "The {term} term of {name} ends at {until} and no renewal is ordered. A renewal costs {renewal} yuan now.",
    "zh-CN": "{name} 的租期({term})将于 {until} 结束,尚未续费。现在续费为 {renewal} 元。",
  },
  package_ending: {
    en: "Package {package} can be used until {until}; {left} yuan of it are left. Offer a new one, or help to use it.",
    "zh-CN": "算力包 {package} 可用至 {until},剩余 {left} 元。请推荐续购或协助使用。",
  },
  tier_by_hand_ending: {
    en: "The tier {tier} that was agreed by hand ends at {until}: {reason}. Decide whether it goes on.",
    "zh-CN": "人工设定的客户等级 {tier} 将于 {until} 到期({reason})。请决定是否延续。",
  },
  near_next_tier: {
    en: "{missing} yuan more by {before} make a {tier} customer; on last month's storage and the next renewals that saves {saves} yuan.",
    "zh-CN":
      "在 {before} 之前再付 {missing} 元即成为 {tier} 客户;按上月存储及下次续费可节省 {saves} 元。",
  },
  review_due: {
    en: "The review of {period} is ready: go through it with the customer (millrace --tenant … review {period}).",
    "zh-CN":
      "{period} 的资源使用复盘已生成,请与客户一起复盘(millrace --tenant … review {period})。",
  },
};

export function taskText(kind: TaskKind, data: Data, language: Language): string {
  return textOf(words, { kind, data, language });
}
