/** A line of a bill down to its events and their entries in the metering log. */
import type { z } from "zod";

import type { Handlers } from "#api/handler.ts";
import { time, timeOrNull } from "#api/routes/wire.ts";
import type { lineExplanation } from "#contract/schemas/billing.ts";
import { explainLine, type Explanation } from "#flow/invoice/explain.ts";
import { requestNames } from "#flow/admit/requests.ts";
import type { StoredEvent } from "#flow/meter/event-rows.ts";
import { quantityInUnits, type ChargeLine } from "#flow/rate/lines.ts";
import type { Running } from "#flow/rate/telescope.ts";
import { addDays, daysOf, firstDay, localDay, monthOf, type LocalDay } from "#kernel/calendar.ts";
import { formatFen } from "#kernel/money.ts";
import { formatRational, rational } from "#kernel/rational.ts";
import { formatRounded, roundToFen } from "#kernel/rounding.ts";

import { accountOf } from "./account.ts";
import { pricesOfTenant } from "./prices.ts";

type Shown = z.output<typeof lineExplanation>;

const quantityDigits = 6;

export const explainHandlers = {
  explainLine: async ({ params }, { tx, tenantId }) => {
    const day = localDay(params.date);
    const { sku } = params;
    const { zone } = await accountOf(tx, tenantId);
    const days = daysOf(firstDay(monthOf(day)), addDays(day, 1));
    const priceOf = await pricesOfTenant(tx, { tenantId, zone, days });
    const explanation = await explainLine(tx, { tenantId, day, sku, priceOf });
    const ids = explanation.events.map(({ use }) => use.requestId);
    const names = await requestNames(tx, { tenantId, ids: [...new Set(ids)] });
    return show(day, sku, { explanation, names });
  },
} satisfies Partial<Handlers>;

function show(
  day: LocalDay,
  sku: string,
  {
    explanation,
    names,
  }: { readonly explanation: Explanation; readonly names: ReadonlyMap<string, string> },
): Shown {
  const { lines, before, after, events, isCut, checkpoint } = explanation;
  const [line] = lines;
  const perUnit = line?.basePerUnit ?? 1n;
  return {
    date: day,
    sku,
    lines: lines.map(showLine),
    month: { before: showRunning(before, perUnit), after: showRunning(after, perUnit) },
    events: events.map((event) => showEvent(event, names)),
    isCut,
    checkpoint:
      checkpoint === undefined
        ? null
        : { size: checkpoint.size, root: Buffer.from(checkpoint.root).toString("base64") },
  };
}

function showLine(line: ChargeLine): Shown["lines"][number] {
  return {
    revision: line.revision,
    quantity: formatRounded(quantityInUnits(line), quantityDigits),
    unit: line.unit,
    listPrice: line.listPrice,
    priceSource: line.priceSource,
    multiplier: line.multiplier,
    amount: formatFen(line.amount),
    state: line.postedAt === undefined ? "provisional" : "posted",
    postedAt: timeOrNull(line.postedAt ?? null),
  };
}

function showRunning({ quantity, exact }: Running, basePerUnit: bigint): Shown["month"]["before"] {
  return {
    quantity: formatRounded(quantityInUnits({ quantity, basePerUnit }), quantityDigits),
    exact: formatRational(exact),
    rounded: formatFen(roundToFen(exact)),
  };
}

function showEvent(
  { event, use, counted, leafIndex, leafHash }: StoredEvent,
  names: ReadonlyMap<string, string>,
): Shown["events"][number] {
  return {
    source: event.source,
    id: event.id,
    kind: event.kind,
    from: time(use.from),
    until: time(use.until),
    seconds: (use.until - use.from) / 1000,
    units: formatRational(rational(use.units, BigInt(use.slice))),
    work: use.work,
    plan: use.plan,
    counted: counted && use.billable,
    resourceId: use.requestId,
    resource: names.get(use.requestId) ?? "",
    intervalId: use.intervalId,
    instanceId: use.instanceId,
    leaf: leafIndex ?? null,
    leafHash,
  };
}
