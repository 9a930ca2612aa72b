/** Usage to the second. */
import type { z } from "zod";

import type { Handler } from "#api/handler.ts";
import { pageOf } from "#api/page.ts";
import { loadPriceBook, pricesOn } from "#catalog/price-profiles.ts";
import { inPriceUnits, skuPrice } from "#catalog/sku.ts";
import type { Operations } from "#contract/operations.ts";
import type * as billing from "#contract/schemas/billing.ts";
import { usageBetween, usageTotals, type UsageInterval } from "#flow/meter/store.ts";
import { dayOf } from "#kernel/calendar.ts";
import { wholeSeconds } from "#kernel/interval.ts";
import { formatRational, rational } from "#kernel/rational.ts";
import { formatRounded } from "#kernel/rounding.ts";
import { billingZone } from "#kernel/zone.ts";

import { accountOf } from "./account.ts";
import { instantsOf, rangeOf } from "./period.ts";

const quantityDigits = 6;

export const listUsage: Handler<Operations["listUsage"]> = async ({ query }, context) => {
  const { tx, tenantId, now } = context;
  const { zone } = await accountOf(tx, tenantId);
  const { from, until } = instantsOf(rangeOf(query, zone, now()), zone);
  const asked = pageOf(query, {
    load: ({ after, limit }) =>
      usageBetween(tx, {
        tenantId,
        from,
        until,
        after: after === undefined ? undefined : { startedAt: after.at, id: after.id },
        limit,
      }),
    show: (interval) => showInterval(interval, now()),
    positionOf: ({ startedAt, id }) => ({ at: startedAt, id }),
  });
  // At once, so that it is one round trip.
  const [page, book, totals] = await Promise.all([
    asked,
    loadPriceBook(tx),
    usageTotals(tx, { tenantId, from, until, now: now() }),
  ]);
  const prices = pricesOn(book, dayOf(billingZone, now()));
  return {
    ...page,
    totals: totals.map(({ sku, quantity }) => {
      const price = prices === undefined ? undefined : skuPrice(prices.profile, sku);
      const priced = price?.kind === "priced" ? price : undefined;
      return {
        sku,
        unitSeconds: formatRational(quantity),
        quantity:
          priced === undefined
            ? formatRational(quantity)
            : formatRounded(inPriceUnits(priced, quantity), quantityDigits),
        unit: priced?.unit ?? "unit-second",
      };
    }),
  };
};

function showInterval(
  interval: UsageInterval,
  now: number,
): z.output<typeof billing.usageInterval> {
  const until = Math.max(interval.endedAt ?? now, interval.startedAt);
  return {
    id: interval.id,
    instanceId: interval.instanceId,
    resourceId: interval.requestId,
    projectId: interval.projectId,
    sku: interval.sku,
    units: formatRational(rational(interval.units, interval.slice)),
    from: new Date(interval.startedAt).toISOString(),
    until: interval.endedAt === null ? null : new Date(interval.endedAt).toISOString(),
    seconds: Number(wholeSeconds({ from: interval.startedAt, until })),
    billable: interval.billable,
    endReason: interval.endReason,
  };
}
