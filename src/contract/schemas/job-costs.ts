/** What the attempts of a job used, and what that comes to. */
import { z } from "zod";

import { id, money } from "./common.ts";

export const jobCosts = z.object({
  /** As the job has them; of a gang those of one member. */
  attempts: z.array(
    z.object({
      number: z.number().int(),
      instanceId: id.nullable(),
      /** False before its program ran, and where a fault of the platform ended it (R-PAYG-7). */
      billable: z.boolean(),
      /** By SKU, and by price where that changed at a midnight. */
      lines: z.array(
        z.object({
          sku: z.string(),
          /** GPUs, cores or GiB held. */
          units: z.string(),
          /** For how long, as metered; up to now while it runs. */
          seconds: z.number().int(),
          billable: z.boolean(),
          /** What the price is of; null, as the three below, where it has none. */
          unit: z.string().nullable(),
          quantity: z.string().nullable(),
          unitPrice: z.string().nullable(),
          amount: money.nullable(),
        }),
      ),
      /** Before bands and packages, which are of the use of the whole account. */
      amount: money.nullable(),
    }),
  ),
  amount: money.nullable(),
  /** There is more use than is shown. */
  isCut: z.boolean(),
});
