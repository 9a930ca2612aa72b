/** Where a tenant stands, in sentences of both languages; the notices of each step are in `notices`. */
import { formatFen } from "#kernel/money.ts";
import type { Language } from "#notices/words.ts";

import type { Stage } from "./decide.ts";
import type { NextStage, Outlook } from "./outlook.ts";

const stands: Readonly<Record<Stage, Readonly<Record<Language, string>>>> = {
  ok: { en: "The balance is good.", "zh-CN": "余额正常。" },
  forecast: { en: "The balance is running low.", "zh-CN": "余额即将不足。" },
  warning: { en: "The balance will soon be used up.", "zh-CN": "余额很快将用尽。" },
  no_new_work: {
    en: "The balance is almost used up; nothing new starts.",
    "zh-CN": "余额即将用尽,不能启动新任务。",
  },
  grace: {
    en: "The balance is used up; what runs goes on for now.",
    "zh-CN": "余额已用尽,运行中的资源暂可继续。",
  },
  stopped: {
    en: "Stopped, because the balance is used up; disks are kept.",
    "zh-CN": "余额已用尽,资源已停止,磁盘仍保留。",
  },
  released: {
    en: "Leases were released, because the balance was not topped up in time.",
    "zh-CN": "因未及时充值,租赁已释放。",
  },
};

const nothingLeft: Readonly<Record<Language, string>> = {
  en: "Nothing is left on the balance; nothing new starts until there is.",
  "zh-CN": "余额不足,充值前不能启动新任务。",
};

const becomes: Readonly<Record<NextStage, Readonly<Record<Language, string>>>> = {
  forecast: { en: "the balance is running low", "zh-CN": "余额不足提醒" },
  warning: { en: "a warning", "zh-CN": "余额告警" },
  no_new_work: { en: "nothing new starts", "zh-CN": "不能启动新任务" },
  grace: { en: "the balance is used up, and a grace begins", "zh-CN": "余额用尽,进入宽限期" },
  stopped: { en: "what runs on demand is stopped", "zh-CN": "按量资源停止" },
  released: {
    en: "stopped leases are released with their disks",
    "zh-CN": "已停止的租赁连同磁盘被释放",
  },
};

export function standingText(
  stage: Stage,
  { next, toLeave, toBeWell }: Outlook,
  language: Language,
): string {
  const parts = [stage === "ok" && toLeave > 0n ? nothingLeft[language] : stands[stage][language]];
  if (next !== undefined) {
    const at = new Date(next.at).toISOString();
    const what = becomes[next.stage][language];
    parts.push(
      language === "en"
        ? `Next, at ${at} as things run now: ${what}.`
        : `按当前消费,下一步(${at}):${what}。`,
    );
  }
  if (toLeave > 0n) {
    const [leave, well] = [formatFen(toLeave), formatFen(toBeWell)];
    parts.push(
      language === "en"
        ? `A payment of ${leave} yuan leads out of it, and ${well} yuan makes all good again.`
        : `支付 ${leave} 元可脱离此状态,支付 ${well} 元可完全恢复。`,
    );
  }
  return parts.join(language === "en" ? " " : "");
}
