/** What the server says of prices, the books and the metering log: its English sentence, and ours. */
import type { Said } from "#console/i18n/said.ts";

export const books: Said = [
  // Of a price profile: what would surprise, and what is refused.
  [
    "{sku} costs nothing; leave it out to offer it on request.",
    "{sku} 的价格为 0；如需询价请删去该项。",
  ],
  ["A volume band is dearer than the list price.", "有用量阶梯的价格高于标准单价。"],
  ["A volume band is dearer than the one below it.", "有用量阶梯的价格高于其下一级。"],
  [
    "Bands are read as volume: using more can cost less, and a day's line can be negative.",
    "阶梯按总量计价：用得更多可能反而更便宜，某天的账单行可能为负。",
  ],
  [
    "{sku} costs {price} a day as elastic expansion, {usual} on demand.",
    "{sku} 弹性扩容每天 {price} 元，按量仅 {usual} 元。",
  ],
  [
    "A year of {sku} ({annual}) costs more than 12 months.",
    "{sku} 的年付价 {annual} 高于 12 个月的月付价。",
  ],
  [
    "Prices change at a midnight that is still to come everywhere: {from} is not after {begun}.",
    "价格只能从各地都尚未到来的零点起变更：{from} 不晚于 {begun}。",
  ],
  [
    "Version {version} is in force from {day}; add another version to change it.",
    "版本 {version} 已定于 {day} 生效；如需调整请新建版本。",
  ],
  ["Another version starts on {day}.", "另一个版本已定于 {day} 生效。"],
  [
    "The volume bands would change on {day}; they change on the first day of a month only.",
    "用量阶梯将在 {day} 变更，但只能在每月 1 日变更。",
  ],
  ["The price profile is not valid: {path}: {message}.", "价格方案无效：{path}：{message}。"],
  ["There is no such price profile.", "没有这个价格方案。"],
  ['not a decimal such as "0.5"', "不是“0.5”这样的小数"],
  ['not an amount such as "12.50"', "不是“12.50”这样的金额"],
  ["not an IANA time zone", "不是 IANA 时区名"],
  ["a SKU such as gpu.A100", "应为 gpu.A100 这样的计费项名称"],
  [
    "bands ascend, and the last one, and only it, has no bound (null)",
    "阶梯必须递增，且只有最后一级没有上限（null）",
  ],
  ["There is no price profile {id}.", "没有价格方案 {id}。"],
  // Money by hand.
  [
    "{reference} is recorded already, with other figures.",
    "{reference} 已登记过，但金额或内容不同。",
  ],
  ["The receipt is {state}; it does not wait.", "该到账已处理（{state}），无需核销。"],
  ["There is no bank receipt {id}.", "没有到账记录 {id}。"],
  ["The payment is {state}; nothing is paid back.", "该付款状态为 {state}，不能退款。"],
  ["{amount} CNY of the payment can be paid back.", "该付款最多可退 {amount} 元。"],
  [
    "{asked} CNY is to be paid back and {available} is available.",
    "要退款 {asked} 元，可用余额仅 {available} 元。",
  ],
  [
    "A credit note cannot be voided; it takes an invoice back.",
    "贷项通知单不能冲销；它本身就是对账单的冲销。",
  ],
  // What the checks of the books and of the log find.
  ["{what} is {got}, should be {expected}", "{what} 为 {got}，应为 {expected}"],
  [
    "{held} is held, and {needed} of it for something",
    "冻结 {held} 元，其中仅 {needed} 元有对应用途",
  ],
  ["leaf {index} hashes otherwise", "叶子 {index} 的哈希不符"],
  ["leaf {index} is missing", "缺少叶子 {index}"],
  ["leaf {index} has no event", "叶子 {index} 没有对应事件"],
  ["the checkpoint of {size} leaves has another root", "{size} 个叶子的检查点根哈希不符"],
  ["a checkpoint of {size} leaves is too large", "{size} 个叶子的检查点超出日志大小"],
  ["tile {tile} is another", "分块 {tile} 不符"],
  [
    "the event {id} of {source} is in the log {count} times, waiting {waiting}",
    "{source} 的事件 {id} 在日志中出现 {count} 次，等待 {waiting} 次",
  ],
  ["{of}: events {events}, roll-up {sum}", "{of}：事件合计 {events}，日用量 {sum}"],
];
