/**
 * Services that people do (R-VAS-1, R-VAS-2): what a customer asks, what the operator answers. What
 * must stay true: nothing is charged that was not quoted; an engagement is charged once, when its
 * offer is accepted; support is charged by whole anchor months, in advance, and not prorated.
 */
import { v7 as newId } from "uuid";

import { brokenConstraint, type Tx } from "#db/pool.ts";
import { findTenant } from "#identity/tenants.ts";
import { present } from "#kernel/assert.ts";
import { Failure } from "#kernel/failure.ts";
import { formatFen, type Fen } from "#kernel/money.ts";
import type { Reason } from "#kernel/reason.ts";
import { notify, raiseAlert, resolveAlert } from "#notices/store.ts";

import { amountOf, chargeItem, itemsOfSubject, refundItem, type Booked } from "./items.ts";
import { pricesAt, requireQuoted } from "./prices.ts";
import { quoteBundle, quoteOffer, quoteSupport } from "./service-quotes.ts";
import {
  endService,
  getService,
  insertService,
  lockService,
  setAccepted,
  setNotRenewed,
  setOffer,
  setOptimizationsLeft,
  supportUntil,
  type NewService,
  type Service,
} from "./service-rows.ts";
import { isOptimizationQuote } from "./services.ts";

export interface ServiceOrder {
  readonly kind: "support_24x7" | "bundle";
  readonly code?: string;
  readonly autoRenew: boolean;
  readonly expected: Fen;
  readonly userId: string;
}

/** Paid at once. Support that runs already is refused with `conflict`. */
export async function orderService(tx: Tx, booked: Booked, order: ServiceOrder): Promise<Service> {
  const { tenantId, zone, at } = booked;
  const { kind, code } = order;
  const quote =
    kind === "bundle"
      ? await quoteBundle(tx, booked, present(code, "code of a bundle"))
      : await quoteSupport(tx, booked);
  const amount = amountOf(quote.draft);
  requireQuoted(amount, order.expected);
  if (kind === "support_24x7") await requireNoSupport(tx, booked);
  const id = newId();
  const { support } = quote;
  const autoRenew = order.autoRenew && kind === "support_24x7";
  await insert(tx, {
    tenantId,
    id,
    kind,
    ...(code === undefined ? {} : { code }),
    description: quote.description,
    zone,
    userId: order.userId,
    at,
    paid: {
      amount,
      priceProfileId: quote.draft.priceProfileId,
      ...(support === undefined ? {} : { support: { ...support, autoRenew } }),
      optimizations: quote.optimizations,
    },
  });
  await chargeItem(tx, booked, { ...quote.draft, subjectId: id, period: 1 });
  tx.nudge("balance");
  return getService(tx, { tenantId, id });
}

async function insert(tx: Tx, order: NewService): Promise<void> {
  try {
    await insertService(tx, order);
  } catch (error) {
    if (brokenConstraint(error) !== "service_support_once") throw error;
    throw hasSupport({ cause: error });
  }
}

/** Also of a bundle. */
async function requireNoSupport(tx: Tx, { tenantId, at }: Booked): Promise<void> {
  const until = await supportUntil(tx, tenantId);
  if (until !== undefined && until > at) throw hasSupport();
}

function hasSupport(options: { readonly cause?: unknown } = {}): Failure {
  return new Failure(
    "conflict",
    "24x7 support is paid already; it is not bought twice for the same time.",
    options,
  );
}

/** An engagement is asked for; the operator says what it costs. */
export async function askService(
  tx: Tx,
  { tenantId, zone, at }: Booked,
  ask: { readonly description: string; readonly userId: string },
): Promise<Service> {
  const id = newId();
  const kind = "model_optimization";
  await insertService(tx, { ...ask, tenantId, id, kind, zone, at });
  const tenant = present(await findTenant(tx, tenantId), "tenant of a service");
  await raiseAlert(tx, {
    key: askedKey(id),
    kind: "service_asked",
    severity: "warning",
    tenantId,
    data: { tenant: tenant.name, id },
    at,
  });
  return getService(tx, { tenantId, id });
}

function askedKey(id: string): string {
  return `service-asked:${id}`;
}

/** For the operator: what it costs, within the range of the price list (R-VAS-1). */
export async function offerService(
  tx: Tx,
  { tenantId, at }: Booked,
  offer: { readonly id: string; readonly amount: Fen; readonly until: number; readonly by: string },
): Promise<Service> {
  const key = { tenantId, id: offer.id };
  const found = await lockService(tx, key);
  if (found.state !== "asked" && found.state !== "offered") {
    throw new Failure("wrong_state", `This service is ${found.state}; an offer comes before.`);
  }
  if (offer.until <= at) {
    throw new Failure("rule_violation", "The offer would end before it begins.");
  }
  const { id: priceProfileId, profile } = await pricesAt(tx, at);
  if (!isOptimizationQuote(profile, offer.amount)) {
    const [low, high] = profile.model_optimisation_range.map((each) => formatFen(each));
    throw new Failure(
      "rule_violation",
      `Model optimization costs ${low} to ${high} CNY, not ${formatFen(offer.amount)} CNY.`,
      { details: { from: low, to: high } },
    );
  }
  await setOffer(tx, key, { amount: offer.amount, priceProfileId, until: offer.until });
  await resolveAlert(tx, { key: askedKey(offer.id), by: offer.by, at });
  await notify(tx, {
    tenantId,
    key: `service-offered:${offer.id}:${at}`,
    kind: "service_offered",
    severity: "info",
    data: {
      id: offer.id,
      amount: formatFen(offer.amount),
      until: new Date(offer.until).toISOString(),
    },
    at,
  });
  return getService(tx, key);
}

/** Charged once, at acceptance. */
export async function acceptService(
  tx: Tx,
  booked: Booked,
  ask: { readonly id: string; readonly expected: Fen },
): Promise<Service> {
  const key = { tenantId: booked.tenantId, id: ask.id };
  const found = await lockService(tx, key);
  const { draft } = quoteOffer(booked, found);
  requireQuoted(amountOf(draft), ask.expected);
  await setAccepted(tx, key);
  await chargeItem(tx, booked, { ...draft, subjectId: ask.id, period: 1 });
  tx.nudge("balance");
  return getService(tx, key);
}

const declined: Reason = { code: "canceled", message: "Canceled by the customer." };

/**
 * What is asked or offered ends now. Support goes on to the end of its paid month and is not renewed
 * (R-VAS-2: not prorated). An engagement that is paid is the operator's to end.
 */
export async function cancelService(tx: Tx, booked: Booked, id: string): Promise<Service> {
  const { tenantId, at } = booked;
  const key = { tenantId, id };
  const found = await lockService(tx, key);
  switch (found.state) {
    case "asked":
    case "offered":
      await resolveAlert(tx, { key: askedKey(id), by: "customer", at });
      await endService(tx, key, { at, reason: declined });
      break;
    case "active":
      if (!found.autoRenew) {
        const why =
          found.kind === "support_24x7"
            ? "it is canceled already and ends with its paid month"
            : "it is paid; ask the operator to end it";
        throw new Failure("wrong_state", `This service cannot be canceled: ${why}.`);
      }
      await setNotRenewed(tx, key);
      break;
    case "ended":
      throw new Failure("wrong_state", "This service has ended already.");
  }
  return getService(tx, key);
}

/** For the operator: an engagement is done, or will not be done and is given back. */
export async function finishService(
  tx: Tx,
  booked: Booked,
  ask: { readonly id: string; readonly outcome: "done" | "refunded"; readonly note: string },
): Promise<{ readonly service: Service; readonly refund: Fen | undefined }> {
  const { tenantId, at } = booked;
  const key = { tenantId, id: ask.id };
  const found = await lockService(tx, key);
  if (found.state !== "active" || found.optimizationsLeft === 0) {
    throw new Failure("wrong_state", "No engagement of this service waits to be done.");
  }
  const left = found.optimizationsLeft - 1;
  let refund: Fen | undefined;
  if (ask.outcome === "refunded") {
    if (found.kind === "bundle") {
      throw new Failure("rule_violation", "A bundle has one price; its parts are not given back.");
    }
    const [item] = await itemsOfSubject(tx, { tenantId, subjectId: ask.id });
    const paid = present(item, "order item of a service");
    await refundItem(tx, booked, { item: paid, amount: paid.amount, key: paid.id });
    refund = paid.amount;
    tx.nudge("balance");
  }
  await setOptimizationsLeft(tx, key, { left });
  const isOver = left === 0 && (found.paidUntil === undefined || found.paidUntil <= at);
  if (isOver) await endService(tx, key, { at, reason: { code: ask.outcome, message: ask.note } });
  await notify(tx, {
    tenantId,
    key: `service-${ask.outcome}:${ask.id}:${left}`,
    kind: ask.outcome === "done" ? "service_done" : "service_refunded",
    severity: "info",
    data: { id: ask.id, what: found.description, note: ask.note },
    at,
  });
  return { service: await getService(tx, key), refund };
}
