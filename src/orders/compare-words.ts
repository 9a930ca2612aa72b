/** What a comparison says, in both languages. */
import { formatFen, fen } from "#kernel/money.ts";

import type { BreakEvenUnit, Comparison, Way } from "./compare.ts";
import type { Language } from "./words.ts";

const ways: Readonly<Record<Way["kind"], Readonly<Record<Language, string>>>> = {
  on_demand: { en: "On demand", "zh-CN": "按量付费" },
  package: { en: "As jobs paid by package {what}", "zh-CN": "以算力包 {what} 支付的任务" },
  monthly: { en: "By the month ({what})", "zh-CN": "包月({what})" },
  annual: { en: "By the year ({what})", "zh-CN": "包年({what})" },
  expansion: { en: "As an expansion by the day", "zh-CN": "按天弹性扩容" },
  upgrade: {
    en: "Upgraded to {what} for the rest of the term",
    "zh-CN": "升级为 {what} 至租期结束",
  },
};

const conditions: Readonly<
  Record<BreakEvenUnit, Readonly<Record<"below" | "above", Readonly<Record<Language, string>>>>>
> = {
  hours_a_month: {
    below: {
      en: "cheaper if used for less than {n} hours a month",
      "zh-CN": "每月使用少于 {n} 小时则更便宜",
    },
    above: {
      en: "cheaper if used for more than {n} hours a month",
      "zh-CN": "每月使用超过 {n} 小时则更便宜",
    },
  },
  hours_a_day: {
    below: {
      en: "cheaper if used for less than {n} hours a day",
      "zh-CN": "每天使用少于 {n} 小时则更便宜",
    },
    above: {
      en: "cheaper if used for more than {n} hours a day",
      "zh-CN": "每天使用超过 {n} 小时则更便宜",
    },
  },
  months: {
    below: { en: "cheaper if kept for less than {n} months", "zh-CN": "使用少于 {n} 个月则更便宜" },
    above: { en: "cheaper if kept for more than {n} months", "zh-CN": "使用超过 {n} 个月则更便宜" },
  },
  days: {
    below: { en: "cheaper if needed for less than {n} days", "zh-CN": "使用少于 {n} 天则更便宜" },
    above: { en: "cheaper if needed for more than {n} days", "zh-CN": "使用超过 {n} 天则更便宜" },
  },
  yuan: {
    below: {
      en: "cheaper if jobs in that time cost less than {n} yuan",
      "zh-CN": "期间任务费用少于 {n} 元则更便宜",
    },
    above: {
      en: "cheaper if jobs in that time cost more than {n} yuan",
      "zh-CN": "期间任务费用超过 {n} 元则更便宜",
    },
  },
};

const flat = {
  always: { en: "cheaper however it is used", "zh-CN": "无论如何使用都更便宜" },
  never: { en: "not cheaper, however it is used", "zh-CN": "无论如何使用都不更便宜" },
} as const;

export function comparisonText(comparison: Comparison, language: Language): string {
  const { way, amount, unit, cheaper, breakEven } = comparison;
  const name = ways[way.kind][language].replace("{what}", whatOf(way));
  const when =
    cheaper === "always" || cheaper === "never"
      ? flat[cheaper][language]
      : conditions[unit][cheaper][language].replace("{n}", breakEvenText(unit, breakEven));
  return language === "en"
    ? `${name}: ${when} (${formatFen(amount)} yuan for all of it)`
    : `${name}:${when}(全部使用为 ${formatFen(amount)} 元)`;
}

/** Hours, months and days as they are; yuan with its two digits. */
export function breakEvenText(unit: BreakEvenUnit, breakEven: bigint | undefined): string {
  if (breakEven === undefined) return "";
  return unit === "yuan" ? formatFen(fen(breakEven)) : `${breakEven}`;
}

export function whatOf(way: Way): string {
  switch (way.kind) {
    case "package":
      return way.code;
    case "monthly":
    case "annual":
    case "upgrade":
      return way.sku;
    case "on_demand":
    case "expansion":
      return "";
  }
}
