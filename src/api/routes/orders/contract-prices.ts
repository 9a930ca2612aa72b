/** Prices agreed with one tenant: he reads them, the operator sets them. */
import type { z } from "zod";

import type { Handlers } from "#api/handler.ts";
import type * as wire from "#contract/schemas/contract-prices.ts";
import {
  contractPrices,
  setContractPrice,
  type RecordedContractPrice,
} from "#flow/rate/contracts.ts";
import { localDay } from "#kernel/calendar.ts";

import { bookedNow } from "./booked.ts";

export const contractPriceHandlers = {
  listContractPrices: async (_input, { tx, tenantId }) => ({
    items: (await contractPrices(tx, tenantId)).map(showPrice),
  }),

  setContractPrice: async ({ body }, context) => {
    const { tx, tenantId, note } = context;
    const { zone, at } = await bookedNow(context);
    const { sku, price, reason } = body;
    const from = localDay(body.from);
    note({ target: tenantId, details: { ...body } });
    return showPrice(
      await setContractPrice(tx, tenantId, { sku, from, price, reason, timeZone: zone, now: at }),
    );
  },
} satisfies Partial<Handlers>;

function showPrice(of: RecordedContractPrice): z.output<typeof wire.contractPrice> {
  return { sku: of.sku, from: of.from, price: of.text ?? null, reason: of.reason };
}
