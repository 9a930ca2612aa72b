/** Of usage sums by resource, those of one instance, a row of days for each SKU. Pure. */
import type { AnswerOf } from "#client/types.ts";

export interface DaySeries {
  readonly sku: string;
  readonly unit: string;
  /** By day, as the API wrote them; "0" where nothing was used. */
  readonly quantities: readonly string[];
}

export function usageOf(
  sums: Pick<AnswerOf<"getUsageSums">, "buckets" | "items">,
  resourceId: string,
): readonly DaySeries[] {
  const own = sums.items.filter(({ group }) => group === resourceId);
  const skus = [...new Set(own.map(({ sku }) => sku))].toSorted();
  return skus.map((sku) => {
    const items = own.filter((item) => item.sku === sku);
    return {
      sku,
      unit: items[0]?.unit ?? "",
      quantities: sums.buckets.map(
        (day) => items.find(({ bucket }) => bucket === day)?.quantity ?? "0",
      ),
    };
  });
}
