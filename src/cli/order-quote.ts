/** Nobody buys unseen: a purchase is quoted, shown, and made at that price if the person agrees. */
import { z } from "zod";

import type { AnswerOf, RequestOf } from "#client/types.ts";
import { language } from "#contract/schemas/notices.ts";
import { Failure } from "#kernel/failure.ts";

import { flag } from "./define.ts";
import type { Session } from "./session.ts";
import { fields } from "./table.ts";
import { confirmed } from "./terminal.ts";
import { money, time } from "./text.ts";

/** For everything that shows a quote: the locale's language where nothing is said. */
export const quoteOptions = z.object({
  language: flag(
    "--language <language>",
    "en or zh-CN (default: the locale's)",
    language.optional(),
  ),
});

export const purchaseOptions = quoteOptions.extend({
  yes: flag("-y, --yes", "do not ask first", z.boolean().default(false)),
});

export type OrderQuote = AnswerOf<"quoteOrder">;
export type QuoteBody = RequestOf<"quoteOrder">["body"];
type Language = z.output<typeof language>;

/** The amount that the person agreed to. Throws if he did not. */
export async function agreedAmount(
  session: Session,
  body: QuoteBody,
  options: { readonly yes: boolean; readonly language?: Language | undefined },
): Promise<string> {
  return (await agreedQuote(session, body, options)).amount;
}

/** The same, with the rest of what was quoted. */
export async function agreedQuote(
  { client, environment, signal }: Session,
  body: QuoteBody,
  { yes, language: asked }: { readonly yes: boolean; readonly language?: Language | undefined },
): Promise<OrderQuote> {
  const quote = await client.call("quoteOrder", { body });
  if (yes) return quote;
  const spoken = asked ?? environment.language;
  if (await confirmed(`${quoteText(quote, spoken)}\n${words[spoken].agree}`, signal)) return quote;
  throw new Failure("conflict", words[spoken].refused);
}

export function quoteText(quote: OrderQuote, spoken: Language): string {
  const say = words[spoken];
  const { discounts, rates } = quote;
  return fields([
    [say.what, quote.description[spoken]],
    [say.list, discounts.length === 0 ? undefined : money(quote.listPrice)],
    ...discounts.map(({ text, amount }) => [`  ${text[spoken]}`, money(amount)] as const),
    [say.price, say.withVat(money(quote.amount), quote.vatIncluded)],
    [say.hour, rates === null ? undefined : money(rates.hourly)],
    [say.day, rates === null ? undefined : money(rates.daily)],
    [say.month, rates === null ? undefined : money(rates.monthly)],
    [say.from, quote.from === null ? undefined : time(quote.from)],
    [say.until, quote.until === null ? undefined : time(quote.until)],
    [say.available, `${money(quote.available)}${quote.affordable ? "" : say.tooLittle}`],
    ...quote.remarks.map((remark) => [say.note, remark[spoken]] as const),
    ...quote.cheaperIf.map(({ text }) => [say.or, text[spoken]] as const),
    [say.profile, quote.profile],
  ]);
}

const words = {
  en: {
    what: "What",
    list: "List price",
    price: "Price",
    withVat: (amount: string, vat: string) => `${amount}, VAT of ${vat} included`,
    hour: "  by the hour",
    day: "  by the day",
    month: "  by 30 days",
    from: "From",
    until: "Until",
    available: "Available",
    tooLittle: ": not enough",
    note: "Note",
    or: "Or",
    profile: "Prices of",
    agree: "Order it?",
    refused: "Nothing was ordered.",
  },
  "zh-CN": {
    what: "内容",
    list: "目录价",
    price: "价格",
    withVat: (amount: string, vat: string) => `${amount},含增值税 ${vat}`,
    hour: "  折合每小时",
    day: "  折合每天",
    month: "  折合每 30 天",
    from: "开始",
    until: "结束",
    available: "可用余额",
    tooLittle: ":余额不足",
    note: "提示",
    or: "比较",
    profile: "价格方案",
    agree: "确认订购?",
    refused: "未订购。",
  },
} as const;
