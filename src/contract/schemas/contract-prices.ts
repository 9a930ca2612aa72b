/** What one tenant pays for a SKU in the place of the list price. */
import { z } from "zod";

import { day } from "./common.ts";

/** Yuan per unit of the price list, exact. */
const price = z
  .string()
  .regex(/^(?:0|[1-9][0-9]{0,8})(?:\.[0-9]{1,6})?$/, 'a price such as "42.5"')
  .nullable();

export const contractPrice = z.object({
  sku: z.string(),
  /** The first local day on which it is in force. */
  from: day,
  /** `null`: the price list again. */
  price,
  reason: z.string(),
});

export const setContractPriceBody = z.strictObject({
  sku: z.string().min(1).max(100),
  from: day,
  price,
  reason: z.string().trim().min(1).max(500),
});
