/** What can be rented, and the flavors and images behind it. */
import type { Handler } from "#api/handler.ts";
import { pageOf } from "#api/page.ts";
import {
  addFlavor,
  listFlavors,
  offeredFlavors,
  retireFlavor as retire,
} from "#catalog/flavors.ts";
import { images, updateImage } from "#catalog/images.ts";
import { siteExecutions } from "#catalog/sites.ts";
import type { Operations } from "#contract/operations.ts";
import { priceOf } from "#flow/admit/price.ts";
import { shapeOf } from "#flow/admit/shape.ts";
import { howManyFit } from "#flow/place/free.ts";
import { hostStates } from "#flow/place/hosts-read.ts";
import { awayOffers } from "#flow/place/offers-away.ts";

import { pricesNow } from "#api/routes/leases/quote.ts";

export const listOffers: Handler<Operations["listOffers"]> = async (_input, context) => {
  const { tx, tenantId } = context;
  const flavors = await offeredFlavors(tx);
  const hosts = await hostStates(tx, context.now());
  const away = awayOffers(hosts);
  const executions = await siteExecutions(tx);
  const prices = await pricesNow(tx, context.now());
  const items = [];
  for (const flavor of flavors) {
    const shape = shapeOf(flavor, {});
    const { count, hostIds, isolation } = howManyFit(hosts, { tenantId, shape });
    const { shown } = priceOf(prices, shape);
    const execution = hostIds.map((id) => executions.get(id)).find((each) => each !== undefined);
    items.push({
      flavor,
      price: shown,
      freeNow: count,
      reason: count > 0 ? null : (away({ tenantId, shape }) ?? null),
      execution: execution ?? ("none" as const),
      isolation,
    });
  }
  return { items };
};

export const listFlavorsHandler: Handler<Operations["listFlavors"]> = ({ query }, { tx }) =>
  pageOf(query, {
    load: (ask) => listFlavors(tx, ask),
    show: (flavor) => flavor,
    positionOf: (flavor) => ({ at: Date.parse(flavor.createdAt), id: flavor.id }),
  });

export const createFlavor: Handler<Operations["createFlavor"]> = ({ body }, { tx }) =>
  addFlavor(tx, body);

export const retireFlavor: Handler<Operations["retireFlavor"]> = async ({ params }, { tx }) => {
  await retire(tx, params.name);
};

export const updateImageHandler: Handler<Operations["updateImage"]> = async (
  { params, body },
  { tx, note },
) => {
  note({ details: { ...body } });
  return updateImage(tx, params.name, body);
};

export const listImages: Handler<Operations["listImages"]> = async (_input, { tx }) => ({
  items: await images(tx),
});
