/** What an order item says on a bill, in both languages, filled with the item's own data. */

export const languages = ["en", "zh-CN"] as const;
export type Language = (typeof languages)[number];

export type ItemKind = keyof typeof words;

/** `{name}` in the sentence. */
export type ItemData = Readonly<Record<string, string | number>>;

const words = {
  package: {
    en: "Package {code}, credit {credit}, to be used until {through}",
    "zh-CN": "算力包 {code},额度 {credit} 元,可用至 {through}",
  },
  subscription: {
    en: "{name}: {sku}, {term}",
    "zh-CN": "{name}:{sku},{term}",
  },
  renewal: {
    en: "{name}: {sku}, renewed, {term}",
    "zh-CN": "{name}:{sku},续费,{term}",
  },
  upgrade: {
    en: "{name}: {from} to {sku}, {days} of {of} days",
    "zh-CN": "{name}:{from} 升级为 {sku},{of} 天中的 {days} 天",
  },
  expansion: {
    en: "{name}: expansion by {units} for {days} days",
    "zh-CN": "{name}:弹性扩容 {units},{days} 天",
  },
  service: {
    en: "{service}: {what}",
    "zh-CN": "{service}:{what}",
  },
} as const;

const refunded = { en: "Given back: ", "zh-CN": "退款:" } as const;

const discounts: Readonly<Record<string, Readonly<Record<Language, string>>>> = {
  "R-VM-4": { en: "Annual renewal at your tier", "zh-CN": "续年付客户等级优惠" },
  "R-VM-7": { en: "Locked price of the first purchase", "zh-CN": "首购锁定价格" },
  "R-VAS-2": { en: "Included in your tier", "zh-CN": "客户等级已包含" },
};

/** A rule that this release does not know shows as its id. */
export function discountText(rule: string, language: Language): string {
  return Object.hasOwn(discounts, rule) ? (discounts[rule]?.[language] ?? rule) : rule;
}

/** Words that stand for a value, where the value itself is a name of ours. */
const values: Readonly<Record<string, Readonly<Record<Language, string>>>> = {
  monthly: { en: "monthly", "zh-CN": "包月" },
  quarterly: { en: "quarterly", "zh-CN": "包季" },
  annual: { en: "annual", "zh-CN": "包年" },
  model_optimization: { en: "Model optimization", "zh-CN": "模型优化" },
  bundle: { en: "Bundle of services", "zh-CN": "服务套餐" },
  support_24x7: { en: "24x7 support", "zh-CN": "7×24 技术支持" },
};

export function itemText(
  {
    kind,
    data,
    isRefund,
  }: { readonly kind: ItemKind; readonly data: ItemData; readonly isRefund: boolean },
  language: Language,
): string {
  const sentence = words[kind][language].replaceAll(/\{(\w+)\}/g, (hole, name: string) => {
    const value = String(data[name] ?? hole);
    return Object.hasOwn(values, value) ? (values[value]?.[language] ?? value) : value;
  });
  return `${isRefund ? refunded[language] : ""}${sentence}`;
}
