/**
 * What a customer asks of expansions: order, extend, release. The money is held until the machine
 * has it; days that have not begun are given back.
 */
import { v7 as newId } from "uuid";

import type { Queryable, Tx } from "#db/pool.ts";
import type { OperationRow } from "#flow/admit/operations.ts";
import { priceOf } from "#flow/admit/price.ts";
import { releaseHeld } from "#flow/ledger/holds.ts";
import { askResize } from "#flow/provision/resize.ts";
import type { LeaseFacts } from "#flow/provision/lease-facts.ts";
import { present } from "#kernel/assert.ts";
import { Failure } from "#kernel/failure.ts";
import { zeroFen, type Fen } from "#kernel/money.ts";

import { wantedShape } from "./decide.ts";
import { elasticPrice, elasticRelease, type ElasticItem, type ElasticRelease } from "./elastic.ts";
import { quoteExpansion } from "./expansion-quotes.ts";
import { endExpansion, getExpansion, insertExpansion, type Expansion } from "./expansion-rows.ts";
import { amountOf, itemsOfSubject, refundItem, type Booked } from "./items.ts";
import { holdOf, pricesAt, pricesOfVersion, requireQuoted } from "./prices.ts";
import { withItems } from "./shape-math.ts";
import { hold, requireNothingUnderWay } from "./subscribe.ts";
import { lookNow } from "./subscription-rows.ts";
import { lockedView } from "./subscription-view.ts";

export async function orderExpansion(
  tx: Tx,
  booked: Booked,
  ask: {
    readonly subscriptionId: string;
    readonly items: readonly ElasticItem[];
    readonly days: number;
    readonly expected: Fen;
    readonly userId: string;
  },
): Promise<{ readonly expansion: Expansion; readonly operation: OperationRow }> {
  const { tenantId, at } = booked;
  const { items, days } = ask;
  const view = await lockedView(tx, { tenantId, id: ask.subscriptionId });
  const { subscription, lease } = view;
  const { draft } = await quoteExpansion(tx, booked, { subscription, items, days });
  const amount = amountOf(draft);
  requireQuoted(amount, ask.expected);
  requireNothingUnderWay(view);
  requireRunning(lease);
  requireCapable(lease, items);
  const base = present(wantedShape(view, at), "size of an active subscription");
  const shape = withItems(base, items);
  const price = priceOf(await pricesAt(tx, at), shape, "subscription");
  const { leaseId } = subscription;
  const operation = await askResize(tx, { tenantId, leaseId, at, shape, price });
  const id = newId();
  await hold(tx, booked, { reference: holdOf.expansion(id), amount, description: "Expansion" });
  await insertExpansion(tx, {
    tenantId,
    id,
    subscriptionId: subscription.id,
    items,
    days,
    draft,
    amount,
    by: { operationId: operation.id },
    userId: ask.userId,
    at,
  });
  await lookNow(tx, subscription, at);
  return { expansion: await getExpansion(tx, { tenantId, id }), operation };
}

function requireRunning({ name, machine }: LeaseFacts): void {
  if (machine === "running") return;
  throw new Failure(
    "wrong_state",
    `The machine ${name} does not run; start it before it is expanded.`,
  );
}

/** What the platform can only do at the next start is no expansion by the day. */
function requireCapable({ capabilities }: LeaseFacts, items: readonly ElasticItem[]): void {
  for (const { sku } of items) {
    const [name, capability] =
      sku === "cpu.core"
        ? (["resizeCpuLive", capabilities.resizeCpuLive] as const)
        : sku === "mem.gib"
          ? (["resizeMemoryLive", capabilities.resizeMemoryLive] as const)
          : (["resizeGpus", capabilities.resizeGpus] as const);
    if (capability?.can === true) continue;
    const because = capability?.because ?? "its platform does not say that it can";
    throw new Failure("unsupported", `${sku} cannot be added while it runs: ${because}.`, {
      details: { sku, capability: name, because },
    });
  }
}

/** R-ELA-6: an order of its own, which begins where the other one ends. */
export async function extendExpansion(
  tx: Tx,
  booked: Booked,
  ask: {
    readonly id: string;
    readonly days: number;
    readonly expected: Fen;
    readonly userId: string;
  },
): Promise<Expansion> {
  const { tenantId, at } = booked;
  const before = await getExpansion(tx, { tenantId, id: ask.id });
  const view = await lockedView(tx, { tenantId, id: before.subscriptionId });
  const extended = await getExpansion(tx, { tenantId, id: ask.id });
  const startsAt = requireExtendable(extended, view.expansions);
  const { subscription } = view;
  const { items } = extended;
  const { days } = ask;
  const { draft } = await quoteExpansion(tx, booked, { subscription, items, days, startsAt });
  const amount = amountOf(draft);
  requireQuoted(amount, ask.expected);
  const id = newId();
  await hold(tx, booked, { reference: holdOf.expansion(id), amount, description: "Expansion" });
  await insertExpansion(tx, {
    tenantId,
    id,
    subscriptionId: subscription.id,
    items,
    days,
    draft,
    amount,
    by: { extendsId: extended.id, startsAt },
    userId: ask.userId,
    at,
  });
  await lookNow(tx, subscription, at);
  return getExpansion(tx, { tenantId, id });
}

/** Where the extension begins. */
export function requireExtendable(expansion: Expansion, others: readonly Expansion[]): number {
  const { state, endsAt, id } = expansion;
  const next = others.find((each) => each.extendsId === id && each.state !== "ended");
  if (next !== undefined) {
    throw new Failure("conflict", `This expansion is extended already; extend ${next.id}.`, {
      details: { extendedBy: next.id },
    });
  }
  if (state === "active" && endsAt !== undefined) return endsAt;
  throw new Failure("wrong_state", `An expansion is extended while it is active, not ${state}.`);
}

/** What releasing it now would keep and give back (R-ELA-3), at the prices that it was ordered by. */
export async function refundOfExpansion(
  db: Queryable,
  expansion: Expansion,
  at: number,
): Promise<ElasticRelease> {
  const { profile } = await pricesOfVersion(db, expansion.priceProfileId);
  return elasticRelease({
    days: expansion.days,
    activatedAt: present(expansion.activatedAt, "activation"),
    releasedAt: at,
    charge: (days) => {
      const price = elasticPrice(profile, expansion.items, days);
      return present(price.kind === "priced" ? price.amount : undefined, "price of an expansion");
    },
  });
}

/** Ends it before its time; what extends it is canceled. The loop takes it from the machine. */
export async function releaseExpansion(
  tx: Tx,
  booked: Booked,
  id: string,
): Promise<{ readonly expansion: Expansion; readonly refund: Fen }> {
  const { tenantId } = booked;
  const before = await getExpansion(tx, { tenantId, id });
  const view = await lockedView(tx, { tenantId, id: before.subscriptionId });
  const expansion = await getExpansion(tx, { tenantId, id });
  const refund = await endEarly(tx, booked, expansion);
  for (const next of view.expansions) {
    if (next.extendsId !== id || next.state !== "scheduled") continue;
    await endEarly(tx, booked, next);
  }
  await lookNow(tx, view.subscription, booked.at);
  tx.nudge("balance");
  return { expansion: await getExpansion(tx, { tenantId, id }), refund };
}

async function endEarly(tx: Tx, booked: Booked, expansion: Expansion): Promise<Fen> {
  const { tenantId, at } = booked;
  const released = { code: "released", message: "Released by the customer." };
  switch (expansion.state) {
    case "active": {
      const { refund } = await refundOfExpansion(tx, expansion, at);
      const [item] = await itemsOfSubject(tx, { tenantId, subjectId: expansion.id });
      if (item !== undefined) {
        await refundItem(tx, booked, { item, amount: refund, key: item.id });
      }
      await endExpansion(tx, expansion, { at, reason: released });
      return refund;
    }
    case "scheduled": {
      const reference = holdOf.expansion(expansion.id);
      await releaseHeld(tx, tenantId, { reference, at });
      await endExpansion(tx, expansion, { at, reason: released });
      return zeroFen;
    }
    case "resizing":
      throw new Failure(
        "wrong_state",
        "The machine is being changed for this expansion; release it when that is done.",
      );
    case "ended":
      throw new Failure("wrong_state", "This expansion is over.");
  }
}
