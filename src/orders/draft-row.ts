/** A draft that waits in a row until what was ordered is there: amounts in fen, as text in JSON. */
import { z } from "zod";

import { fen } from "#kernel/money.ts";

import type { ItemDraft } from "./items.ts";

const fenText = z.string().transform((text) => fen(BigInt(text)));

export const draftRow: z.ZodType<ItemDraft> = z.object({
  kind: z.enum(["package", "subscription", "renewal", "upgrade", "expansion", "service"]),
  sku: z.string(),
  data: z.record(z.string(), z.union([z.string(), z.number()])),
  listPrice: fenText,
  discounts: z.array(z.object({ rule: z.string(), amount: fenText })),
  service: z
    .object({ from: z.number(), until: z.number() })
    .nullable()
    .transform((service) => service ?? undefined),
  priceProfileId: z.string(),
});

export function draftJson(draft: ItemDraft): string {
  const service = draft.service ?? null;
  return JSON.stringify({ ...draft, service }, (_, value: unknown) =>
    typeof value === "bigint" ? `${value}` : value,
  );
}
