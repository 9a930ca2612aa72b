/** Usage to the second, and statements. */
import type { z } from "zod";

import type { Handler } from "#api/handler.ts";
import { pageOf } from "#api/page.ts";
import { loadPriceBook, pricesOn } from "#catalog/price-profiles.ts";
import { inPriceUnits, skuPrice } from "#catalog/sku.ts";
import type { Operations } from "#contract/operations.ts";
import type * as billing from "#contract/schemas/billing.ts";
import type { Tx } from "#db/pool.ts";
import { usageBetween, usageTotals, type UsageInterval } from "#flow/meter/store.ts";
import { statementCsv } from "#flow/invoice/csv.ts";
import type { Statement } from "#flow/invoice/decide.ts";
import { readStatement } from "#flow/invoice/store.ts";
import { statementText } from "#flow/invoice/text.ts";
import { findTenant } from "#identity/tenants.ts";
import { present } from "#kernel/assert.ts";
import { dayOf } from "#kernel/calendar.ts";
import { wholeSeconds } from "#kernel/interval.ts";
import { formatRational, rational } from "#kernel/rational.ts";
import { formatRounded } from "#kernel/rounding.ts";
import { billingZone, isTimeZone, timeZone, type TimeZone } from "#kernel/zone.ts";

import { instantsOf, rangeOf, type PeriodQuery } from "./period.ts";

const quantityDigits = 6;

export const listUsage: Handler<Operations["listUsage"]> = async ({ query }, context) => {
  const { tx, tenantId, now } = context;
  const { zone } = await accountOf(tx, tenantId);
  const { from, until } = instantsOf(rangeOf(query, zone, now()), zone);
  const page = await pageOf(query, {
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
  const prices = pricesOn(await loadPriceBook(tx), dayOf(billingZone, now()));
  const totals = await usageTotals(tx, { tenantId, from, until, now: now() });
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

export const getStatement: Handler<Operations["getStatement"]> = async ({ query }, context) => {
  const { lines, totals, ...rest } = await statementFor(context.tx, context.tenantId, {
    query,
    now: context.now(),
  });
  return { ...rest, lines: [...lines], totals: [...totals] };
};

export const exportStatement: Handler<Operations["exportStatement"]> = async (
  { query },
  context,
) => {
  const { format, language, ...period } = query;
  const statement = await context.read((tx) =>
    statementFor(tx, context.tenantId, { query: period, now: context.now() }),
  );
  const name = `statement-${statement.tenant.name}-${statement.from}-${statement.through}`;
  return format === "csv"
    ? {
        contentType: "text/csv; charset=utf-8",
        body: statementCsv(statement, language),
        fileName: `${name}.csv`,
      }
    : { contentType: "text/plain; charset=utf-8", body: statementText(statement, language) };
};

async function statementFor(
  tx: Tx,
  tenantId: string,
  ask: { readonly query: PeriodQuery; readonly now: number },
): Promise<Statement> {
  const { name, zone } = await accountOf(tx, tenantId);
  return readStatement(tx, await loadPriceBook(tx), {
    tenant: { id: tenantId, name },
    timeZone: zone,
    range: rangeOf(ask.query, zone, ask.now),
  });
}

async function accountOf(
  tx: Tx,
  tenantId: string,
): Promise<{ readonly name: string; readonly zone: TimeZone }> {
  const tenant = present(await findTenant(tx, tenantId), "the tenant of the caller");
  return {
    name: tenant.name,
    zone: isTimeZone(tenant.timeZone) ? timeZone(tenant.timeZone) : billingZone,
  };
}
