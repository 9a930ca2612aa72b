/** What an order would cost, before it is made. */
import type { Context, Handlers } from "#api/handler.ts";
import { timeOrNull } from "#api/routes/wire.ts";
import { splitVat } from "#catalog/tax.ts";
import type { BodyOf } from "#contract/operation.ts";
import type { Operations } from "#contract/operations.ts";
import { credit } from "#flow/ledger/accounts.ts";
import { formatFen } from "#kernel/money.ts";
import { amountOf, type Booked, type ItemDraft } from "#orders/items.ts";
import { quotePackage } from "#orders/packages.ts";
import { pricesOfVersion } from "#orders/prices.ts";
import { itemText } from "#orders/words.ts";

import { bookedNow } from "./booked.ts";

export const quoteHandlers = {
  quoteOrder: async ({ body }, context) => {
    const { tx, tenantId } = context;
    const draft = await draftOf(context, await bookedNow(context), body);
    const prices = await pricesOfVersion(tx, draft.priceProfileId);
    const { available } = await credit(tx, tenantId);
    const amount = amountOf(draft);
    const text = { ...draft, isRefund: false };
    return {
      kind: draft.kind,
      sku: draft.sku,
      description: { en: itemText(text, "en"), "zh-CN": itemText(text, "zh-CN") },
      listPrice: formatFen(draft.listPrice),
      discounts: draft.discounts.map((each) => ({ ...each, amount: formatFen(each.amount) })),
      amount: formatFen(amount),
      vatIncluded: formatFen(splitVat(prices.profile, amount).vat),
      from: timeOrNull(draft.service?.from ?? null),
      until: timeOrNull(draft.service?.until ?? null),
      available: formatFen(available),
      affordable: available >= amount,
      profile: `${prices.name} v${prices.version}`,
    };
  },
} satisfies Partial<Handlers>;

async function draftOf(
  { tx }: Context,
  booked: Booked,
  body: BodyOf<Operations["quoteOrder"]>,
): Promise<ItemDraft> {
  switch (body.kind) {
    case "package":
      return (await quotePackage(tx, booked, body.code)).draft;
  }
}
