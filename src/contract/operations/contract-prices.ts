import { z } from "zod";

import { operation } from "#contract/operation.ts";
import * as contracts from "#contract/schemas/contract-prices.ts";

export const contractPriceOperations = {
  listContractPrices: operation({
    method: "GET",
    path: "/v1/contract-prices",
    summary: "Prices agreed with the tenant in the place of the price list, by SKU and day",
    tag: "billing",
    permission: "billing.read",
    result: z.object({ items: z.array(contracts.contractPrice) }),
  }),
  setContractPrice: operation({
    method: "POST",
    path: "/v1/contract-prices",
    summary: "For the operator: agree a price with the tenant from a midnight to come",
    tag: "billing",
    permission: "platform.manage",
    audit: "contract-price.set",
    status: 201,
    body: contracts.setContractPriceBody,
    result: contracts.contractPrice,
    failures: ["rule_violation"],
  }),
};
