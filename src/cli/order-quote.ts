/** Nobody buys unseen: a purchase is quoted, shown, and made at that price if the person agrees. */
import { z } from "zod";

import type { AnswerOf, RequestOf } from "#client/types.ts";
import { Failure } from "#kernel/failure.ts";

import { flag } from "./define.ts";
import type { Session } from "./session.ts";
import { fields } from "./table.ts";
import { confirmed } from "./terminal.ts";
import { money, none, time } from "./text.ts";

export const purchaseOptions = z.object({
  yes: flag("-y, --yes", "do not ask first", z.boolean().default(false)),
});

export type OrderQuote = AnswerOf<"quoteOrder">;

/** The amount that the person agreed to. Throws if he did not. */
export async function agreedAmount(
  { client, signal }: Session,
  body: RequestOf<"quoteOrder">["body"],
  { yes }: { readonly yes: boolean },
): Promise<string> {
  const quote = await client.call("quoteOrder", { body });
  if (!yes && !(await confirmed(`${quoteText(quote)}\nOrder it?`, signal))) {
    throw new Failure("conflict", "Nothing was ordered.");
  }
  return quote.amount;
}

export function quoteText(quote: OrderQuote): string {
  const { discounts } = quote;
  return fields([
    ["What", quote.description.en],
    ["List price", discounts.length === 0 ? undefined : money(quote.listPrice)],
    ...discounts.map(({ rule, amount }) => [`  ${rule}`, money(amount)] as const),
    ["Price", `${money(quote.amount)}, VAT of ${quote.vatIncluded} included`],
    ["From", quote.from === null ? undefined : time(quote.from)],
    ["Until", quote.until === null ? undefined : time(quote.until)],
    ["Available", `${money(quote.available)}${quote.affordable ? "" : ": not enough"}`],
    ...quote.remarks.map((remark) => ["Note", remark] as const),
    ["Prices of", quote.profile === "" ? none : quote.profile],
  ]);
}
