/** What everything costs at this moment, for the tenant that asks. */
import { z } from "zod";

import { money } from "./common.ts";
import { term } from "./orders.ts";

const decimal = z.string().meta({ description: "An exact decimal, or a fraction such as 1/3" });

export const priceList = z.object({
  profile: z.object({ name: z.string(), version: z.int(), activeFrom: z.iso.date() }),
  currency: z.literal("CNY"),
  /** Included in every price. */
  vatRate: decimal,
  metered: z.array(
    z.object({
      sku: z.string(),
      /** GPU-hour, core-hour, GiB-hour or GiB-day; null where there is no price. */
      unit: z.string().nullable(),
      /** Yuan per unit; null: on request. */
      price: decimal.nullable(),
      /** It was agreed with this tenant, in the place of the list's. */
      isAgreed: z.boolean(),
      /** What the tenant's tier does to it. */
      benefit: z
        .discriminatedUnion("kind", [
          z.object({ kind: z.literal("multiplier"), multiplier: decimal }),
          z.object({ kind: z.literal("free_per_day"), units: decimal }),
        ])
        .nullable(),
    }),
  ),
  /** Of the hours of one GPU model in a month; the last one has no end. */
  gpuBands: z.object({
    mode: z.enum(["graduated", "volume"]),
    bands: z.array(z.object({ upToHours: decimal.nullable(), multiplier: decimal, flat: decimal })),
  }),
  machines: z.array(
    z.object({
      sku: z.string(),
      /** The flavors that can be ordered as this. */
      flavors: z.array(z.string()),
      /** None: on request. */
      terms: z.array(z.object({ term, price: money })),
    }),
  ),
  packages: z.array(
    z.object({ code: z.string(), price: money, bonus: money, validMonths: z.int() }),
  ),
  /** For a subscription's machine, per unit and day. */
  expansions: z.array(z.object({ sku: z.string(), daily: decimal })),
  baseFeeMonthly: money,
});
