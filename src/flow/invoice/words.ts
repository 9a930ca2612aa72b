/** The words of a statement in the languages that it is written in. */
export const languages = ["en", "zh-CN"] as const;
export type Language = (typeof languages)[number];

export interface Words {
  readonly title: string;
  readonly invoice: string;
  readonly dueOn: string;
  readonly period: string;
  readonly prices: string;
  readonly kind: string;
  readonly date: string;
  readonly sku: string;
  readonly quantity: string;
  readonly unit: string;
  readonly listPrice: string;
  readonly multiplier: string;
  readonly amount: string;
  readonly state: string;
  readonly provisional: string;
  readonly posted: string;
  readonly usage: string;
  readonly order: string;
  readonly description: string;
  readonly lateUsage: string;
  readonly fromPackage: string;
  readonly fromBonus: string;
  readonly fromBalance: string;
  readonly owed: string;
  readonly leaves: string;
  readonly checkpoint: string;
  readonly subtotal: string;
  readonly total: string;
  readonly net: string;
  readonly vat: string;
  readonly nothing: string;
  readonly remark: string;
  /** Of an adjustment, in the place of a multiplier. */
  readonly reRated: string;
  /** As they are named on the wire; a unit that is not here is shown by that name. */
  readonly units: Readonly<Record<string, string>>;
}

export const words: Readonly<Record<Language, Words>> = {
  en: {
    title: "Statement",
    invoice: "Invoice",
    dueOn: "Due on",
    period: "Period",
    prices: "Prices",
    kind: "Kind",
    date: "Date",
    sku: "SKU",
    quantity: "Quantity",
    unit: "Unit",
    listPrice: "List price",
    multiplier: "Multiplier",
    amount: "Amount",
    state: "State",
    provisional: "provisional",
    posted: "posted",
    usage: "usage",
    order: "order",
    description: "Description",
    lateUsage: "late usage",
    fromPackage: "From package",
    fromBonus: "From bonus",
    fromBalance: "From balance",
    owed: "Owed",
    leaves: "Log entries",
    checkpoint: "Log checkpoint",
    subtotal: "subtotal",
    total: "Total",
    net: "Net",
    vat: "VAT",
    nothing: "Nothing was used.",
    remark: "Provisional lines may change until 48 hours after the end of their day.",
    reRated: "re-rated",
    units: {},
  },
  "zh-CN": {
    title: "账单",
    invoice: "月结账单",
    dueOn: "付款期限",
    period: "账期",
    prices: "价格方案",
    kind: "类型",
    date: "日期",
    sku: "计费项",
    quantity: "用量",
    unit: "单位",
    listPrice: "目录价",
    multiplier: "折扣系数",
    amount: "金额",
    state: "状态",
    provisional: "暂计",
    posted: "已入账",
    usage: "用量",
    order: "订单",
    description: "说明",
    lateUsage: "迟到用量",
    fromPackage: "算力包支付",
    fromBonus: "赠送额支付",
    fromBalance: "余额支付",
    owed: "应收",
    leaves: "计量日志条目",
    checkpoint: "日志检查点",
    subtotal: "小计",
    total: "合计",
    net: "不含税金额",
    vat: "增值税",
    nothing: "本期无消费。",
    remark: "暂计项在当日结束后 48 小时内可能变化。",
    reRated: "重新计价",
    units: {
      "GPU-hour": "GPU 算力时",
      "core-hour": "核时",
      "GiB-hour": "GiB·时",
      "GiB-day": "GiB·天",
      month: "月",
      order: "项",
    },
  },
};

/** "中" takes the room of two letters in a terminal. */
const wide =
  /[\u1100-\u115F\u2E80-\u303E\u3041-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60\uFFE0-\uFFE6\u{1F300}-\u{1FAFF}\u{20000}-\u{3FFFD}]/u;

export function displayWidth(text: string): number {
  let width = 0;
  for (const character of text) width += wide.test(character) ? 2 : 1;
  return width;
}
