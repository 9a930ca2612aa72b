/** What each attempt of a job used and what that comes to, so that its owner can check each (R-PAYG-7). */
import type { z } from "zod";

import type { Handler } from "#api/handler.ts";
import { accountOf } from "#api/routes/billing/account.ts";
import { pricesOfTenant } from "#api/routes/billing/prices.ts";
import type { Operations } from "#contract/operations.ts";
import type { jobCosts } from "#contract/schemas/job-costs.ts";
import { usesOf } from "#flow/meter/instance-use.ts";
import { attemptsOf } from "#flow/provision/job-view.ts";
import { costOfUses, type UseLine } from "#flow/rate/use-cost.ts";
import { addDays, dayOf, daysOf } from "#kernel/calendar.ts";
import { formatFen } from "#kernel/money.ts";
import { add, formatRational, zero, type Rational } from "#kernel/rational.ts";
import { formatRounded, roundToFen } from "#kernel/rounding.ts";

import { jobView } from "./jobs.ts";

type Shown = z.output<typeof jobCosts>["attempts"][number];

/** A few for each attempt: over 500 attempts of a job with a GPU. */
const usesMax = 2000;
const quantityDigits = 6;

export const getJobCosts: Handler<Operations["getJobCosts"]> = async ({ params }, context) => {
  const { tx, tenantId, now } = context;
  const attempts = attemptsOf(await jobView(tx, { tenantId, id: params.jobId }));
  const instanceIds = attempts.flatMap(({ instanceId }) => instanceId ?? []);
  const { zone } = await accountOf(tx, tenantId);
  const uses = await usesOf(tx, { tenantId, instanceIds, now: now(), rowsMax: usesMax });
  const instants = uses.flatMap(({ span }) => [span.from, span.until]);
  const days = daysOf(
    dayOf(
      zone,
      instants.reduce((first, at) => Math.min(first, at), now()),
    ),
    addDays(
      dayOf(
        zone,
        instants.reduce((last, at) => Math.max(last, at), now()),
      ),
      1,
    ),
  );
  const priceOf = await pricesOfTenant(tx, { tenantId, zone, days });
  const byInstance = Map.groupBy(uses, ({ instanceId }) => instanceId);
  let total: Rational | undefined = zero;
  const shown = attempts.map(({ number, instanceId, billable }): Shown => {
    const of = instanceId === null ? [] : (byInstance.get(instanceId) ?? []);
    const { lines, exact } = costOfUses(of, { zone, priceOf });
    total = total === undefined || exact === undefined ? undefined : add(total, exact);
    return { number, instanceId, billable, lines: lines.map(showLine), amount: inFen(exact) };
  });
  return { attempts: shown, amount: inFen(total), isCut: uses.length === usesMax };
};

function showLine({ sku, seconds, held, billable, priced }: UseLine): Shown["lines"][number] {
  return {
    sku,
    units: formatRational(held),
    seconds: Number(seconds),
    billable,
    unit: priced?.unit ?? null,
    quantity: priced === undefined ? null : formatRounded(priced.quantity, quantityDigits),
    unitPrice: priced === undefined ? null : formatRational(priced.unitPrice),
    amount: priced === undefined ? null : formatFen(priced.amount),
  };
}

function inFen(exact: Rational | undefined): string | null {
  return exact === undefined ? null : formatFen(roundToFen(exact));
}
