/** What an order would cost, before it is made. */
import type { Context, Handlers } from "#api/handler.ts";
import { timeOrNull } from "#api/routes/wire.ts";
import { splitVat } from "#catalog/tax.ts";
import type { BodyOf } from "#contract/operation.ts";
import type { Operations } from "#contract/operations.ts";
import { credit } from "#flow/ledger/accounts.ts";
import { formatFen } from "#kernel/money.ts";
import { quoteExpansion } from "#orders/expansion-quotes.ts";
import { getExpansion, openExpansions } from "#orders/expansion-rows.ts";
import { requireExtendable } from "#orders/expansions.ts";
import { amountOf, type Booked, type ItemDraft } from "#orders/items.ts";
import { quotePackage } from "#orders/packages.ts";
import { pricesOfVersion } from "#orders/prices.ts";
import { quoteRenewal, quoteSubscription, quoteUpgrade } from "#orders/subscription-quotes.ts";
import { getSubscription } from "#orders/subscription-rows.ts";
import { itemText } from "#orders/words.ts";

import { bookedNow } from "./booked.ts";
import { elasticItems } from "./units.ts";

export const quoteHandlers = {
  quoteOrder: async ({ body }, context) => {
    const { tx, tenantId } = context;
    const { draft, remarks } = await quoted(context, await bookedNow(context), body);
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
      remarks: [...remarks],
      profile: `${prices.name} v${prices.version}`,
    };
  },
} satisfies Partial<Handlers>;

interface Quoted {
  readonly draft: ItemDraft;
  readonly remarks: readonly string[];
}

async function quoted(
  { tx, tenantId }: Context,
  booked: Booked,
  body: BodyOf<Operations["quoteOrder"]>,
): Promise<Quoted> {
  switch (body.kind) {
    case "package":
      return plain(await quotePackage(tx, booked, body.code));
    case "subscription": {
      const renews =
        body.renewsId === undefined
          ? undefined
          : await getSubscription(tx, { tenantId, id: body.renewsId });
      return plain(await quoteSubscription(tx, booked, { ...body, name: body.flavor, renews }));
    }
    case "renewal": {
      const subscription = await getSubscription(tx, { tenantId, id: body.subscriptionId });
      return plain(await quoteRenewal(tx, booked, { ...body, subscription }));
    }
    case "upgrade": {
      const subscription = await getSubscription(tx, { tenantId, id: body.subscriptionId });
      return plain(await quoteUpgrade(tx, booked, { ...body, subscription }));
    }
    case "expansion": {
      const subscription = await getSubscription(tx, { tenantId, id: body.subscriptionId });
      const items = elasticItems(subscription, booked.at, body);
      const ask = { subscription, items, days: body.days };
      return remarked(await quoteExpansion(tx, booked, ask));
    }
    case "extension": {
      const expansion = await getExpansion(tx, { tenantId, id: body.expansionId });
      const key = { tenantId, id: expansion.subscriptionId };
      const subscription = await getSubscription(tx, key);
      const startsAt = requireExtendable(expansion, await openExpansions(tx, key));
      const ask = { subscription, items: expansion.items, days: body.days, startsAt };
      return remarked(await quoteExpansion(tx, booked, ask));
    }
  }
}

function plain({ draft }: { readonly draft: ItemDraft }): Quoted {
  return { draft, remarks: [] };
}

function remarked({ draft, dearer }: Awaited<ReturnType<typeof quoteExpansion>>): Quoted {
  return { draft, remarks: dearer.map((text) => `Dearer than on demand: ${text}.`) };
}
