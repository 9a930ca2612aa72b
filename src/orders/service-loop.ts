/**
 * What time does to services: support is renewed by its anchor months, or ends; offers run out. One
 * month a transaction, decided anew under the row's lock, so that two loops charge a month once, and
 * one that was away charges each month that passed, in order.
 */
import { z } from "zod";

import type { Db, Tx } from "#db/pool.ts";
import { sql } from "#db/sql.ts";
import { present } from "#kernel/assert.ts";
import { Failure } from "#kernel/failure.ts";
import { formatFen } from "#kernel/money.ts";
import type { Reason } from "#kernel/reason.ts";
import type { LoopDefinition } from "#loops/loop.ts";
import { notify } from "#notices/store.ts";

import { amountOf, chargeItem } from "./items.ts";
import { pricesAt } from "./prices.ts";
import { supportDraft } from "./service-quotes.ts";
import {
  endService,
  lockService,
  setPaidMonths,
  setServiceLook,
  type Service,
  type ServiceKey,
} from "./service-rows.ts";
import { monthMarkAt } from "./term.ts";

const servicesPerPassMax = 200;
/** More months than a loop is ever away; the next pass goes on. */
const stepsMax = 50;

const dueRow = z
  .object({ tenant_id: z.string(), id: z.string() })
  .transform(({ tenant_id: tenantId, id }): ServiceKey => ({ tenantId, id }));

export function serviceLoop(context: {
  readonly db: Db;
  readonly now: () => number;
}): LoopDefinition {
  const { db, now } = context;
  return {
    name: "services",
    periodMs: 60_000,
    channels: [],
    pass: async (signal) => {
      const due = await db.rows(
        sql`select tenant_id, id from service where look_at <= ${new Date(now())}
          order by look_at limit ${servicesPerPassMax}`,
        dueRow,
      );
      const failures: unknown[] = [];
      for (const key of due) {
        if (signal.aborted) return "rest";
        try {
          for (let step = 0; step < stepsMax; step += 1) {
            if (await db.tenant(key.tenantId, (tx) => stepOf(tx, key, now()))) break;
          }
        } catch (error) {
          failures.push(error);
        }
      }
      if (failures.length > 0) throw new AggregateError(failures, "some services were not seen to");
      return due.length === servicesPerPassMax ? "again" : "rest";
    },
  };
}

export type ServiceStep =
  | { readonly do: "renew"; readonly from: number; readonly months: number }
  /** Support is over, engagements of the bundle are left. */
  | { readonly do: "rest"; readonly lookAt: number | undefined }
  | { readonly do: "end"; readonly reason: Reason };

/** Pure. */
export function decideService(service: Service, now: number): ServiceStep {
  const { state, paidUntil, offerUntil, autoRenew, optimizationsLeft } = service;
  if (state === "offered" && offerUntil !== undefined) {
    return offerUntil <= now
      ? {
          do: "end",
          reason: { code: "offer_over", message: "The offer was not accepted in time." },
        }
      : { do: "rest", lookAt: offerUntil };
  }
  if (state !== "active" || paidUntil === undefined) return { do: "rest", lookAt: undefined };
  if (paidUntil > now) return { do: "rest", lookAt: paidUntil };
  if (autoRenew) return { do: "renew", from: paidUntil, months: service.paidMonths + 1 };
  return optimizationsLeft > 0
    ? { do: "rest", lookAt: undefined }
    : { do: "end", reason: { code: "over", message: "Its paid months are over." } };
}

/** Whether there is nothing more to do now. */
async function stepOf(tx: Tx, key: ServiceKey, now: number): Promise<boolean> {
  const service = await lockService(tx, key);
  const step = decideService(service, now);
  switch (step.do) {
    case "rest":
      await setServiceLook(tx, key, step.lookAt);
      return true;
    case "end":
      await endService(tx, key, { at: now, reason: step.reason });
      await tell(tx, service, { kind: "service_over", reason: step.reason.message, at: now });
      return true;
    case "renew":
      return renewMonth(tx, service, { ...step, now });
  }
}

/** A month that cannot be paid ends the support: it is no service on credit. */
async function renewMonth(
  tx: Tx,
  service: Service,
  month: { readonly from: number; readonly months: number; readonly now: number },
): Promise<boolean> {
  const { tenantId, id, zone } = service;
  const { from, months, now } = month;
  const booked = { tenantId, zone, at: now };
  const prices = await pricesAt(tx, now);
  const at = present(service.anchorAt, "anchor of support");
  const until = monthMarkAt({ zone, at }, months);
  const draft = await supportDraft(tx, booked, { prices, from, until });
  const amount = amountOf(draft);
  try {
    await chargeItem(tx, booked, { ...draft, subjectId: id, period: months });
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== "insufficient_credit") throw error;
    const reason = { code: "not_paid", message: `${formatFen(amount)} CNY were not there.` };
    await endService(tx, service, { at: now, reason });
    await tell(tx, service, { kind: "service_lapsed", reason: formatFen(amount), at: now });
    return true;
  }
  await setPaidMonths(tx, service, { amount, priceProfileId: prices.id, months, until });
  tx.nudge("balance");
  return false;
}

async function tell(
  tx: Tx,
  service: Service,
  what: {
    readonly kind: "service_over" | "service_lapsed";
    readonly reason: string;
    readonly at: number;
  },
): Promise<void> {
  await notify(tx, {
    tenantId: service.tenantId,
    key: `${what.kind}:${service.id}`,
    kind: what.kind,
    severity: what.kind === "service_lapsed" ? "warning" : "info",
    data: { what: service.description, reason: what.reason },
    at: what.at,
  });
}
