/** Which offers are shown, and in which order: by what the address says. Pure. */
import type { AnswerOf } from "#client/types.ts";

import { fenOf } from "#console/components/money.tsx";

export type Offer = AnswerOf<"listOffers">["items"][number];

export const offerKinds = ["gpu", "cpu"] as const;
export const offerOrders = ["price", "price_down", "free", "memory"] as const;
export type OfferOrder = (typeof offerOrders)[number];

export interface OfferFilter {
  readonly kind?: (typeof offerKinds)[number] | undefined;
  readonly model?: string | undefined;
  readonly free?: "1" | undefined;
}

/** Without an order the server's stays. */
export function chosenOffers(
  offers: readonly Offer[],
  filter: OfferFilter,
  order: OfferOrder | undefined,
): readonly Offer[] {
  const shown = offers.filter(({ flavor, freeNow }) => {
    const { gpu } = flavor;
    if (filter.kind !== undefined && (filter.kind === "gpu") !== (gpu !== null)) return false;
    if (filter.model !== undefined && gpu?.model !== filter.model) return false;
    return filter.free === undefined || freeNow > 0;
  });
  return order === undefined ? shown : shown.toSorted(orders[order]);
}

/** GPU models that are offered, each once. */
export function modelsOf(offers: readonly Offer[]): readonly string[] {
  return [...new Set(offers.flatMap(({ flavor }) => flavor.gpu?.model ?? []))].toSorted();
}

type Compare = (a: Offer, b: Offer) => number;

/** What has no price comes last, whichever way it goes. */
const byPrice =
  (direction: 1 | -1): Compare =>
  (a, b) => {
    const [left, right] = [a.price.hourly, b.price.hourly];
    if (left === null || right === null) return Number(left === null) - Number(right === null);
    const difference = fenOf(left) - fenOf(right);
    return difference === 0n ? 0 : difference < 0n ? -direction : direction;
  };

const orders: Readonly<Record<OfferOrder, Compare>> = {
  price: byPrice(1),
  price_down: byPrice(-1),
  free: (a, b) => b.freeNow - a.freeNow,
  memory: (a, b) => b.flavor.memoryMiB - a.flavor.memoryMiB,
};
